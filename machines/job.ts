import type { ActorRefFrom, StateValue } from 'xstate';
import { until } from './ending.ts';
import { REMOVED } from './ends.ts';
import type { JobRun, JobRunEnd } from './job-facts.ts';
import { jobSetup, runnerSpec, triggerOfJob, type JobContext, type JobEvent } from './job-setup.ts';
import type { RunHistoryPort, SchedulePort } from './ports.ts';
import { clockDoers, deadlineDeeds, publishing, report, type Deed, type Publisher } from './publishing.ts';
import { answer, momentOf } from './service-facts.ts';
import type { CronSpec } from './spec.ts';
import type { ServiceFact, UnitFacts } from './unit-facts.ts';
import { provideService, type ServicePorts } from './unit.ts';

/**
 * A cron unit: waiting and running. Each run is one start of the runner, so what is true of a service's process is true
 * of a run's. When a run is due while another goes on, `overlap` decides.
 */
export const jobMachine = jobSetup.createMachine({
  id: 'job',
  context: ({ input, spawn, self }) => ({
    parent: input.parent, spec: input.spec,
    runner: spawn('runner', {
      id: 'runner',
      input: { spec: runnerSpec(input.spec), held: input.held, tokenBase: input.tokenBase, seed: input.seed, at: input.at, parent: self },
    }),
    wanted: 'down', removed: false, nextWallMs: null, run: null, runsBegun: 0, tokenBase: input.tokenBase, queued: null, endingBecause: null,
    runnerFacts: null, since: input.at, deadline: null, settled: [], deeds: [],
  }),
  initial: 'waiting',
  on: {
    scheduled: { actions: 'takeNext' },
    hold: { actions: 'passOn' },
    release: { actions: 'passOn' },
    // The record of it went with the runner: the runner forgets it.
    'unit.removed': { target: '.removed', actions: ['passAnswers', 'noteEnded', 'forgetRun'] },
    'unit.settled': { actions: 'passAnswers' },
  },
  states: {
    waiting: {
      entry: 'noteTime',
      on: {
        due: { guard: 'isWanted', target: 'running', actions: ['begin'] },
        start: [
          { guard: 'runsNow', target: 'running', actions: ['wantUp', 'watchSchedule', 'begin'] },
          { actions: ['wantUp', 'watchSchedule', 'stopRunner', answer('started')] },
        ],
        restart: { target: 'running', actions: ['takeSpec', 'wantUp', 'watchSchedule', 'begin'] },
        // The runner keeps the wish in the ledger, and answers.
        stop: { actions: ['wantDown', 'unwatchSchedule', 'passOn'] },
        'unit.changed': { actions: 'noteFacts' },
        reload: [
          { guard: 'definitionGone', actions: ['markRemoved', 'unwatchSchedule', 'endRunner'] },
          { guard: 'isWanted', actions: ['takeSpec', 'watchSchedule'] },
          { actions: 'takeSpec' },
        ],
        adopt: [
          { guard: 'survivesWanted', target: 'running', actions: ['resumeRun', 'watchSchedule'] },
          { guard: 'survives', target: 'running', actions: 'resumeRun' },
          { guard: 'recordIsWanted', actions: ['resumeRest', 'watchSchedule'] },
          { actions: 'resumeRest' },
        ],
      },
    },
    running: {
      entry: ['noteTime', until('run')],
      exit: 'unplan',
      on: {
        due: [
          { guard: { type: 'overlapIs', params: { rule: 'queue' } }, actions: 'queueDue' },
          { guard: { type: 'overlapIs', params: { rule: 'replace' } }, actions: ['queueDue', because('replaced'), 'stopRunner'] },
          { actions: 'noteOverlap' },
        ],
        start: [
          { guard: 'isRemoved', actions: answer('failed', REMOVED) },
          { guard: 'isEndingAndRunsNext', actions: ['wantUp', 'watchSchedule', 'queueDue', 'stopRunner'] },
          { guard: 'isEnding', actions: ['wantUp', 'watchSchedule', 'stopRunner', answer('started')] },
          { actions: ['wantUp', 'watchSchedule', 'passOn'] },
        ],
        restart: [
          { guard: 'isRemoved', actions: answer('failed', REMOVED) },
          { actions: ['takeSpec', 'wantUp', 'watchSchedule', 'queueDue', because('replaced'), 'stopRunner'] },
        ],
        stop: { actions: [answerQueued('superseded by stop'), 'wantDown', 'unwatchSchedule', because('stopped'), 'passOn'] },
        signal: { actions: 'passOn' },
        hurry: { actions: 'passOn' },
        'limit.exceeded': { actions: 'passOn' },
        'deadline.run': { actions: [because('timeout'), 'stopRunner'] },
        reload: [
          { guard: 'definitionGone', actions: [answerQueued(REMOVED), 'markRemoved', 'unwatchSchedule', 'endRunner'] },
          { guard: 'isRemoved', actions: ['takeSpec', 'comeBack', 'watchSchedule', because('stopped'), 'keepRunner'] },
          { guard: 'isWanted', actions: ['takeSpec', 'watchSchedule'] },
          { actions: 'takeSpec' },
        ],
        'unit.changed': [
          { guard: 'runEndedAndMoreWait', target: 'running', reenter: true, actions: ['noteFacts', 'noteEnded', 'forgetRun', 'begin'] },
          { guard: 'runEnded', target: 'waiting', actions: ['noteFacts', 'noteEnded', 'forgetRun'] },
          { actions: ['noteFacts', 'noteRunning'] },
        ],
      },
    },
    removed: { type: 'final', entry: ['noteTime', 'unwatchSchedule'] },
  },
});

export type JobRef = ActorRefFrom<typeof jobMachine>;

export interface JobPorts extends ServicePorts {
  readonly schedule: SchedulePort;
  readonly runs: RunHistoryPort;
}

/** The fields of the facts by which one report differs from the one before. */
const SHOWN = ['state', 'wanted', 'outcome', 'cause', 'generation', 'exit', 'ended', 'reason', 'stuck', 'pid'] as const;

export const jobPublisher: Publisher<JobContext, JobEvent> = {
  publish(before, after, event) {
    const at = momentOf(event);
    const { settled, deeds: collected } = after.context;
    const context = settled.length + collected.length === 0 ? after.context : { ...after.context, settled: [], deeds: [] };
    if (before === null || at === null) return { context, deeds: collected };
    const deeds: Deed[] = [...collected, ...deadlineDeeds(before.context, context)];
    const facts = jobFacts(context, after.value, event, at);
    const old = jobFacts(before.context, before.value, event, at);
    const { spec: { name: unit }, parent } = context;
    if (after.value === 'removed') deeds.push(report({ type: 'unit.removed', at, unit, place: 'current', settlements: settled } satisfies ServiceFact, parent));
    else if (SHOWN.some((key) => facts[key] !== old[key]) || before.value !== after.value || context.nextWallMs !== before.context.nextWallMs || context.run !== before.context.run) {
      deeds.push(report({ type: 'unit.changed', at, facts, settlements: settled } satisfies ServiceFact, parent));
    } else if (settled.length > 0) deeds.push(report({ type: 'unit.settled', at, unit, settlements: settled } satisfies ServiceFact, parent));
    return { context, deeds };
  },
};

/** The job machine with its publisher, its ports unfilled: what explorations step. */
export const publishedJob = publishing(jobMachine, jobPublisher);

/** The machine that runs, with its runner. */
export function provideJob(ports: JobPorts): typeof jobMachine {
  const { clock, schedule, runs } = ports;
  return publishing(jobMachine.provide({ actors: { runner: provideService(ports) } }), jobPublisher, {
    ...clockDoers(clock),
    watchSchedule: (self, { unit, cron, runGoesOn }: { readonly unit: string; readonly cron: CronSpec; readonly runGoesOn: boolean }) => schedule.watch(self, unit, cron, runGoesOn),
    unwatchSchedule: (self) => schedule.unwatch(self),
    noteBegun: (_, { unit, run }: RunDeed) => runs.began(unit, run),
    noteRunning: (_, { unit, run, pid }: RunDeed & { readonly pid: number }) => runs.running(unit, run, pid),
    noteEnded: (_, { unit, run, end }: RunDeed & { readonly end: JobRunEnd }) => runs.ended(unit, run, end),
    noteOverlap: (_, { unit, instantWallMs }: { readonly unit: string; readonly instantWallMs: number }) => runs.overlapped(unit, instantWallMs),
  });
}

interface RunDeed {
  readonly unit: string;
  readonly run: JobRun;
}

function jobFacts(context: JobContext, value: StateValue, event: JobEvent, at: number): UnitFacts {
  const { runnerFacts: facts, spec, wanted } = context;
  const running = value === 'running';
  return {
    unit: spec.name, place: 'current', state: running ? (facts?.state ?? 'preparing') : value === 'removed' ? 'removed' : 'waiting', phase: running ? 'running' : 'waiting',
    wanted, ready: null, outcome: facts?.outcome ?? 'none', cause: facts?.cause ?? null, generation: facts?.generation ?? 0, exit: facts?.exit ?? null, ended: facts?.ended ?? null,
    reason: facts?.reason ?? null, blame: facts?.blame ?? null, left: facts?.left ?? [], restarts: 0, stuck: facts?.stuck ?? false, pid: running ? (facts?.pid ?? null) : null, failures: 0,
    deadline: null, trigger: triggerOfJob(event), event: event.type === 'unit.changed' ? event.facts.event : event.type, at,
  };
}

function because(because: 'timeout' | 'replaced' | 'stopped') {
  return { type: 'sayWhy', params: { because } } as const;
}

function answerQueued(error: string) {
  return { type: 'answerQueued', params: { error } } as const;
}
