import type { CronExecutionSummary, InspectPayload, JournalRecord, ReloadPlan, StatusSnapshot, UnitStatus } from './payloads.ts';
import { count, isRecord, list, record, string, type Shape } from './payload-shape.ts';
import { inspectPayload, journalRecord, reloadPlan, statusSnapshot } from './payload-shapes.ts';
import type { Response, WatchLine } from './protocol.ts';

export type DecodedResponse = { readonly ok: true; readonly response: Response } | { readonly ok: false; readonly error: string };
export type DecodedWatchLine = { readonly ok: true; readonly line: WatchLine } | { readonly ok: false; readonly error: string };

/** One line of an answer in. Never throws; `error` says what was found, what was expected and where. */
export function decodeResponse(line: string): DecodedResponse {
  const tagged = readTagged(line);
  if (!tagged.ok) return tagged;
  const { tag, body } = tagged;
  if (tag === 'Ok' && body === null) return { ok: true, response: { kind: 'ok' } };
  return decodeVariant(responses, tag, body, (response) => ({ ok: true, response }));
}

/** One line of a `watch` stream in. Never throws. An `Error` answer is an error here, with its text. */
export function decodeWatchLine(line: string): DecodedWatchLine {
  const tagged = readTagged(line);
  if (!tagged.ok) return tagged;
  const { tag, body } = tagged;
  if (tag === 'Error' && typeof body === 'string') return { ok: false, error: body };
  return decodeVariant(watchLines, tag, body, (watchLine) => ({ ok: true, line: watchLine }));
}

interface Variant<T> {
  readonly shape: Shape;
  /** Called with a body of that shape only. */
  readonly make: (body: unknown) => T;
}

const responses = new Map<string, Variant<Response>>([
  ['Message', { shape: string, make: (body) => ({ kind: 'message', text: body as string }) }],
  ['Error', { shape: string, make: (body) => ({ kind: 'error', text: body as string }) }],
  ['Status', { shape: statusSnapshot, make: (body) => ({ kind: 'status', snapshot: withPlainRuns(body as StatusSnapshot) }) }],
  ['Inspect', { shape: inspectPayload, make: (body) => ({ kind: 'inspect', payload: completeInspect(body as Partial<InspectPayload>) }) }],
  ['Spawned', { shape: record({ pid: count }), make: (body) => ({ kind: 'spawned', pid: (body as { pid: number }).pid }) }],
  ['History', { shape: list(journalRecord), make: (body) => ({ kind: 'history', records: body as JournalRecord[] }) }],
  ['Plan', { shape: reloadPlan, make: (body) => ({ kind: 'plan', plan: body as ReloadPlan }) }],
]);

const watchLines = new Map<string, Variant<WatchLine>>([
  ['Snapshot', {
    shape: record({ seq: count, status: statusSnapshot }),
    make: (body) => {
      const { seq, status } = body as { seq: number; status: StatusSnapshot };
      return { kind: 'snapshot', seq, status: withPlainRuns(status) };
    },
  }],
  ['Event', { shape: journalRecord, make: (body) => ({ kind: 'event', record: body as JournalRecord }) }],
  ['Gap', { shape: record({ from: count, to: count }), make: (body) => ({ kind: 'gap', ...(body as { from: number; to: number }) }) }],
]);

type Tagged = { readonly ok: true; readonly tag: string; readonly body: unknown } | { readonly ok: false; readonly error: string };

function readTagged(line: string): Tagged {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return { ok: false, error: `not JSON: ${error.message}` };
    throw error;
  }
  if (typeof value === 'string') return { ok: true, tag: value, body: null };
  const [entry, ...rest] = isRecord(value) ? Object.entries(value) : [];
  if (entry === undefined || rest.length > 0) return { ok: false, error: `expected a variant name or an object with one key, found ${excerpt(line)}` };
  return { ok: true, tag: entry[0], body: entry[1] };
}

function decodeVariant<T, R>(
  variants: ReadonlyMap<string, Variant<T>>, tag: string, body: unknown, accept: (decoded: T) => R,
): R | { readonly ok: false; readonly error: string } {
  const variant = variants.get(tag);
  if (variant === undefined) {
    return { ok: false, error: `unknown variant \`${excerpt(tag)}\`, expected one of ${[...variants.keys()].join(', ')}` };
  }
  const problem = variant.shape(body, tag);
  return problem === null ? accept(variant.make(body)) : { ok: false, error: problem };
}

function completeInspect(payload: Partial<InspectPayload>): InspectPayload {
  const unit = payload.unit ?? null;
  return { unit: unit === null ? null : withPlainRunsOf(unit), samples: payload.samples ?? [] };
}

function withPlainRuns(snapshot: StatusSnapshot): StatusSnapshot {
  return { ...snapshot, units: snapshot.units.map(withPlainRunsOf) };
}

/** A bare `Failed`, which 0.33.0 reads but never writes, becomes a failure with the reason `failed`. */
function withPlainRunsOf(unit: UnitStatus): UnitStatus {
  if (unit.cron === undefined) return unit;
  const { last_run: last, recent_runs: recent } = unit.cron;
  return {
    ...unit,
    cron: { ...unit.cron, ...(last && { last_run: withReason(last) }), ...(recent && { recent_runs: recent.map(withReason) }) },
  };
}

function withReason(run: CronExecutionSummary): CronExecutionSummary {
  const status: string | object | undefined = run.status;
  return status === 'Failed' ? { ...run, status: { Failed: 'failed' } } : run;
}

function excerpt(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
