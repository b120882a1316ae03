import type { InspectPayload, JournalRecord, ReloadPlan, StatusSnapshot } from './payloads.ts';

/** One request in decoded form; `null` is "not given". The first eight are systemg 0.33.0's, the rest ours. */
export type Request =
  | { readonly kind: 'start'; readonly service: string | null }
  | { readonly kind: 'stop'; readonly service: string | null }
  /** `wait` false: answered on acceptance instead of completion. */
  | { readonly kind: 'restart'; readonly config: string | null; readonly service: string | null; readonly wait: boolean }
  | { readonly kind: 'shutdown' }
  /** A new supervisor takes the place of this one; services go on. */
  | { readonly kind: 'handover' }
  | { readonly kind: 'status' }
  | { readonly kind: 'inspect'; readonly unit: string; readonly samples: number }
  | { readonly kind: 'logs'; readonly service: string | null; readonly lines: number; readonly logKind: string; readonly follow: boolean }
  | {
    readonly kind: 'spawn';
    readonly parentPid: number;
    readonly name: string;
    readonly command: readonly string[];
    /** Seconds. */
    readonly ttl: number | null;
    readonly logLevel: string | null;
  }
  /** `since`: a journal sequence number, exclusive. */
  | { readonly kind: 'history'; readonly unit: string | null; readonly limit: number; readonly since: number | null }
  | { readonly kind: 'watch'; readonly since: number | null; readonly units: readonly string[] | null }
  | { readonly kind: 'reload'; readonly config: string | null }
  | { readonly kind: 'plan'; readonly config: string | null }
  | { readonly kind: 'signal'; readonly unit: string; readonly signal: string };

/** One answer in decoded form. `logs` and `watch` are answered by a stream instead. */
export type Response =
  | { readonly kind: 'ok' }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
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
