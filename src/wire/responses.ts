import { ControlError } from './control-error.ts';
import {
  inspectPayload, journalRecord, reloadPlan, statusSnapshot, unitSettlement,
  type InspectPayload, type JournalRecord, type ReloadPlan, type StatusSnapshot, type UnitSettlement,
} from './payloads.ts';
import { count, excerpt, list, readTagged, record, string, type Shape } from './shape.ts';

/** One answer in decoded form. `logs` and `watch` are answered by a stream instead. */
export type Response =
  | { readonly kind: 'ok' }
  /** `units`: how each unit fared, where the request asked for settlements. */
  | { readonly kind: 'message' | 'error'; readonly text: string; readonly units?: readonly UnitSettlement[] }
  | { readonly kind: 'status'; readonly snapshot: StatusSnapshot }
  | { readonly kind: 'inspect'; readonly payload: InspectPayload }
  | { readonly kind: 'spawned'; readonly pid: number }
  | { readonly kind: 'history'; readonly records: readonly JournalRecord[] }
  | { readonly kind: 'plan'; readonly plan: ReloadPlan };

/** One line of a `watch` stream. A gap names the first and the last missing sequence number. */
export type WatchLine =
  | { readonly kind: 'snapshot'; readonly seq: number; readonly status: StatusSnapshot }
  | { readonly kind: 'event'; readonly record: JournalRecord }
  | { readonly kind: 'gap'; readonly from: number; readonly to: number };

export type DecodedResponse = { readonly ok: true; readonly response: Response } | Refused;
export type DecodedWatchLine = { readonly ok: true; readonly line: WatchLine } | Refused;

/** What the first line of an answer means. Throws `ControlError`: an `Error` answer is one of kind `server`, no answer one of kind `not-available`. */
export function readAnswer(line: string, socketPath: string): Response {
  const text = line.trim();
  if (text === '') throw new ControlError('not-available', socketPath);
  const decoded = decodeResponse(text);
  if (!decoded.ok) throw new ControlError('serde', decoded.error);
  const { response } = decoded;
  if (response.kind === 'error') throw new ControlError('server', response.text, { units: response.units ?? [] });
  return response;
}

/** The message to a client that is answered before the order is carried out. */
export function acceptance(order: string): string {
  return `${order}${ACCEPTED}`;
}

export function isAcceptance(response: Response): boolean {
  return response.kind === 'message' && response.text.endsWith(ACCEPTED);
}

const ACCEPTED = ' accepted';

/** One line of an answer in. Never throws; `error` says what was found, what was expected and where. */
export function decodeResponse(line: string): DecodedResponse {
  const decoded = decode(line, responses);
  return decoded.ok ? { ok: true, response: decoded.value } : decoded;
}

/** One line of a `watch` stream in. Never throws. An `Error` answer is an error here, with its text. */
export function decodeWatchLine(line: string): DecodedWatchLine {
  const decoded = decode<WatchLine | string>(line, watchLines);
  if (!decoded.ok) return decoded;
  const { value } = decoded;
  return typeof value === 'string' ? { ok: false, error: value } : { ok: true, line: value };
}

/** The line of an answer, without its newline. Fractions are written as 0.33.0's 32-bit floats are. */
export function encodeResponse(response: Response): string {
  return withFloats(JSON.stringify(wireResponse(response)));
}

/** The line of a `watch` stream, without its newline. */
export function encodeWatchLine(line: WatchLine): string {
  const { kind, ...body } = line;
  switch (line.kind) {
    case 'snapshot': return withFloats(JSON.stringify({ Snapshot: body }));
    case 'event': return JSON.stringify({ Event: line.record });
    case 'gap': return JSON.stringify({ Gap: body });
  }
}

function wireResponse(response: Response): unknown {
  switch (response.kind) {
    case 'ok': return 'Ok';
    case 'message': return response.units === undefined ? { Message: response.text } : { Settled: { message: response.text, units: response.units } };
    case 'error': return response.units === undefined ? { Error: response.text } : { Settled: { error: response.text, units: response.units } };
    case 'status': return { Status: response.snapshot };
    case 'inspect': return { Inspect: response.payload };
    case 'spawned': return { Spawned: { pid: response.pid } };
    case 'history': return { History: response.records };
    case 'plan': return { Plan: response.plan };
  }
}

interface Refused {
  readonly ok: false;
  readonly error: string;
}

type Decoded<T> = { readonly ok: true; readonly value: T } | Refused;
type Variants<T> = ReadonlyMap<string, (body: unknown, at: string) => Decoded<T>>;

function variant<B, T>(shape: Shape<B>, make: (body: B) => T): (body: unknown, at: string) => Decoded<T> {
  return (body, at) => {
    const error = shape(body, at);
    return error === null ? { ok: true, value: make(body as B) } : { ok: false, error };
  };
}

const settled = record({ units: list<UnitSettlement>(unitSettlement) }, { message: string, error: string });
const nothing: Shape<null> = (body, at) => (body === null ? null : `${at}: expected no body`);

const responses: Variants<Response> = new Map([
  ['Ok', variant(nothing, (): Response => ({ kind: 'ok' }))],
  ['Message', variant(string, (text): Response => ({ kind: 'message', text }))],
  ['Error', variant(string, (text): Response => ({ kind: 'error', text }))],
  ['Settled', variant(settled, ({ message, error, units }): Response => (
    error === undefined ? { kind: 'message', text: message ?? '', units } : { kind: 'error', text: error, units }))],
  ['Status', variant(statusSnapshot, (snapshot): Response => ({ kind: 'status', snapshot }))],
  ['Inspect', variant(inspectPayload, ({ unit, samples }): Response => ({ kind: 'inspect', payload: { unit, samples: samples ?? [] } }))],
  ['Spawned', variant(record({ pid: count }), ({ pid }): Response => ({ kind: 'spawned', pid }))],
  ['History', variant(list<JournalRecord>(journalRecord), (records): Response => ({ kind: 'history', records }))],
  ['Plan', variant(reloadPlan, (plan): Response => ({ kind: 'plan', plan }))],
]);

const watchLines: Variants<WatchLine | string> = new Map([
  ['Error', variant<string, WatchLine | string>(string, (text) => text)],
  ['Snapshot', variant(record({ seq: count, status: statusSnapshot }), (body): WatchLine => ({ kind: 'snapshot', ...body }))],
  ['Event', variant(journalRecord, (body): WatchLine => ({ kind: 'event', record: body }))],
  ['Gap', variant(record({ from: count, to: count }), (body): WatchLine => ({ kind: 'gap', ...body }))],
]);

function decode<T>(line: string, variants: Variants<T>): Decoded<T> {
  // A bare `Failed` of a cron run, which 0.33.0 reads but never writes, is a failure without a reason.
  const tagged = readTagged(line.replace(BARE_FAILURE, '"status":{"Failed":"failed"}'));
  if (!tagged.ok) return tagged;
  const read = variants.get(tagged.tag);
  if (read === undefined) return { ok: false, error: `unknown variant \`${excerpt(tagged.tag)}\`, expected one of ${[...variants.keys()].join(', ')}` };
  return read(tagged.body, tagged.tag);
}

/** Inside a string the quotes of these patterns would be escaped, so they find keys only. */
const BARE_FAILURE = /"status"\s*:\s*"Failed"/g;
const FLOAT_KEY = /("(?:latest_|average_|max_)?cpu_percent":)(-?[0-9][0-9.eE+-]*)/g;

function withFloats(json: string): string {
  return json.replace(FLOAT_KEY, (_match, key: string, digits: string) => key + floatText(Number(digits)));
}

/** The shortest text that reads back as the same 32-bit float, with `.0` after whole numbers. */
function floatText(value: number): string {
  // Nearly all are 0, and the search below is slow.
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 24) return `${value}.0`;
  const rounded = Math.fround(value);
  let shortest = rounded;
  for (let digits = 6; digits <= 9; digits += 1) {
    shortest = Number(rounded.toPrecision(digits));
    if (Math.fround(shortest) === rounded) break;
  }
  return Number.isInteger(shortest) && Math.abs(shortest) < 1e16 ? `${shortest}.0` : String(shortest);
}
