import { refusals, type Result } from '../errors.ts';
import { parseEvent, type ScenarioEvent } from '../simulate/events.ts';
import { emptyScenario } from '../simulate/scenario.ts';
import { simulate, type Definitions, type Simulation } from '../simulate/simulate.ts';
import { count, list, record, string, type Shaped } from '../wire/shape.ts';
import { didYouMean, parseDuration } from '../words.ts';

/** What is to be rehearsed: events as on the command line, `api@3s=exit:1`, and for how long, `1m`. */
export const rehearsal = record({}, { events: list(string), for: string, seed: count });

export interface Rehearsal extends Shaped<typeof rehearsal> {}

/** The server answers other requests too: a storm is given up early. */
const MOST_CHANGES = 20_000;
const MOST_EVENTS = 200;

/** The machines on a virtual clock with the configuration as it is now, and of the services with profiles those that are `present`. Nothing is started. */
export function rehearse({ specs, profiles }: Definitions, present: ReadonlySet<string>, wish: Rehearsal): Result<{ readonly simulation: Simulation }> {
  const events: ScenarioEvent[] = [];
  const texts = wish.events ?? [];
  if (texts.length > MOST_EVENTS) return usage(`events: expected at most ${MOST_EVENTS}, got ${texts.length}`);
  const names = specs.map(({ name }) => name);
  for (const text of texts) {
    const parsed = parseEvent(text, emptyScenario.startWallMs);
    if (!parsed.ok) return usage(`events: ${parsed.problem}`);
    const { event } = parsed;
    if (event.kind === 'command' && event.command.file !== null)
      return usage('events: a rehearsal in the page reads no other file: expected reload without one');
    const unit = event.kind === 'command' ? event.command.unit : event.unit;
    if (unit !== null && !names.includes(unit)) return usage(`events: '${unit}' is no unit of this configuration${didYouMean(unit, names)}`);
    events.push(event);
  }
  const duration = wish.for === undefined ? null : parseDuration(wish.for);
  if (duration?.ok === false) return usage(`for: expected ${duration.expected}, got "${wish.for}"`);
  const inOrder = events.toSorted((one, other) => one.atMs - other.atMs);
  const scenario = { ...emptyScenario, seed: (wish.seed ?? 1) % 2 ** 31, forMs: duration?.value ?? null, events: inOrder };
  const chosen = { profiles: [], names: present };
  return { ok: true, simulation: simulate({ specs, ...(profiles !== undefined && { profiles }), chosen, scenario, mostChanges: MOST_CHANGES }) };
}

function usage(message: string): Result<never> {
  return { ok: false, refusal: refusals.usage(message) };
}
