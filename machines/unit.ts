import type { ServiceEvent } from './events.ts';
import type { ClockPort, HookPort, LedgerPort, probePort, processPort } from './ports.ts';
import { deadlineDeeds, clockDoers, publishing, report, type Deed, type Publisher } from './publishing.ts';
import { leafOf, momentOf, recordKey, triggerOf, type ServiceContext } from './service-facts.ts';
import { serviceMachine } from './service.ts';
import { LEAVES, type HookRun, type Leaf, type Phase, type Place, type ServiceFact, type UnitFacts, type UnitRecord } from './unit-facts.ts';

/** A service's chart together with what it publishes: its record, its deadline, its hooks, its facts and its answers. */

/** What the chart says of a state: `deadline` lists those that it may wait for. */
export interface StateMeta {
  readonly phase: Phase;
  /** A process of the unit may exist. */
  readonly owns: boolean;
  readonly deadline: readonly string[];
}

const STATES = statesOf(serviceMachine.states);

export function metaOf(leaf: Leaf): StateMeta {
  const meta = STATES.get(leaf);
  if (meta === undefined) throw new Error(`the chart has no state '${leaf}'`);
  return meta;
}

export function phaseOf(leaf: Leaf): Phase {
  return metaOf(leaf).phase;
}

export function factsOf(context: ServiceContext, leaf: Leaf, event: ServiceEvent, at: number): UnitFacts {
  const { spec, wanted, ready, outcome, cause, generation, exit, ended, reason, blame, left, restarts, streak, deadline, process, killsOrdered } = context;
  return {
    unit: spec.name, place: context.place, state: leaf, phase: phaseOf(leaf), wanted, ready, outcome, cause, generation, exit, ended, reason, blame, left, restarts,
    stuck: leaf === 'killing' && killsOrdered > 1, pid: process?.identity?.pid ?? null, failures: streak, deadline, trigger: triggerOf(event), event: event.type, at,
  };
}

export function recordOf(context: ServiceContext, leaf: Leaf): UnitRecord {
  const { spec, ran, goesOn, cause, generation, process, outcome, exit, reason, failures, streak, restarts, deadline, since } = context;
  const wanted = goesOn ? 'up' : context.wanted;
  return {
    unit: recordKey(spec.name, context.place), hash: spec.hash, cron: spec.cron !== null, definition: process === null ? ran : spec.definition, wanted, state: leaf, cause, generation, process, outcome, exit, reason,
    failures, streak, restarts, deadline, since,
  };
}

/** What a record says, apart from the state; when none of these changes, the record on disk is right. */
const RECORDED = ['spec', 'wanted', 'goesOn', 'cause', 'generation', 'process', 'outcome', 'exit', 'reason', 'failures', 'streak', 'restarts', 'deadline', 'place'] as const;
/** The same of the facts. */
const SHOWN = [
  'wanted', 'ready', 'outcome', 'cause', 'generation', 'exit', 'ended', 'reason', 'restarts', 'streak', 'deadline', 'process', 'place', 'killsOrdered', 'removed',
] as const;
const NOTHING: readonly never[] = [];

export const servicePublisher: Publisher<ServiceContext, ServiceEvent> = {
  ignores: (context, event) => 'generation' in event && event.generation !== context.generation,
  publish(before, after, event) {
    const at = momentOf(event);
    if (before === null || at === null) return { context: after.context, deeds: NOTHING };
    const leaf = leafOf(after.value);
    const entered = leafOf(before.value) !== leaf;
    const { settled, hookRuns } = after.context;
    const collected = settled.length > 0 || hookRuns.length > 0;
    // A phase that goes on in a new supervisor did not begin there.
    const phaseBefore = phaseOf(event.type === 'adopt' ? event.record.state : leafOf(before.value));
    const since = (entered || event.type === 'adopt') && phaseBefore !== phaseOf(leaf) ? at : after.context.since;
    const context: ServiceContext = !collected && since === after.context.since ? after.context : {
      ...after.context, since, settled: NOTHING, hookRuns: NOTHING,
    };
    const differs = (keys: readonly (keyof ServiceContext)[]): boolean => entered || keys.some((key) => before.context[key] !== context[key]);
    const deeds: Deed[] = [];
    if (leaf === 'removed') deeds.push(forget(context.spec.name, context.place));
    else if (differs(RECORDED) || isFirstWish(context, event)) deeds.push({ type: 'writeRecord', params: { record: recordOf(context, leaf), durable: isOperatorsWish(event) } });
    if (context.place !== before.context.place && before.context.place !== 'current') deeds.push(forget(context.spec.name, before.context.place));
    deeds.push(...deadlineDeeds(before.context, context));
    if (hookRuns.length > 0) deeds.push({ type: 'runHooks', params: { runs: hookRuns } });
    if (leaf === 'removed') deeds.push(report({ type: 'unit.removed', at, unit: context.spec.name, place: context.place, settlements: settled } satisfies ServiceFact, context.parent));
    else if (differs(SHOWN)) deeds.push(report({ type: 'unit.changed', at, facts: factsOf(context, leaf, event, at), settlements: settled } satisfies ServiceFact, context.parent));
    else if (settled.length > 0) deeds.push(report({ type: 'unit.settled', at, unit: context.spec.name, settlements: settled } satisfies ServiceFact, context.parent));
    return { context, deeds };
  },
};

/** The service machine with its publisher, its ports unfilled: what explorations step. */
export const publishedService = publishing(serviceMachine, servicePublisher);

/** The effects of a service, joined to the machine. */
export interface ServicePorts {
  readonly clock: ClockPort;
  readonly ledger: LedgerPort;
  readonly hooks: HookPort;
  readonly process: typeof processPort;
  readonly probe: typeof probePort;
}

/** The machine that runs. */
export function provideService({ clock, ledger, hooks, process, probe }: ServicePorts): typeof serviceMachine {
  return publishing(serviceMachine.provide({ actors: { process, probe } }), servicePublisher, {
    ...clockDoers(clock),
    writeRecord: (_, { record, durable }: { readonly record: UnitRecord; readonly durable: boolean }) => ledger.record(record, durable),
    forgetRecord: (_, { key }: { readonly key: string }) => ledger.forget(key),
    runHooks: (self, { runs }: { readonly runs: readonly HookRun[] }) => hooks.queue(runs, self),
  });
}

function forget(unit: string, place: Place): Deed {
  return { type: 'forgetRecord', params: { key: recordKey(unit, place) } };
}

/** What a person asked for has to be on disk before anything follows. */
function isOperatorsWish(event: ServiceEvent): boolean {
  return 'ticket' in event && event.ticket !== null && triggerOf(event).kind === 'command' && triggerOf(event).by !== 'shutdown';
}

/** Nothing changes for a unit that never had a process, but there may be no record of it, and one that is not on record is started. */
function isFirstWish({ generation }: ServiceContext, event: ServiceEvent): boolean {
  return generation === 0 && event.type === 'stop' && isOperatorsWish(event);
}

interface StateLike {
  readonly meta?: object;
  readonly states: Readonly<Record<string, StateLike>>;
}

/** The outermost states that have a public name. */
function statesOf(states: StateLike['states'], found = new Map<string, StateMeta>()): ReadonlyMap<string, StateMeta> {
  for (const [key, state] of Object.entries(states)) {
    if (LEAVES.some((leaf) => leaf === key)) found.set(key, state.meta as StateMeta);
    else statesOf(state.states, found);
  }
  return found;
}
