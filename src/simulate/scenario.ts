import type { ProcessExit, SignalName } from '../../machines/types.ts';
import { choice, duration, integer, list, meaning, raw, signal, text, worded, type Kind } from '../config/kind.ts';
import { below, complain, complainExpected, entries, isNothing, type Place } from '../config/place.ts';
import { openSource, type ConfigProblem } from '../config/problem.ts';
import { exclusive, optional, record, required, withDefault } from '../config/record.ts';
import { commandVerbs, parseCommand, parseInstant, parseOffset, type ScenarioCommand, type ScenarioEvent } from './events.ts';

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

export interface Scenario {
  readonly startWallMs: number;
  /** Null: until nothing is pending, at most an hour. */
  readonly forMs: number | null;
  /** Of chance: the jitter of delays. */
  readonly seed: number;
  /** What is said of a unit; what is not said depends on the unit. */
  readonly services: ReadonlyMap<string, Partial<Behaviour>>;
  readonly events: readonly ScenarioEvent[];
}

export type ScenarioResult = { readonly ok: true; readonly scenario: Scenario } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export const emptyScenario: Scenario = { startWallMs: Date.UTC(2026, 0, 1), forMs: null, seed: 1, services: new Map(), events: [] };

/** Reads a scenario file; everything wrong with it is reported at once, with its place. */
export function readScenario(file: string, source: string): ScenarioResult {
  const { root, said } = openSource(file, [{ file, text: source }], () => undefined);
  const scenario = scenarioKind.read(root);
  const problems = said('problem');
  return scenario === undefined || problems.length > 0 ? { ok: false, problems } : { ok: true, scenario };
}

/** A text that is read by a function, or refused with what was expected. */
function parsed<T>(parse: (written: string) => T | null, type: string | readonly string[], expected: string, short = expected): Kind<T> {
  return worded((written) => {
    const value = parse(written);
    return value === null ? { ok: false, expected } : { ok: true, value };
  }, { type }, short);
}

const exitCode = integer(0, 255);
const instant = parsed(parseInstant, 'string', 'a time such as 2026-03-08T00:30:00-05:00');
const command = parsed<ScenarioCommand>(parseCommand, 'string', `a command: ${commandVerbs.join(', ')}, with the unit it is for`, 'a command');
const patience: Kind<number | 'never'> = {
  schema: { type: ['string', 'number'] },
  read: (place) => (place.node.kind === 'scalar' && place.node.text === 'never' ? 'never' : duration('zero').read(place)),
};

const behaviour: Kind<Partial<Behaviour>> = meaning(record({
  runs: optional(duration('zero'), 'From the start of a process until it ends by itself.'),
  exit: optional(exitCode, 'The exit code with which it ends.'),
  signal: optional(signal, 'The signal by which it ends, instead of an exit code.'),
  starts_in: optional(duration('zero'), 'From the start of a process until its check passes.'),
  stops_in: optional(patience, 'From the stop signal until it ends; `never`: it has to be killed.'),
  check_takes: optional(duration('zero'), 'How long one attempt of its check takes.'),
}, "'runs', 'exit', 'signal', 'starts_in', 'stops_in' and 'check_takes'"), (values, place) => {
  exclusive(place, ['exit', 'signal']);
  const exit = exitOf(values.exit, values.signal);
  return {
    ...(values.runs !== null && { runsMs: values.runs }), ...(exit !== null && { exit }), ...(values.starts_in !== null && { startsInMs: values.starts_in }),
    ...(values.stops_in !== null && { stopsInMs: values.stops_in === 'never' ? null : values.stops_in }),
    ...(values.check_takes !== null && { checkTakesMs: values.check_takes }),
  };
});

const WHAT = ['exit', 'signal', 'check', 'command'] as const;

function eventKind(startWallMs: number): Kind<ScenarioEvent> {
  const moment = parsed((written) => parseOffset(written, startWallMs), ['string', 'number'], 'an offset such as 3s, or a time such as 2026-03-08T00:30:00-05:00');
  return meaning(record({
    at: required(moment, 'Offset from the start, or an RFC 3339 time.'),
    unit: optional(text, 'Whose process.'),
    exit: optional(exitCode, 'The process ends with this exit code.'),
    signal: optional(signal, 'The process is ended by this signal.'),
    check: optional(choice(['fail', 'ok']), 'The check of the unit begins to fail, or to pass.'),
    command: optional(command, 'What a person types.'),
  }, "event keys: 'at' with one of 'exit', 'signal', 'check' and 'command'"), (values, place) => {
    exclusive(place, WHAT);
    const { unit, check, at: atMs } = values;
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
  });
}

const scenarioKind: Kind<Scenario> = meaning(record({
  start: withDefault(instant, 'The wall clock at the beginning.', emptyScenario.startWallMs),
  for: optional(duration('positive'), 'How long; default: until nothing is pending, at most an hour.'),
  seed: withDefault(integer(0, 2 ** 31 - 1), 'Of chance.', emptyScenario.seed),
  services: optional(raw({ type: 'object' }), 'How scripted processes behave by themselves.'),
  // Moments are offsets from the start, which is known when all keys are read.
  events: optional(list(raw({ type: 'object' }), 'a list of events'), 'What happens to them.'),
}, "'services' and 'events'"), ({ start, services, events, ...values }) => {
  const event = eventKind(start);
  return {
    startWallMs: start, forMs: values.for, seed: values.seed, services: readServices(services),
    events: (events ?? []).flatMap((place) => event.read(place) ?? []),
  };
});

function readServices(place: Place | null): ReadonlyMap<string, Partial<Behaviour>> {
  if (place !== null && place.node.kind !== 'map') complainExpected(place, 'a map from units to how they behave');
  const said = place === null ? [] : entries(place).filter(([, { node }]) => !isNothing(node));
  return new Map(said.map(([unit, each]) => [unit, behaviour.read(each) ?? {}]));
}

function exitOf(code: number | null, name: SignalName | null): ProcessExit | null {
  return code === null && name === null ? null : { code: name === null ? code : null, signal: name };
}
