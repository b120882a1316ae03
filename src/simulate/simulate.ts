import { createActor, fromCallback, type Actor } from 'xstate';
import { hasEnded, provideSupervisor, supervisorMachine } from '../../machines/supervisor.ts';
import { isAnnounced, type Phase, type ServiceSpec, type SupervisorFact, type UnitFacts } from '../../machines/types.ts';
import { isDone, viewAll } from '../../machines/view.ts';
import type { JournalRecord } from '../wire/payloads.ts';
import type { LoadedConfig } from '../config/load.ts';
import { chosenServices, type Chosen } from '../config/profiles.ts';
import { openSchedule } from '../cron/schedule.ts';
import type { Journal } from '../journal/journal.ts';
import { makeScribe } from '../journal/scribe.ts';
import { createVirtualClock } from './clock.ts';
import { describeEvent, type ScenarioCommand, type ScenarioEvent } from './events.ts';
import { openTally, type Tally, type UnitOutcome } from './outcome.ts';
import { policyWarnings } from './policy-warnings.ts';
import type { Scenario } from './scenario.ts';
import { openScript } from './script.ts';

/** What a file says. */
export interface Definitions {
  readonly specs: readonly ServiceSpec[];
  /** By service, of those that have some. */
  readonly profiles?: LoadedConfig['profiles'];
}

export interface SimulationInput extends Definitions {
  readonly scenario: Scenario;
  /** What a `reload FILE` of the scenario finds; the file that is simulated is not among them. */
  readonly files?: ReadonlyMap<string, Definitions>;
  /** Which services with profiles there are from the beginning; without it none. */
  readonly chosen?: Chosen;
  /** Changes of all units together after which it is given up; default two million. */
  readonly mostChanges?: number;
}

/** A change of phase, for people; the records have every state between. */
export interface Step {
  readonly atMs: number;
  readonly unit: string;
  readonly from: Phase;
  readonly to: Phase;
  readonly facts: UnitFacts;
}

export interface Simulation {
  readonly startWallMs: number;
  /** How far it got. */
  readonly lastedMs: number;
  readonly endedBy: 'quiet' | 'time' | 'supervisor' | 'storm';
  /** Of the supervisor, when it ended itself. */
  readonly exitCode: number | null;
  /** As the journal of a real supervisor would have them. */
  readonly records: readonly JournalRecord[];
  readonly steps: readonly Step[];
  readonly units: ReadonlyMap<string, UnitOutcome>;
  readonly warnings: readonly string[];
}

const LONGEST_MS = 3_600_000;
const MOST_CHANGES = 2_000_000;

/**
 * What would happen: the machines, the clock and the journal of the real supervisor, with time that passes at once and
 * processes that follow a script. The same input has the same result.
 */
export function simulate({ scenario, files = new Map(), chosen, mostChanges = MOST_CHANGES, ...main }: SimulationInput): Simulation {
  const { startWallMs } = scenario;
  const names = new Set(chosen?.names);
  const inForce = ({ specs: services, profiles = {} }: Definitions): readonly ServiceSpec[] => chosenServices({ services, profiles }, { profiles: chosen?.profiles ?? [], names });
  let current: Definitions = main;
  const specs = inForce(main);
  const clock = createVirtualClock();
  const wallNow = (): number => startWallMs + clock.now();
  const script = openScript(clock, scenario.services);
  const journal = openMemoryJournal();
  const specNamed = (unit: string): ServiceSpec | undefined => root.getSnapshot().context.units.get(unit)?.spec;
  const scribe = makeScribe({ journal, wallNow, now: clock.now, lastWords: () => [], maxRestarts: (unit) => specNamed(unit)?.restart.maxRestarts ?? null });
  const warnings: string[] = [...policyWarnings(specs)];
  const root = createActor(provideSupervisor({
    clock, process: script.process, probe: script.probe, schedule: openSchedule({ clock, wallNow, lastRunWallMs: () => null }),
    // Hooks take no time and always succeed: what they do is not the supervisor's to foresee.
    hooks: { queue: (_runs, target) => void clock.at(clock.now(), () => target.send({ type: 'hooks.idle', at: clock.now() })) },
    // Gates pass and switches succeed at once; what can fail is the candidate itself.
    rolloutTask: fromCallback(({ input: { task }, sendBack }) => clock.at(clock.now(), () => sendBack({ type: 'task.done', task, at: clock.now() }))),
    tickets: { settle: () => undefined },
    ledger: { record: () => undefined, forget: () => undefined }, children: { recordChild: () => undefined, forgetChild: () => undefined },
    switches: { recordSwitch: () => undefined, forgetSwitch: () => undefined },
    runs: { began: () => undefined, running: () => undefined, ended: () => undefined, overlapped: () => undefined },
    lookup: (unit, target) => target.send({ type: 'recovered', at: clock.now(), unit, adopt: null }),
  }), { input: { specs, tokenSeed: 'simulated', seed: scenario.seed, at: clock.now() } });

  const tallies = new Map<string, Tally>(specs.map((spec) => [spec.name, openTally(spec)]));
  const phases = new Map<string, Phase>();
  const steps: Step[] = [];
  let changes = 0;
  let ending: number | null = null;
  const follow = (fact: SupervisorFact): void => {
    scribe.fact(fact);
    if (fact.type === 'unit.crashed') warnings.push(`the actor of '${fact.unit}' failed: ${fact.error.split('\n')[0] ?? ''}`);
    if (fact.type === 'supervisor.ending') ending = fact.exitCode;
    if (fact.type !== 'unit.changed' || fact.facts.place !== 'current') return;
    changes += 1;
    const { facts } = fact;
    const from = phases.get(facts.unit) ?? 'stopped';
    phases.set(facts.unit, facts.phase);
    tallies.get(facts.unit)?.follow(facts);
    if (from !== facts.phase) steps.push({ atMs: facts.at, unit: facts.unit, from, to: facts.phase, facts });
  };
  root.on('*', follow);
  root.start();

  const play = (event: ScenarioEvent): string | null => {
    if (event.kind === 'exit') return script.end(event.unit, event.exit) ? null : `no process of '${event.unit}' runs at that time (${phases.get(event.unit) ?? 'stopped'})`;
    if (event.kind === 'command') {
      const { verb, unit, file } = event.command;
      if (verb === 'reload') current = files.get(file ?? '') ?? main;
      const isSummoned = verb === 'start' && unit !== null && specNamed(unit) === undefined;
      if (isSummoned) names.add(unit);
      const next = inForce(current);
      for (const spec of next) if (!tallies.has(spec.name)) tallies.set(spec.name, openTally(spec));
      // As the supervisor takes a service up that its profiles have left out until then.
      order(root, isSummoned ? { verb: 'reload', unit: null, file: null } : event.command, { at: clock.now(), specs: next });
      return null;
    }
    script.setCheck(event.unit, event.passes);
    const check = specNamed(event.unit)?.check ?? null;
    if (check === null) return `'${event.unit}' has no check`;
    return isAnnounced(check.probe) && phases.get(event.unit) === 'running' ? `a check of this kind speaks once, and '${event.unit}' is ready` : null;
  };
  for (const event of scenario.events) {
    clock.at(event.atMs, () => {
      const problem = play(event);
      if (problem !== null) warnings.push(`${describeEvent(event)}: ${problem}`);
    });
  }
  root.send({ type: 'boot', at: 0, adopt: [], start: specs.map(({ name }) => name) });

  const limitMs = scenario.forMs ?? LONGEST_MS;
  while (!hasEnded(root.getSnapshot()) && clock.nextAt !== null && clock.nextAt <= limitMs && changes < mostChanges) clock.step();
  const endedBy = hasEnded(root.getSnapshot()) ? 'supervisor' : changes >= mostChanges ? 'storm' : clock.nextAt === null ? 'quiet' : 'time';
  const lastedMs = endedBy === 'time' || (endedBy === 'quiet' && scenario.forMs !== null) ? limitMs : clock.now();
  if (endedBy === 'storm') warnings.push(`given up after ${changes} changes in ${lastedMs / 1000} s of simulated time: units change without end`);
  const missed = scenario.events.filter(({ atMs }) => atMs > lastedMs);
  for (const event of missed) warnings.push(`${describeEvent(event)}: is after the end of the simulation`);
  return {
    startWallMs, lastedMs, endedBy, exitCode: endedBy === 'supervisor' ? ending : null, records: journal.records, steps,
    units: new Map([...tallies].map(([name, tally]) => [name, tally.outcome(lastedMs)])), warnings,
  };
}

function order(root: Actor<typeof supervisorMachine>, { verb, unit }: ScenarioCommand, { at, specs }: { readonly at: number; readonly specs: readonly ServiceSpec[] }): void {
  if (verb === 'reload') return root.send({ type: 'reload', at, specs });
  const { units } = root.getSnapshot().context;
  const services = [...units.values()].filter(({ spec }) => spec.cron === null).map(({ name }) => name);
  if (verb === 'stop') return root.send({ type: 'stop', at, ticket: null, units: unit === null ? [...units.keys()] : [unit] });
  if (verb === 'start') return root.send({ type: 'start', at, ticket: null, units: unit === null ? services : [unit] });
  const wanted = viewAll(root.getSnapshot()).filter((view) => view.wanted === 'up' && view.spec.cron === null && !isDone(view, view.spec)).map(({ spec }) => spec.name);
  root.send({ type: 'restart', at, ticket: null, units: unit === null ? wanted : [unit], specs: null });
}

function openMemoryJournal(): Pick<Journal, 'append' | 'lastOf'> & { readonly records: JournalRecord[] } {
  const records: JournalRecord[] = [];
  const newest = new Map<string, number>();
  return {
    records,
    append: (draft) => {
      const record = { seq: records.length + 1, ...draft };
      records.push(record);
      if (record.unit !== null && record.to !== undefined) newest.set(record.unit, record.seq);
      return record;
    },
    lastOf: (unit) => newest.get(unit) ?? null,
  };
}
