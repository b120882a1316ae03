import { isUtf8 } from 'node:buffer';
import { count, flag, optional, readFields, readNull, readString, text, texts } from './decode-fields.ts';
import { JsonLineError, JsonLineReader } from './json-line.ts';
import type { Request } from './protocol.ts';

export type DecodedRequest =
  | { readonly ok: true; readonly request: Request }
  /** The complete text of an `Error` answer. */
  | { readonly ok: false; readonly error: string };

/**
 * One line in (with or without its newline), one request or one refusal out. Never throws. Takes every form that
 * systemg 0.33.0 takes and refuses the others in its words.
 */
export function decodeRequest(line: string | Uint8Array): DecodedRequest {
  if (typeof line !== 'string' && !isUtf8(line)) return refuse('control socket I/O failed: stream did not contain valid UTF-8');
  const trimmed = trimBlanks(typeof line === 'string' ? line : Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8'));
  if (trimmed === '') return refuse('control socket I/O failed: empty control command');
  try {
    const reader = new JsonLineReader(trimmed);
    const request = readRequest(reader);
    reader.end();
    return { ok: true, request };
  } catch (error) {
    if (error instanceof JsonLineError) return refuse(`failed to serialise control message: ${error.message}`);
    throw error;
  }
}

type ReadVariant = (reader: JsonLineReader) => Request;

function readRequest(reader: JsonLineReader): Request {
  const open = reader.peek();
  if (open === '"') {
    const name = readVariantName(reader);
    const request = bare.get(name);
    if (request === undefined) throw new JsonLineError('invalid type: unit variant, expected struct variant', false);
    return request;
  }
  if (open !== '{') throw reader.problemAhead('expected value');
  reader.enter();
  const name = readVariantName(reader);
  reader.colon();
  const request = readBody(reader, name);
  const next = reader.peek();
  if (next === '') throw reader.problem('EOF while parsing an object');
  if (next !== '}') throw reader.problem('expected value');
  reader.take();
  reader.leave();
  return request;
}

function readVariantName(reader: JsonLineReader): string {
  const next = reader.peek();
  if (next === '') throw reader.problemAhead('EOF while parsing a value');
  const name = readString(reader);
  if (bare.has(name) || structs.has(name)) return name;
  const known = VARIANT_ORDER.map((variant) => `\`${variant}\``).join(', ');
  throw reader.problem(`unknown variant \`${name}\`, expected one of ${known}`);
}

function readBody(reader: JsonLineReader, name: string): Request {
  const request = bare.get(name);
  if (request !== undefined) {
    readNull(reader);
    return request;
  }
  const readStruct = structs.get(name);
  if (readStruct === undefined) throw new Error(`variant ${name} has no reader`);
  return readStruct(reader);
}

const bare = new Map<string, Request>([
  ['Shutdown', { kind: 'shutdown' }],
  ['Status', { kind: 'status' }],
  ['Handover', { kind: 'handover' }],
]);

const unit = optional(text('unit'), null);
const service = optional(text('service'), null);
const config = optional(text('config'), null);
const since = optional(count('since', 'u64'), null);

const structs = new Map<string, ReadVariant>([
  ['Start', (reader) => ({ kind: 'start', ...readFields(reader, 'Start', { service }) })],
  ['Stop', (reader) => ({ kind: 'stop', ...readFields(reader, 'Stop', { service }) })],
  ['Restart', (reader) => ({
    kind: 'restart', ...readFields(reader, 'Restart', { config, service, wait: optional(flag('wait'), true) }),
  })],
  ['Inspect', (reader) => ({
    kind: 'inspect', ...readFields(reader, 'Inspect', { unit: text('unit'), samples: count('samples', 'u32') }),
  })],
  ['Logs', (reader) => ({
    kind: 'logs', ...readFields(reader, 'Logs', { service, lines: count('lines', 'usize'), logKind: text('kind'), follow: flag('follow') }),
  })],
  ['Spawn', (reader) => ({
    kind: 'spawn',
    ...readFields(reader, 'Spawn', {
      parentPid: count('parent_pid', 'u32'), name: text('name'), command: texts('command'),
      ttl: optional(count('ttl', 'u64'), null), logLevel: optional(text('log_level'), null),
    }),
  })],
  ['History', (reader) => ({ kind: 'history', ...readFields(reader, 'History', { unit, limit: count('limit', 'u32'), since }) })],
  ['Watch', (reader) => ({ kind: 'watch', ...readFields(reader, 'Watch', { since, units: optional(texts('units'), null) }) })],
  ['Reload', (reader) => ({ kind: 'reload', ...readFields(reader, 'Reload', { config }) })],
  ['Plan', (reader) => ({ kind: 'plan', ...readFields(reader, 'Plan', { config }) })],
  ['Signal', (reader) => ({ kind: 'signal', ...readFields(reader, 'Signal', { unit: text('unit'), signal: text('signal') }) })],
]);

/** 0.33.0's order, then ours. */
const VARIANT_ORDER = [
  'Start', 'Stop', 'Restart', 'Shutdown', 'Status', 'Inspect', 'Logs', 'Spawn', 'History', 'Watch', 'Reload', 'Plan', 'Signal', 'Handover',
];

function refuse(error: string): DecodedRequest {
  return { ok: false, error };
}

/** Rust's `str::trim`: White_Space at both ends, which is not quite what `String.prototype.trim` takes off. */
function trimBlanks(line: string): string {
  let begin = 0;
  let end = line.length;
  while (begin < end && WHITE_SPACE.test(line.charAt(begin))) begin += 1;
  while (end > begin && WHITE_SPACE.test(line.charAt(end - 1))) end -= 1;
  return line.slice(begin, end);
}

const WHITE_SPACE = /^\p{White_Space}$/u;
