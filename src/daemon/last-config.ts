import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { replaceFile } from '../files.ts';
import type { MetricsSpec } from '../metrics-spec.ts';

/** A configuration as it was resolved when it was taken over. */
export interface LastConfig {
  /** Absolute path of its file. */
  readonly path: string;
  readonly specs: readonly ServiceSpec[];
  readonly metrics: MetricsSpec | null;
}

/**
 * Keeps the configuration in use for a supervisor that has to take over while the file is being edited. It holds what the
 * file and its env files hold, in the same directory as the socket, for the owner alone. Returns a sentence when it cannot.
 */
export function keepConfig(stateDir: string, config: LastConfig): string | null {
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
export function lastConfig(stateDir: string): LastConfig | null {
  try {
    const value: unknown = JSON.parse(readFileSync(fileIn(stateDir), 'utf8'));
    return isLastConfig(value) ? value : null;
  } catch {
    // Not there, or not whole: the caller has the configuration file itself to complain about.
    return null;
  }
}

function isLastConfig(value: unknown): value is LastConfig {
  return typeof value === 'object' && value !== null && 'form' in value && value.form === FORM
    && 'path' in value && typeof value.path === 'string' && 'specs' in value && Array.isArray(value.specs);
}

/** To be raised with every change of what a specification holds: another version's is not understood. */
const FORM = 1;

function fileIn(stateDir: string): string {
  return join(stateDir, 'config.last.json');
}
