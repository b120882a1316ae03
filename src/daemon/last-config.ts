import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KeptConfig } from '../config/kept.ts';
import type { SourceNode } from '../config/document.ts';
import { attempt, failureOf } from '../errors.ts';
import { readPlainFile } from '../files.ts';
import type { SmallFiles } from '../state/small-files.ts';
import { isRecord, list, map, oneOf, readJson, record, string, type Shape } from '../wire/shape.ts';

/**
 * Keeps the configuration in use for a supervisor that has to take over while the file is being edited: in the same directory as the socket, for the owner
 * alone, and without values.
 */
export function keepConfig(stateDir: string, config: KeptConfig, files: Pick<SmallFiles, 'put'>): void {
  const text = JSON.stringify({ form: FORM, ...config });
  if (text.length < LARGE) return files.put(fileIn(stateDir), text);
  const packed = deflateRawSync(text, { level: 1 });
  files.put(fileIn(stateDir), text, () => inflateRawSync(packed).toString());
}

/** Characters that are worth packing: a thousand units have most of a million. */
const LARGE = 200_000;

/** At a clean end, after which the file itself is read again. A sentence when it cannot be removed. */
export function forgetConfig(stateDir: string): string | null {
  return failureOf(fileIn(stateDir), () => rmSync(fileIn(stateDir), { force: true }));
}

/** Null: there is none that this version wrote. */
export function lastConfig(stateDir: string): KeptConfig | null {
  // Not there, or not whole: the caller has the configuration file itself to complain about.
  const text = attempt(() => readPlainFile(fileIn(stateDir)).toString(), null);
  return text === null ? null : readJson(text, keptConfig);
}

/** To be raised with every change of what is kept: another version's is not understood. */
const FORM = 3;

const source: Shape<SourceNode> = (value, at) => (nodes.get(isRecord(value) ? value['kind'] : null) ?? anyNode)(value, at);
const anyNode = record({ kind: oneOf('scalar', 'list', 'map') });
const nodes = new Map<unknown, Shape<unknown>>([
  ['scalar', record({ text: string })],
  ['list', record({ items: list(source) })],
  ['map', record({ entries: list(record({ key: string, value: source })) })],
]);

const keptConfig: Shape<KeptConfig> = record({
  form: oneOf(FORM), path: string, source, included: map(source), envFiles: map(list(string)),
  units: map(record({ hash: string, definition: record({ process: string, policy: string }) })),
});

function fileIn(stateDir: string): string {
  return join(stateDir, 'config.last.json');
}
