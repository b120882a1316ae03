import { boolean, count, list, string, type Shape } from './shape.ts';

/** One request in decoded form; `null` is "not given". A flag that is left out has its usual value. */
export type Request = { [K in keyof typeof REQUESTS]: Decoded<K, (typeof REQUESTS)[K]> }[keyof typeof REQUESTS];
export type RequestOf<K extends Request['kind']> = Extract<Request, { readonly kind: K }>;

/** The line of a request, without its newline: every field, `null` for none, in 0.33.0's order; a flag only when it is unusual. */
export function encodeRequest(request: Request): string {
  const { variant, fields, flags }: Variant = REQUESTS[request.kind];
  const given: Readonly<Record<string, unknown>> = request;
  const entries = [
    ...Object.entries(fields).map(([key, { wire }]) => [wire ?? key, given[key] ?? null]),
    ...Object.entries(flags).filter(([key, usual]) => (given[key] ?? usual) !== usual).map(([key]) => [key, given[key]]),
  ];
  return JSON.stringify(entries.length === 0 ? variant : { [variant]: Object.fromEntries(entries) });
}

export interface Field<T> {
  readonly shape: Shape<T>;
  /** May be `null`, or missing. */
  readonly isOptional: boolean;
  /** Its name on the wire; `null`: the one it has here. */
  readonly wire: string | null;
}

export interface Variant {
  readonly variant: string;
  /** In the order in which an array may hold them. No fields: the variant travels as its bare name. */
  readonly fields: Readonly<Record<string, Field<unknown>>>;
  /** Ours, with their usual values. A server that does not know them ignores them; unusual ones only are written, so that a usual line is 0.33.0's. */
  readonly flags: Readonly<Record<string, boolean>>;
}

type Decoded<K extends string, V extends Variant> = { readonly kind: K }
  & { readonly [F in keyof V['fields']]: V['fields'][F] extends Field<infer T> ? T : never }
  & { readonly [F in keyof V['flags']]?: boolean };

const text: Shape<string> = (value, at) => string(value, at) ?? (LONE_SURROGATE.test(String(value)) ? `${at}: expected a string without lone surrogates` : null);
const u32: Shape<number> = (value, at) => count(value, at) ?? (Number(value) > 0xffff_ffff ? `${at}: expected a number below 2^32, found ${String(value)}` : null);
const LONE_SURROGATE = /\p{Surrogate}/u;

function needed<T>(shape: Shape<T>, wire: string | null = null): Field<T> {
  return { shape, isOptional: false, wire };
}

function optional<T>(shape: Shape<T>, wire: string | null = null): Field<T | null> {
  return { shape: (value, at) => (value === null ? null : shape(value, at)), isOptional: true, wire };
}

function variant<F extends Variant['fields'], G extends Variant['flags']>(name: string, fields: F, flags: G): { variant: string; fields: F; flags: G } {
  return { variant: name, fields, flags };
}

/** Every request there is, in the order in which they are listed to a client that sends another: 0.33.0's, then ours. */
export const REQUESTS = {
  // `settlements`: the answer names how each unit fared beside the sentence.
  start: variant('Start', { service: optional(text) }, { settlements: false }),
  // `forget`: the unit was added from the command line, and is to be removed when it has stopped. `notes`: the sentence says who goes on without it.
  stop: variant('Stop', { service: optional(text) }, { settlements: false, forget: false, notes: false }),
  // `wait` false: answered on acceptance instead of completion. `all`: a restart of everything also runs again what has completed; `notes`: the
  // sentence says what was left out for that.
  restart: variant('Restart', { config: optional(text), service: optional(text) }, { wait: true, settlements: false, all: false, notes: false }),
  shutdown: variant('Shutdown', {}, {}),
  status: variant('Status', {}, {}),
  inspect: variant('Inspect', { unit: needed(text), samples: needed(u32) }, {}),
  logs: variant('Logs', { service: optional(text), lines: needed(count), logKind: needed(text, 'kind'), follow: needed(boolean) }, {}),
  spawn: variant('Spawn', {
    parentPid: needed(u32, 'parent_pid'), name: needed(text), command: needed(list(text)),
    /** Seconds. */
    ttl: optional(count),
    logLevel: optional(text, 'log_level'),
  }, {}),
  // `since`: a journal sequence number, exclusive.
  history: variant('History', { unit: optional(text), limit: needed(u32), since: optional(count) }, {}),
  watch: variant('Watch', { since: optional(count), units: optional(list(text)) }, {}),
  reload: variant('Reload', { config: optional(text) }, {}),
  plan: variant('Plan', { config: optional(text) }, {}),
  signal: variant('Signal', { unit: needed(text), signal: needed(text) }, {}),
  // As Status, with secrets as they are.
  reveal: variant('Reveal', {}, {}),
  // A command becomes a unit beside the others, and runs in `directory`; a unit that is the same is started.
  add: variant('Add', { name: needed(text), command: needed(list(text)), directory: needed(text) }, { settlements: false }),
  // A new supervisor takes the place of this one; services go on.
  handover: variant('Handover', {}, {}),
} as const;
