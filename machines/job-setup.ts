import { assign, setup } from 'xstate';
import type { DeadlineEvent, ServiceCommand } from './events.ts';
import type { JobRun, JobRunEnd, ScheduleReport } from './job-facts.ts';
import type { Deed } from './publishing.ts';
import { answered, definedBy, momentOf, triggerOf, type Answer, type ServiceContext, type ServiceInput } from './service-facts.ts';
import type { ServiceRef } from './service.ts';
import type { ServiceSpec } from './spec.ts';
import type { Leaf, ServiceFact, Settlement, UnitFacts, Wanted } from './unit-facts.ts';
import { publishedService } from './unit.ts';

/** What a job actor is made from: what its runner is. */
export type JobInput = ServiceInput;

export interface JobContext extends Pick<ServiceContext, 'parent' | 'spec' | 'removed' | 'tokenBase' | 'since' | 'deadline' | 'settled'> {
  /** Runs the process: a service that is started once for each run, and never again by itself. */
  readonly runner: ServiceRef;
  /** Down: the schedule is suspended. */
  readonly wanted: Wanted;
  readonly nextWallMs: number | null;
  readonly run: JobRun | null;
  readonly runsBegun: number;
  /** Waits for the present run to end. */
  readonly queued: { readonly instantWallMs: number | null; readonly tickets: readonly number[]; readonly by: 'start' | 'restart' | null } | null;
  /** Why the present run is being ended, in 0.33.0's words; null while it is not. */
  readonly endingBecause: string | null;
  /** The runner's latest report. */
  readonly runnerFacts: UnitFacts | null;
  /** Collected in a transition and published after it. */
  readonly deeds: readonly Deed[];
}

export type JobEvent = ServiceCommand | ServiceFact | ScheduleReport | DeadlineEvent;

const RESTING: readonly Leaf[] = ['stopped', 'failed', 'removed'];

const base = setup({
  types: {} as { context: JobContext; events: JobEvent; input: JobInput; emitted: ServiceFact },
  actors: { runner: publishedService },
});

/** Collects an order to the outside; null: there is none. */
function post(make: (context: JobContext, event: JobEvent) => Deed | null) {
  return base.assign(({ context, event }) => {
    const deed = make(context, event);
    return deed === null ? {} : { deeds: [...context.deeds, deed] };
  });
}

/** @internal What the words of the chart mean. */
export const jobSetup = base.extend({
  guards: {
    isWanted: ({ context }) => context.wanted === 'up',
    runsNow: ({ event }) => isAskedFor(event),
    definitionGone: ({ event }) => event.type === 'reload' && event.spec === null,
    survives: ({ event }) => event.type === 'adopt' && event.verdict !== 'rest',
    survivesWanted: ({ event }) => event.type === 'adopt' && event.verdict !== 'rest' && event.record.wanted === 'up',
    recordIsWanted: ({ event }) => event.type === 'adopt' && event.record.wanted === 'up',
    runEnded: ({ event }) => event.type === 'unit.changed' && RESTING.includes(event.facts.state),
    runEndedAndMoreWait: ({ context, event }) =>
      event.type === 'unit.changed' && RESTING.includes(event.facts.state) && context.queued !== null && (context.wanted === 'up' || context.queued.tickets.length > 0),
    overlapIs: ({ context }, params: { rule: 'skip' | 'queue' | 'replace' }) => context.spec.cron?.overlap === params.rule,
    isRemoved: ({ context }) => context.removed,
    isEnding: ({ context }) => context.endingBecause !== null,
    isEndingAndRunsNext: ({ context, event }) => context.endingBecause !== null && isAskedFor(event),
  },
  actions: {
    watchSchedule: post(({ spec }, event) => spec.cron === null ? null : {
      type: 'watchSchedule', params: { unit: spec.name, cron: spec.cron, runGoesOn: event.type === 'adopt' && event.verdict === 'alive' },
    }),
    unwatchSchedule: post(() => ({ type: 'unwatchSchedule' })),
    noteOverlap: post(({ spec }, event) => event.type === 'due' ? { type: 'noteOverlap', params: { unit: spec.name, instantWallMs: event.instantWallMs } } : null),
    noteRunning: post(({ spec, run, runnerFacts }) =>
      run !== null && runnerFacts?.pid != null ? { type: 'noteRunning', params: { unit: spec.name, run, pid: runnerFacts.pid } } : null),
    noteEnded: post((context) => context.run === null ? null : { type: 'noteEnded', params: { unit: context.spec.name, run: context.run, end: endOf(context) } }),
    answer: assign(({ context, event }, params: Answer) => answered(context, event, params)),
    /** A run that clients wait for will not be. */
    answerQueued: assign(({ context: { settled, spec, queued } }, { error }: { error: string }) => ({
      settled: [...settled, ...(queued?.tickets ?? []).map((ticket): Settlement => ({ ticket, unit: spec.name, result: 'failed', error }))],
    })),
    passAnswers: assign(({ context, event }) => 'settlements' in event ? { settled: [...context.settled, ...event.settlements] } : {}),
    await: assign(({ context, event }) => {
      const timeoutMs = context.spec.cron?.timeoutMs ?? null;
      return { deadline: timeoutMs === null ? null : { kind: 'run' as const, at: beganAt(context, event) + timeoutMs } };
    }),
    unplan: assign({ deadline: null }),

    wantUp: assign({ wanted: 'up' }),
    wantDown: assign({ wanted: 'down', queued: null, nextWallMs: null }),
    takeNext: assign(({ event }) => (event.type === 'scheduled' ? { nextWallMs: event.nextWallMs } : {})),
    takeSpec: assign(({ context, event }) => ({ spec: definedBy(context, event) })),
    markRemoved: assign({ removed: true, wanted: 'down', queued: null }),
    noteTime: assign(({ context, event }) => ({ since: beganAt(context, event) })),
    begin: base.enqueueActions(({ context, event, enqueue }) => {
      const instantWallMs = event.type === 'due' ? event.instantWallMs : event.type === 'unit.changed' ? (context.queued?.instantWallMs ?? null) : null;
      const [ticket = null, ...others] = 'ticket' in event ? ticketsOf(event) : (context.queued?.tickets ?? []);
      const at = momentOf(event) ?? context.since;
      const run: JobRun = { id: `${context.tokenBase}.${context.runsBegun + 1}`, instantWallMs };
      enqueue.assign({
        run, runsBegun: context.runsBegun + 1, queued: null, endingBecause: null, runnerFacts: null,
        deeds: [...context.deeds, { type: 'noteBegun', params: { unit: context.spec.name, run } }],
      });
      enqueue.sendTo(context.runner, { type: 'restart', at, ticket, spec: runnerSpec(context.spec), origin: originOf(context, event) });
      for (const other of others) enqueue.sendTo(context.runner, { type: 'start', at, ticket: other });
    }),
    resumeRun: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'adopt') return;
      const { record } = event;
      // A run that was interrupted before it began is not begun by itself.
      const verdict = event.verdict === 'unborn' ? 'dead' : event.verdict;
      enqueue.assign({ run: { id: record.process?.token ?? context.tokenBase, instantWallMs: null }, wanted: record.wanted });
      enqueue.sendTo(context.runner, { ...event, verdict, record: { ...record, definition: context.spec.definition } });
    }),
    resumeRest: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'adopt') return;
      enqueue.assign({ wanted: event.record.wanted });
      enqueue.sendTo(context.runner, { ...event, record: { ...event.record, state: event.record.state === 'failed' ? 'failed' : 'stopped', definition: context.spec.definition } });
    }),
    passOn: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type === 'stop' || event.type === 'start' || event.type === 'signal' || event.type === 'hurry' || event.type === 'hold' || event.type === 'release' || event.type === 'limit.exceeded') {
        enqueue.sendTo(context.runner, event);
      }
    }),
    sayWhy: assign(({ context }, params: { because: 'timeout' | 'replaced' | 'stopped' }) => ({
      endingBecause: context.endingBecause
        ?? { timeout: `Timed out after ${inWords(context.spec.cron?.timeoutMs ?? 0)}`, replaced: 'Replaced by a newer run', stopped: 'Stopped' }[params.because],
    })),
    stopRunner: base.enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(context.runner, {
        type: 'stop', at: momentOf(event) ?? context.since, ticket: null, origin: triggerOfJob(event), ...(context.wanted === 'up' && { goesOn: true }), ...(context.queued !== null && { followed: true }),
        ...(context.endingBecause !== null && { because: context.endingBecause }),
      });
    }),
    queueDue: assign(({ context, event }) => ({
      queued: event.type === 'due' ? { instantWallMs: event.instantWallMs, tickets: context.queued?.tickets ?? [], by: context.queued?.by ?? null }
        : event.type === 'start' || event.type === 'restart' ? { instantWallMs: null, tickets: [...(context.queued?.tickets ?? []), ...ticketsOf(event)], by: event.type } : context.queued,
    })),
    noteFacts: assign(({ context, event }) => event.type !== 'unit.changed' ? {} : { runnerFacts: event.facts, settled: [...context.settled, ...event.settlements] }),
    forgetRun: assign({ run: null, endingBecause: null }),
    /** Configured again before its last run was over. */
    comeBack: assign({ removed: false, wanted: 'up' }),
    keepRunner: base.enqueueActions(({ context, event, enqueue }) => {
      const at = momentOf(event) ?? context.since;
      enqueue.sendTo(context.runner, { type: 'reload', at, spec: runnerSpec(context.spec) });
      enqueue.sendTo(context.runner, { type: 'stop', at, ticket: null, origin: triggerOfJob(event), goesOn: true });
    }),
    endRunner: base.enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(context.runner, { type: 'reload', at: momentOf(event) ?? context.since, spec: null });
    }),
  },
});

/** A run that goes on under a new supervisor did not begin there. */
function beganAt({ since }: JobContext, event: JobEvent): number {
  return event.type === 'adopt' ? event.record.since : (momentOf(event) ?? since);
}

/** A person wants a run, and not a unit that needs this one, a reload or the first start the schedule alone. */
function isAskedFor(event: JobEvent): boolean {
  return event.type === 'restart' || (event.type === 'start' && (event.origin === undefined || event.origin.kind === 'command'));
}

/** A run is attempted once: what the restart keys say is for services. */
export function runnerSpec(spec: ServiceSpec): ServiceSpec {
  return { ...spec, check: null, essential: false, restart: { ...spec.restart, mode: 'never', oneshot: true, maxRestarts: 0, noRestartExitCodes: [] } };
}

/** How the run that the runner has just finished ended. A run that an operator or the schedule ended has not succeeded. */
function endOf(context: JobContext): JobRunEnd {
  const { endingBecause, runnerFacts: facts, spec } = context;
  const exit = facts?.ended ?? null;
  if (endingBecause !== null) return { kind: 'failed', exit, reason: endingBecause };
  if (facts === null) return { kind: 'failed', exit: null, reason: 'Interrupted by supervisor crash' };
  if (facts.outcome === 'completed' || facts.outcome === 'skipped') return { kind: 'success', exit };
  // That of a pre_start is none of the run's own.
  const isOfRun = facts.blame !== 'step';
  if (isOfRun && exit?.signal != null) return { kind: 'failed', exit, reason: `Terminated by signal ${exit.signal}` };
  if (isOfRun && exit?.code != null) return { kind: 'failed', exit, reason: `Process exited with code ${exit.code}` };
  const interrupted = facts.reason === null || facts.reason === 'interrupted';
  return { kind: 'failed', exit, reason: interrupted ? 'Interrupted by supervisor crash' : `Failed to start service '${spec.name}': ${facts.reason}` };
}

/** What begins a run: an instant, or a person, whose run may have had to wait for the one before. */
function originOf({ queued }: JobContext, event: JobEvent): UnitFacts['trigger'] {
  if (event.type !== 'unit.changed') return triggerOfJob(event);
  return queued?.by == null || (queued.instantWallMs !== null && queued.tickets.length === 0) ? { kind: 'schedule', by: null } : { kind: 'command', by: queued.by };
}

export function triggerOfJob(event: JobEvent): UnitFacts['trigger'] {
  if (event.type === 'unit.changed') return event.facts.trigger;
  if (event.type === 'unit.removed' || event.type === 'unit.settled') return { kind: 'reload', by: null };
  return event.type === 'due' || event.type === 'scheduled' ? { kind: 'schedule', by: null } : triggerOf(event);
}

function ticketsOf({ ticket }: { readonly ticket: number | null }): readonly number[] {
  return ticket === null ? [] : [ticket];
}

/** 90000 → `90s`, 300000 → `5m`. */
function inWords(ms: number): string {
  const units = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1000, 's']] as const;
  const [size, word] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1, 'ms'];
  return `${ms / size}${word}`;
}
