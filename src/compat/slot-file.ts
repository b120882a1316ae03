import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceSpec, SlotIndex } from '../../machines/types.ts';
import { failureOf, hasCode, textOf } from '../errors.ts';
import { readHead, replaceFile } from '../files.ts';
import { branch, leaf, readXml, writeXml } from './xml.ts';

/**
 * Which slot of a blue-green service is in use: a file of systemg 0.33.0, XML in spite of its name.
 * Null for a service that has no slots.
 */
function slotFileOf(spec: ServiceSpec, stateDir: string): string | null {
  const { blueGreen } = spec.deployment;
  return blueGreen === null ? null : (blueGreen.statePath ?? join(stateDir, `blue_green_${spec.name}.json`));
}

/** Far more than the file has. */
const MOST_BYTES = 65_536;

type SlotRead = { readonly ok: true; readonly slot: SlotIndex } | { readonly ok: false; readonly problem: string };

/** Without a file the first slot is in use. */
function readSlot(path: string, service: string): SlotRead {
  let text: string;
  try {
    text = readHead(path, MOST_BYTES).toString();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { ok: true, slot: 0 };
    return { ok: false, problem: `Failed reading blue/green state '${path}': ${textOf(error)}` };
  }
  const parsed = readXml(text);
  if (!parsed.ok) return { ok: false, problem: `Failed parsing blue/green state '${path}': ${parsed.reason}` };
  const index = parsed.root.name === 'BlueGreenState' ? parsed.root.children.find(({ name }) => name === 'active_slot_index')?.text.trim() : undefined;
  if (index === '0') return { ok: true, slot: 0 };
  if (index === '1') return { ok: true, slot: 1 };
  return {
    ok: false,
    problem: index === undefined
      ? `Failed parsing blue/green state '${path}': expected <BlueGreenState> with <active_slot_index>, got ${JSON.stringify(text.slice(0, 60))}`
      : `blue/green state for '${service}' contains invalid slot index ${index.slice(0, 60)} (${path}: expected 0 or 1)`,
  };
}

/** The slots of all blue-green services, for the caller that starts them. A file that cannot be read is reported, and the first slot counts. */
export function readSlots(specs: readonly ServiceSpec[], stateDir: string, onProblem: (text: string) => void): Readonly<Record<string, SlotIndex>> {
  return Object.fromEntries(specs.flatMap((spec) => {
    const path = slotFileOf(spec, stateDir);
    if (path === null) return [];
    const read = readSlot(path, spec.name);
    if (!read.ok) onProblem(`${read.problem}; slot 0 is taken to be in use`);
    return [[spec.name, read.ok ? read.slot : 0] as const];
  }));
}

/** Writes again the files that somebody has removed: without one the next process would be started in the first slot. True: there were any. */
export function restoreSlots(specs: Iterable<ServiceSpec>, slots: ReadonlyMap<string, SlotIndex>, stateDir: string): boolean {
  const removed = [...specs].filter((spec) => {
    const path = slots.get(spec.name) === 1 ? slotFileOf(spec, stateDir) : null;
    return path !== null && !existsSync(path);
  });
  // What cannot be written now is missing at the next look too.
  return removed.map((spec) => writeSlot(spec, 1, stateDir)).includes(null);
}

/** Notes durably which slot is in use. Returns why the file could not be written; null: it was, or the service has no slots. */
export function writeSlot(spec: ServiceSpec, slot: SlotIndex, stateDir: string): string | null {
  const path = slotFileOf(spec, stateDir);
  if (path === null) return null;
  const failure = failureOf(path, () => replaceFile(path, writeXml(branch('BlueGreenState', [leaf('active_slot_index', slot)])), { durable: true }));
  if (failure === null) return null;
  // Where a switch could not be noted, what is noted is right once it is taken back.
  const noted = readSlot(path, spec.name);
  return noted.ok && noted.slot === slot ? null : failure;
}
