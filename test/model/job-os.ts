import type { JobContext, JobEvent } from '../../machines/job-setup.ts';
import { publishedJob } from '../../machines/job.ts';
import type { JobRunEnd, ServiceSpec, Settlement } from '../../machines/types.ts';
import { reportsTo, deadlineOf, nameOf, definitionOf } from './os-events.ts';
import { beginModel, stepModel, type ModelEvent, type ModelState } from './os.ts';
import { purely, type Action, type Pure } from './pure.ts';
import { makeRestFinderOf } from './rest.ts';
import { brokenIn, keyOf, quietEvent } from './unit-invariants.ts';

/** The real job machine, its real runner with an operating system beside it, the schedule and the history of runs. */
export interface JobState {
  readonly snapshot: Pure<typeof publishedJob>['first'];
  readonly runner: ModelState;
  readonly scheduled: boolean;
  /** Of a run's timeout. */
  readonly armed: boolean;
  /** The run that was begun and not ended. */
  readonly openRun: string | null;
  readonly owed: readonly number[];
  readonly wanted: 'up' | 'down';
  readonly removed: boolean;
  /** The definition by which the next run has to be started. */
  readonly newestSpec: ServiceSpec;
  readonly violations: readonly string[];
}

export type JobModelEvent = { readonly to: 'job'; readonly event: JobEvent } | { readonly to: 'runner'; readonly event: ModelEvent };

let pureJob: Pure<typeof publishedJob> | null = null;

export function beginJob(spec: ServiceSpec): JobState {
  pureJob ??= purely(publishedJob, { spec, held: [], tokenBase: 't', seed: 1, at: 0, parent: null });
  const { first, firstActions } = purely(publishedJob, { spec, held: [], tokenBase: 't', seed: 1, at: 0, parent: null });
  const runnerSpec = first.context.runner.getSnapshot().context.spec;
  const state: JobState = {
    snapshot: first, runner: beginModel(runnerSpec), scheduled: false, armed: false, openRun: null, owed: [], wanted: 'down', removed: false, newestSpec: spec, violations: [],
  };
  return firstActions.reduce((next, action) => perform(next, action), state);
}

/** One event from outside, and all that job and runner tell each other because of it. */
export function stepJob(before: JobState, { to, event }: JobModelEvent): JobState {
  let state = to === 'job' ? observe(before, event) : before;
  const queues = { job: [] as JobEvent[], runner: [] as ModelEvent[] };
  const busy = { job: false, runner: false };
  const postJob = (message: JobEvent): void => {
    queues.job.push(message);
    if (busy.job) return;
    busy.job = true;
    for (let next = queues.job.shift(); next !== undefined; next = queues.job.shift()) {
      if (state.snapshot.status !== 'active' || pureJob === null) break;
      const { snapshot, actions } = pureJob.step(state.snapshot, next);
      state = actions.reduce((after, action) => perform(after, action), { ...state, snapshot });
      for (const order of actions.flatMap(orderToRunner)) postRunner(order);
    }
    busy.job = false;
  };
  const postRunner = (message: ModelEvent): void => {
    queues.runner.push(message);
    if (busy.runner) return;
    busy.runner = true;
    for (let next = queues.runner.shift(); next !== undefined; next = queues.runner.shift()) {
      if (state.runner.snapshot.status !== 'active') break;
      const { state: runner, deeds } = stepModel(state.runner, next);
      state = { ...state, runner };
      for (const fact of deeds.facts) postJob(fact);
    }
    busy.runner = false;
  };
  if (to === 'job') postJob(event);
  else postRunner(event);
  return state;
}

function orderToRunner(action: Action): readonly ModelEvent[] {
  const { to, event } = (action.params ?? {}) as { to?: { readonly id: string }; event?: ModelEvent };
  return action.type === 'xstate.sendTo' && to?.id === 'runner' && event !== undefined ? [event] : [];
}

function observe(state: JobState, event: JobEvent): JobState {
  const owed = 'ticket' in event && event.ticket !== null ? [...state.owed, event.ticket] : state.owed;
  switch (event.type) {
    case 'start': return { ...state, owed, wanted: state.removed ? state.wanted : 'up' };
    case 'restart': return { ...state, owed, wanted: state.removed ? state.wanted : 'up', newestSpec: event.spec ?? state.newestSpec };
    case 'stop': return { ...state, owed, wanted: 'down' };
    case 'reload': return event.spec === null ? { ...state, removed: true, wanted: 'down' } : { ...state, newestSpec: event.spec, removed: false, wanted: state.removed ? 'up' : state.wanted };
    case 'deadline.run': return { ...state, armed: false };
    default: return state;
  }
}

function perform(state: JobState, action: Action): JobState {
  const { context } = state.snapshot;
  const breach = (text: string): JobState => ({ ...state, violations: [...state.violations, text] });
  switch (action.type) {
    case 'watchSchedule': return { ...state, scheduled: true };
    case 'unwatchSchedule': return { ...state, scheduled: false };
    case 'armClock': return { ...state, armed: true };
    case 'disarmClock': return { ...state, armed: false };
    case 'noteBegun': {
      if (state.openRun !== null) return breach('a run was begun while another goes on');
      if (definitionOf(context.spec) !== definitionOf(state.newestSpec)) return breach('a run of a stale definition was begun');
      return { ...state, openRun: (action.params as { run: { id: string } }).run.id };
    }
    case 'noteEnded': {
      const { end } = action.params as { end: JobRunEnd };
      if (state.openRun === null) return breach(`a run was ended that was not begun: ${end.kind}`);
      return { ...state, openRun: null };
    }
    case 'report': return settle(state, (action.params as { fact: { settlements: readonly Settlement[] } }).fact.settlements);
    default: return state;
  }
}

function settle(state: JobState, answers: readonly Settlement[]): JobState {
  return answers.reduce((after, { ticket }) => (after.owed.includes(ticket)
    ? { ...after, owed: after.owed.filter((id) => id !== ticket) }
    : { ...after, violations: [...after.violations, `ticket ${ticket} was answered twice`] }), state);
}

export function jobEvents(state: JobState, specs: readonly ServiceSpec[], tickets: number): readonly JobModelEvent[] {
  if (state.snapshot.status !== 'active') return [];
  const at = 0;
  const ticket = state.owed.length < tickets ? [1, 2, 3].find((id) => !state.owed.includes(id)) ?? null : null;
  const byItself = { kind: 'boot', by: null } as const;
  const events: JobEvent[] = [
    { type: 'start', at, ticket }, { type: 'start', at, ticket: null, origin: byItself }, { type: 'stop', at, ticket }, { type: 'restart', at, ticket, spec: null },
    ...specs.flatMap((spec): readonly JobEvent[] => [{ type: 'reload', at, spec }, { type: 'restart', at, ticket, spec }]), { type: 'reload', at, spec: null },
    ...(state.scheduled ? [{ type: 'due', at, instantWallMs: 1 } as const] : []),
    ...(state.armed ? [deadlineOf({ kind: 'run', generation: state.snapshot.context.runsBegun }) as JobEvent] : []),
  ];
  return [...events.map((event): JobModelEvent => ({ to: 'job', event })), ...reportsTo(state.runner).map((event): JobModelEvent => ({ to: 'runner', event }))];
}

export function nameOfJobEvent({ to, event }: JobModelEvent): string {
  if (to === 'runner') return nameOf(event);
  if (event.type === 'due' || event.type === 'scheduled' || event.type === 'unit.changed' || event.type === 'unit.removed' || event.type === 'unit.settled') return event.type;
  return event.type === 'start' && event.origin !== undefined ? 'start by itself' : nameOf(event);
}

export function keyOfJob({ snapshot, runner, scheduled, armed, openRun, owed, wanted, removed, newestSpec, violations }: JobState): string {
  const { context } = snapshot;
  const { queued, runnerFacts } = context;
  return [
    snapshot.status, JSON.stringify(snapshot.value), definitionOf(context.spec), context.wanted, context.removed, context.run !== null, queued === null ? '' : `${queued.instantWallMs} ${queued.tickets.join('+')}`,
    context.endingBecause, runnerFacts === null ? '' : `${runnerFacts.state} ${runnerFacts.outcome} ${runnerFacts.ended?.code}`, scheduled, armed, openRun !== null, owed.join('+'), wanted, removed,
    definitionOf(newestSpec), violations.join('+'), keyOf(withoutTickets(runner)), runner.snapshot.context.tickets.map(({ id, kind }) => `${id}${kind}`).join('+'),
  ].join('|');
}

/** Answers are owed by the unit as a whole: a ticket that waits for a later run is the job's. */
function withoutTickets(runner: ModelState): ModelState {
  return { ...runner, owed: [] };
}

export const jobInvariants: readonly { readonly name: string; readonly holds: (state: JobState) => boolean }[] = [
  { name: 'nothing forbidden happened on the way', holds: ({ violations }) => violations.length === 0 },
  { name: 'the runner keeps the rules of one unit', holds: ({ runner }) => brokenIn(runner) === null },
  { name: 'a run is open exactly while the unit runs', holds: ({ snapshot, openRun }) => snapshot.context.removed || (openRun !== null) === (snapshot.value === 'running') },
  { name: 'a process exists only during a run', holds: ({ snapshot: { value }, runner }) => runner.process === null || value === 'running' },
  { name: 'whoever owes an answer knows of it', holds: ({ snapshot: { context }, runner, owed }) => ticketsOf(context, runner) === [...owed].sort().join() },
  { name: 'wanted is the last accepted command', holds: ({ snapshot: { context }, wanted }) => context.wanted === wanted },
  { name: 'the ledger has what is wanted', holds: ({ snapshot: { context }, runner: { record } }) => record === null || context.removed || record.wanted === context.wanted },
  { name: 'the schedule is watched exactly while it is wanted', holds: ({ snapshot: { context }, scheduled }) => scheduled === (context.wanted === 'up' && !context.removed) },
  { name: 'a run with a timeout is timed', holds: ({ snapshot: { context, value }, armed }) => value !== 'running' || armed || context.endingBecause !== null || context.spec.cron?.timeoutMs == null },
];

function ticketsOf(context: JobContext, runner: ModelState): string {
  return [...runner.snapshot.context.tickets.map(({ id }) => id), ...(context.queued?.tickets ?? [])].sort().join();
}

export function brokenInJob(state: JobState): string | null {
  const broken = jobInvariants.find(({ holds }) => !holds(state));
  if (broken === undefined) return null;
  return [broken.name, ...state.violations, brokenIn(state.runner) ?? ''].join(': ');
}

/** Runs end, nothing new is due: the unit comes to wait, or is gone, and owes nothing. Null: so it does. */
export function makeJobRestFinder(): (from: JobState) => string | null {
  return makeRestFinderOf<JobState>({
    keyOf: keyOfJob, steps: 80,
    next: (state) => {
      const quiet = quietEvent(state.runner, 'kept') ?? endOfRun(state);
      return quiet === null || state.snapshot.status !== 'active' ? null : stepJob(state, { to: 'runner', event: quiet });
    },
    unrest: ({ snapshot, runner, removed, owed }) => {
      if (owed.length > 0) return `comes to rest and owes ${owed.join()}`;
      if (runner.process !== null) return 'comes to rest with a process';
      return snapshot.value === (removed ? 'removed' : 'waiting') ? null : `comes to rest ${snapshot.value}`;
    },
  });
}

function endOfRun({ runner: { process } }: JobState): ModelEvent | null {
  return process?.state === 'alive' ? { type: 'process.exited', generation: process.generation, at: 0, exit: { code: 0, signal: null } } : null;
}

