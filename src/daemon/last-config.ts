import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KeptConfig } from '../config/kept.ts';
import type { SourceNode } from '../config/document.ts';
import { textOf } from '../errors.ts';
import { replaceFile } from '../files.ts';
import { isRecord } from '../wire/shape.ts';

/**
 * Keeps the configuration in use for a supervisor that has to take over while the file is being edited: in the same directory as the socket, for the owner
 * alone, and without values. Returns a sentence when it cannot.
 */
export function keepConfig(stateDir: string, config: KeptConfig): string | null {
  try {
    replaceFile(fileIn(stateDir), JSON.stringify({ form: FORM, ...config }), { durable: false });
    return null;
  } catch (error) {
    return `${fileIn(stateDir)}: cannot be written: ${textOf(error)}`;
  }
}

/** At a clean end, after which the file itself is read again. */
export function forgetConfig(stateDir: string): void {
  rmSync(fileIn(stateDir), { force: true });
}

/** Null: there is none that this version wrote. */
export function lastConfig(stateDir: string): KeptConfig | null {
  try {
    const value: unknown = JSON.parse(readFileSync(fileIn(stateDir), 'utf8'));
    return isKeptConfig(value) ? value : null;
  } catch {
    // Not there, or not whole: the caller has the configuration file itself to complain about.
    return null;
  }
}

function isKeptConfig(value: unknown): value is KeptConfig {
  return typeof value === 'object' && value !== null && 'form' in value && value.form === FORM && 'path' in value && typeof value.path === 'string'
    && 'source' in value && isSource(value.source) && 'included' in value && isRecord(value.included) && Object.values(value.included).every(isSource) && 'envFiles' in value && isRecord(value.envFiles) && 'units' in value && isRecord(value.units);
}

function isSource(value: unknown): value is SourceNode {
  if (!isRecord(value)) return false;
  const { kind, text, entries, items } = value;
  switch (kind) {
    case 'scalar': return typeof text === 'string';
    case 'list': return Array.isArray(items) && items.every(isSource);
    case 'map': return Array.isArray(entries) && entries.every((entry) => isRecord(entry) && typeof entry['key'] === 'string' && isSource(entry['value']));
    default: return false;
  }
}

/** To be raised with every change of what is kept: another version's is not understood. */
const FORM = 3;

function fileIn(stateDir: string): string {
  return join(stateDir, 'config.last.json');
}
