import { createActor, fromCallback, type StateValue } from 'xstate';
import { leafOf, type ServiceContext } from '../../machines/service-facts.ts';
import { provideSupervisor } from '../../machines/supervisor.ts';
import { rolloutTaskPort, type ProcessInput } from '../../machines/ports.ts';
import type { ProcessOrder, ProcessReport, ServiceSpec, UnitFacts, UnitRecord } from '../../machines/types.ts';
import { createVirtualClock } from '../../src/simulate/clock.ts';
import type { ScenarioCommand } from '../../src/simulate/events.ts';
import type { Scenario } from '../../src/simulate/scenario.ts';
import { openScript } from '../../src/simulate/script.ts';
import type { NamedContext } from './nodes.ts';
import { isMet } from './system-watch.ts';

export interface Walk {
  /** What must not be and was. */
  readonly problems: readonly string[];
  /** Changes of phase, `3000 api running → stopping`. */
  readonly steps: readonly string[];
  readonly transitions: number;
}

type Callback = (args: { readonly input: ProcessInput; readonly sendBack: (report: ProcessReport) => void; readonly receive: (listener: (order: ProcessOrder) => void) => void }) => (() => void) | undefined;

/** The supervisor that runs, on virtual time with scripted processes, and an observer of everything it does. */
export function walk(specs: readonly ServiceSpec[], scenario: Scenario): Walk {
  const clock = createVirtualClock();
  const script = openScript(clock, scenario.services);
  const problems: string[] = [];
  const steps: string[] = [];
  const living = new Map<string, number>();
  const records = new Map<string, UnitRecord>();
  const owed = new Set<string>();
  const up = new Set<string>();
  const phases = new Map<string, string>();
  const inARow = new Map<string, number>();
  let transitions = 0;
  let tickets = 0;
  const wrong = (text: string): void => void problems.push(`${clock.now()} ms: ${text}`);
  const inner = (script.process as unknown as { readonly config: Callback }).config;
  const process = fromCallback<ProcessOrder, ProcessInput>(({ input, sendBack, receive, ...rest }) => {
    const { spec: { name, dependsOn }, generation } = input;
    if (living.has(name)) wrong(`${name} has process ${generation} beside process ${living.get(name)}`);
    living.set(name, generation);
    if (records.get(name)?.process?.generation !== generation) wrong(`process ${generation} of ${name} is not in the ledger`);
    for (const edge of dependsOn) {
      const dependency = contextOf(edge.service);
      if (dependency !== null && !isMet(edge, dependency)) wrong(`${name} was started before ${edge.service} was there`);
    }
    return inner({
      ...rest, input, receive, sendBack: (report) => {
        if (report.type === 'process.gone' || report.type === 'process.refused') living.delete(name);
        sendBack(report);
      },
    });
  });
  const root = createActor(provideSupervisor({
    clock, process, probe: script.probe, schedule: { watch: () => undefined, unwatch: () => undefined },
    hooks: { queue: (_runs, target) => void clock.at(clock.now(), () => target.send({ type: 'hooks.idle', at: clock.now() })) },
    tickets: { settle: ({ ticket, unit }) => { if (!owed.delete(`${ticket} ${unit}`)) wrong(`ticket ${ticket} of ${unit} was answered twice`); } },
    ledger: { record: (record) => void records.set(record.unit, record), forget: (unit) => void records.delete(unit) },
    runs: { began: () => undefined, running: () => undefined, ended: () => undefined, overlapped: () => undefined },
    children: { recordChild: () => undefined, forgetChild: () => undefined }, switches: { recordSwitch: () => undefined, forgetSwitch: () => undefined },
    rolloutTask: rolloutTaskPort, lookup: (unit) => wrong(`the actor of ${unit} failed`),
  }), { input: { specs, tokenSeed: 'simulated', seed: scenario.seed, at: clock.now() } });
  const contextOf = (unit: string): NamedContext | null => {
    const snapshot = root.getSnapshot().context.units.get(unit)?.ref?.getSnapshot() as { readonly context: ServiceContext; readonly value: StateValue } | undefined;
    return snapshot === undefined ? null : { ...snapshot.context, leaf: leafOf(snapshot.value) };
  };

  root.on('unit.changed', ({ facts }) => {
    transitions += 1;
    const from = phases.get(facts.unit) ?? 'stopped';
    phases.set(facts.unit, facts.phase);
    if (from !== facts.phase) steps.push(`${facts.at} ${facts.unit} ${from} → ${facts.phase}`);
    keepBudget(facts);
  });
  const limits = new Map(specs.map(({ name, restart }) => [name, restart.maxRestarts ?? Infinity]));
  const keepBudget = ({ unit, state, event, failures }: UnitFacts): void => {
    if (failures === 0) inARow.set(unit, 0);
    if (event === 'deadline.backoff' && state !== 'backoff' && failures > 0) inARow.set(unit, (inARow.get(unit) ?? 0) + 1);
    if ((inARow.get(unit) ?? 0) > (limits.get(unit) ?? 0)) wrong(`${unit} was restarted ${inARow.get(unit)} times in a row`);
  };
  root.start();

  const all = specs.map(({ name }) => name);
  const order = ({ verb, unit }: ScenarioCommand): void => {
    const at = clock.now();
    if (verb === 'reload') return root.send({ type: 'reload', at, specs });
    const wanted = all.filter((name) => root.getSnapshot().context.units.get(name)?.facts.wanted === 'up');
    const units = unit === null ? (verb === 'restart' ? wanted : all) : [unit];
    const ticket = (tickets += 1);
    for (const name of units) owed.add(`${ticket} ${name}`);
    for (const name of units) if (verb === 'stop') up.delete(name); else up.add(name);
    if (verb === 'restart') return root.send({ type: 'restart', at, ticket, units, specs: null });
    root.send({ type: verb, at, ticket, units });
  };
  for (const event of scenario.events) {
    clock.at(event.atMs, () => {
      if (event.kind === 'exit') script.end(event.unit, event.exit);
      else if (event.kind === 'check') script.setCheck(event.unit, event.passes);
      else order(event.command);
    });
  }
  for (const name of all) up.add(name);
  root.send({ type: 'boot', at: 0, adopt: [], start: all });
  const limitMs = scenario.forMs ?? 3_600_000;
  while (clock.nextAt !== null && clock.nextAt <= limitMs && transitions < 200_000) clock.step();
  for (const name of all) {
    const context = contextOf(name);
    if (context === null) wrong(`${name} is not there`);
    else if (clock.nextAt === null) lookAtRest(context);
    // What it needs may have been wanted by one that was started.
    if (context !== null && up.has(name) && context.wanted === 'down') wrong(`${name} does not want what was ordered last`);
  }
  if (clock.nextAt === null) for (const due of owed) wrong(`an answer is owed for good: ticket and unit ${due}`);
  return { problems, steps, transitions };

  function lookAtRest({ spec: { name }, leaf, wanted, outcome, process: owned }: NamedContext): void {
    const there = wanted === 'down' ? leaf === 'stopped' && owned === null
      : leaf === 'running' || leaf === 'failed' || leaf === 'waiting' || (leaf === 'starting' && owned !== null) || (leaf === 'stopped' && (outcome === 'completed' || outcome === 'skipped'));
    if (!there) wrong(`${name} comes to rest in ${leaf}, wanted ${wanted}`);
  }
}
