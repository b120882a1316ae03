import type { ProcessExit, SignalName } from '../../machines/types.ts';
import { choice, duration, integer, list, raw, worded, type Kind } from '../config/kind.ts';
import { openSource, type ConfigProblem } from '../config/problem.ts';
import { below, complain, complainExpected, inside, isNothing, type Place } from '../config/place.ts';
import { exclusive, optional, readKeys, record, required, withDefault, complainUnknown, type Values } from '../config/record.ts';
import { signal } from '../config/kind.ts';
import { type Parsed, parseDuration } from '../words.ts';
import { commandVerbs, parseCommand, type ScenarioCommand } from './command.ts';

/** How the scripted processes of one unit behave by themselves. */
export interface Behaviour {
  /** From the start of a process until it ends by itself; null: it runs until it is ended. */
  readonly runsMs: number | null;
  readonly exit: ProcessExit;
  /** From the start of a process until its check passes. */
  readonly startsInMs: number;
  /** From the stop signal until it ends; null: it ignores the signal and has to be killed. */
  readonly stopsInMs: number | null;
  /** How long one attempt of its check takes. */
  readonly checkTakesMs: number;
}

/** What a scenario says of a unit; what it does not say depends on the unit. */
export type PartialBehaviour = { readonly [Key in keyof Behaviour]: Behaviour[Key] | 'unsaid' };

/** Something that happens at a moment, `atMs` after the start. */
export type ScenarioEvent =
  | { readonly kind: 'exit'; readonly atMs: number; readonly unit: string; readonly exit: ProcessExit }
  | { readonly kind: 'check'; readonly atMs: number; readonly unit: string; readonly passes: boolean }
  | { readonly kind: 'command'; readonly atMs: number; readonly command: ScenarioCommand };

export interface Scenario {
  readonly startWallMs: number;
  /** Null: until nothing is pending, at most an hour. */
  readonly forMs: number | null;
  /** Of chance: the jitter of delays. */
  readonly seed: number;
  readonly services: ReadonlyMap<string, PartialBehaviour>;
  readonly events: readonly ScenarioEvent[];
}

export type ScenarioResult = { readonly ok: true; readonly scenario: Scenario } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export const emptyScenario: Scenario = { startWallMs: Date.UTC(2026, 0, 1), forMs: null, seed: 1, services: new Map(), events: [] };

/** Reads a scenario file; everything wrong with it is reported at once, with its place. */
export function readScenario(file: string, text: string): ScenarioResult {
  const { root, said } = openSource(file, text, () => undefined);
  const scenario = resolve(root);
  const problems = said('problem');
  return scenario === undefined || problems.length > 0 ? { ok: false, problems } : { ok: true, scenario };
}

/** An RFC 3339 instant in milliseconds since 1970, or null. */
export function parseInstant(text: string): number | null {
  return /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? orNull(Date.parse(text.replace(' ', 'T'))) : null;
}

const instantForm = 'a time such as 2026-03-08T00:30:00-05:00';
const instant: Kind<number> = worded((text) => {
  const wallMs = parseInstant(text);
  return wallMs === null ? { ok: false, expected: instantForm } : { ok: true, value: wallMs };
}, { type: 'string' }, instantForm);

/** An offset from the start, or a time; told apart when the start is known. */
type Moment = { readonly afterMs: number } | { readonly wallMs: number };
const momentForm = 'an offset such as 3s, or a time such as 2026-03-08T00:30:00-05:00';
const moment: Kind<Moment> = worded((text): Parsed<Moment> => {
  const offset = parseDuration(text);
  if (offset.ok) return { ok: true, value: { afterMs: offset.value } };
  const wallMs = parseInstant(text);
  return wallMs === null ? { ok: false, expected: momentForm } : { ok: true, value: { wallMs } };
}, { type: ['string', 'number'] }, momentForm);

const exitCode = integer(0, 255);
const patience: Kind<number | 'never'> = {
  schema: { type: ['string', 'number'] },
  read: (place) => (place.node.kind === 'scalar' && place.node.text === 'never' ? 'never' : duration('zero').read(place)),
};
const command: Kind<ScenarioCommand> = worded((text) => {
  const parsed = parseCommand(text);
  return parsed === null ? { ok: false, expected: `a command: ${commandVerbs.join(', ')}, with the unit it is for` } : { ok: true, value: parsed };
}, { type: 'string' }, 'a command');

const behaviourKeys = {
  runs: optional(duration('zero'), 'From the start of a process until it ends by itself.'),
  exit: optional(exitCode, 'The exit code with which it ends.'),
  signal: optional(signal, 'The signal by which it ends, instead of an exit code.'),
  starts_in: optional(duration('zero'), 'From the start of a process until its check passes.'),
  stops_in: optional(patience, 'From the stop signal until it ends; `never`: it has to be killed.'),
  check_takes: optional(duration('zero'), 'How long one attempt of its check takes.'),
};

const eventKeys = {
  at: required(moment, 'Offset from the start, or an RFC 3339 time.'),
  unit: optional(worded((text) => ({ ok: true, value: text }), { type: 'string' }), 'Whose process.'),
  exit: optional(exitCode, 'It ends with this exit code.'),
  signal: optional(signal, 'It is ended by this signal.'),
  check: optional(choice(['fail', 'ok']), 'Its check begins to fail, or to pass.'),
  command: optional(command, 'What a person types.'),
};
const eventRecord = record(eventKeys, "event keys: 'at' with one of 'exit', 'signal', 'check' and 'command'");

const rootKeys = {
  start: withDefault(instant, 'The wall clock at the beginning.', emptyScenario.startWallMs),
  for: optional(duration('positive'), 'How long; default: until nothing is pending, at most an hour.'),
  seed: withDefault(integer(0, 2 ** 31 - 1), 'Of chance.', emptyScenario.seed),
  services: optional(raw({ type: 'object' }), 'How scripted processes behave by themselves.'),
  events: optional(list(raw({ type: 'object' }), 'a list of events'), 'What happens to them.'),
};

function resolve(root: Place): Scenario | undefined {
  if (root.node.kind !== 'map') {
    complainExpected(root, "a map with 'services' and 'events'");
    return undefined;
  }
  complainUnknown(root, Object.keys(rootKeys));
  const values = readKeys(root, rootKeys);
  if (values === undefined) return undefined;
  const events = (values.events ?? []).flatMap((place) => {
    const event = readEvent(place, values.start);
    return event === undefined ? [] : [event];
  });
  return { startWallMs: values.start, forMs: values.for, seed: values.seed, services: readServices(values.services), events };
}

function readServices(place: Place | null): ReadonlyMap<string, PartialBehaviour> {
  const services = new Map<string, PartialBehaviour>();
  if (place === null) return services;
  if (place.node.kind !== 'map') {
    complainExpected(place, 'a map from units to how they behave');
    return services;
  }
  for (const entry of place.node.entries) {
    const each = inside(place, entry);
    if (isNothing(each.node)) continue;
    const values = record(behaviourKeys, "'runs', 'exit', 'signal', 'starts_in', 'stops_in' and 'check_takes'").read(each);
    exclusive(each, ['exit', 'signal']);
    if (values !== undefined) services.set(entry.key, behaviourOf(values));
  }
  return services;
}

function behaviourOf(values: Values<typeof behaviourKeys>): PartialBehaviour {
  return {
    runsMs: values.runs ?? 'unsaid', exit: exitOf(values.exit, values.signal) ?? 'unsaid', startsInMs: values.starts_in ?? 'unsaid',
    stopsInMs: values.stops_in === 'never' ? null : (values.stops_in ?? 'unsaid'), checkTakesMs: values.check_takes ?? 'unsaid',
  };
}

const WHAT = ['exit', 'signal', 'check', 'command'] as const;

function readEvent(place: Place, startWallMs: number): ScenarioEvent | undefined {
  const values = eventRecord.read(place);
  if (values === undefined) return undefined;
  exclusive(place, WHAT);
  const { unit, check, at } = values;
  const atMs = 'afterMs' in at ? at.afterMs : at.wallMs - startWallMs;
  if (atMs < 0) return void complain(place, 'is before the start');
  if (values.command !== null) {
    if (unit !== null) complain(place, "'unit' belongs into the command: {at: 6s, command: \"restart api\"}");
    return { kind: 'command', atMs, command: values.command };
  }
  const exit = exitOf(values.exit, values.signal);
  if (exit === null && check === null) {
    // One that could not be read was complained about where it stands.
    if (WHAT.every((key) => below(place, key) === null)) complain(place, "expected one of 'exit', 'signal', 'check' and 'command'");
    return undefined;
  }
  if (unit === null) return void complain(place, "expected 'unit': whose process it happens to");
  return exit === null ? { kind: 'check', atMs, unit, passes: check === 'ok' } : { kind: 'exit', atMs, unit, exit };
}

function exitOf(code: number | null, name: SignalName | null): ProcessExit | null {
  return code === null && name === null ? null : { code: name === null ? code : null, signal: name };
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
