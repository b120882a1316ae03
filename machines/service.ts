import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import { CLEARING, KILLING, STOPPING, until } from './ending.ts';
import { REMOVED } from './ends.ts';
import { answer, lostReason } from './service-facts.ts';
import { serviceSetup } from './service-setup.ts';
import { because, clearing, ending, gone, means, own, settle, settleFailed, step, supersede, survives, survivor, verdictIs } from './service-words.ts';

const UNHEALTHY = [
  { guard: 'unhealthyMustRestart', target: ending('judge'), actions: because('unhealthy') },
  { actions: ['becomeUnready', 'unplan'] },
] as const;

/** What is done when nothing of a process is left: always before the unit rests, starts again or is judged. */
const LEAVE_PROCESS = ['unplan', 'unwatch', 'forgetReady', 'collectEndHooks', 'disown', 'takeNextSpec'] as const;

/**
 * One unit: stopped → starting → running → backoff → failed, and stopping.
 *
 * Only `process.gone` leaves the states that own a process. While a process is being ended, the region `afterwards` says
 * what follows its end, and commands change that region alone. Reports and deadlines of an earlier generation change
 * nothing. Deadlines are data in the context and events from the clock port, so that they can be shown, resumed and
 * explored: there is no `invoke` and no `after`.
 */
export const serviceMachine = serviceSetup.createMachine({
  id: 'service',
  context: ({ input }) => ({
    parent: input.parent, tokenBase: input.tokenBase, place: input.place ?? 'current', spec: input.spec, nextSpec: null, ran: input.spec.definition, removed: false, wanted: 'down', goesOn: false,
    held: Object.fromEntries(input.held.map((dependency) => [dependency, null])), generation: input.generation ?? 0, process: null, cause: null,
    refusal: null, refused: false, leaderEnded: false, ended: null, left: [], exit: null, reason: null, blame: null, failures: [], streak: 0, restarts: 0, outcome: 'none', ready: null, tickets: [],
    deadline: null, resumed: null, killsOrdered: 0, hasRun: false, automatic: false, hooksPending: false, since: input.at, seed: input.seed, settled: [], hookRuns: [],
  }),
  initial: 'idle',
  on: {
    hold: { actions: 'hold' },
    release: { actions: 'release' },
    move: { actions: 'move' },
    'hooks.idle': { actions: 'noteHooksDone' },
  },
  states: {
    // Without a process.
    idle: {
      initial: 'stopped',
      on: {
        start: { target: '.waiting', actions: ['wantUp', 'beginAnew', 'keepTicket'] },
        restart: { target: '.waiting', actions: ['takeSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
        stop: { target: '.stopped', actions: ['wantDown', supersede(), answer('stopped')] },
        reload: [{ guard: means('remove', 'stopped'), target: 'removed' }, { actions: 'takeSpec' }],
      },
      states: {
        stopped: {
          meta: { phase: 'stopped', owns: false, deadline: [] },
          on: {
            adopt: [
              { guard: survives('probed'), target: '#service.active.starting', actions: ['resume', 'launch'] },
              { guard: survives('running'), target: '#service.active.running', actions: ['resume', 'launch'] },
              ...(['rest', 'again', 'hold', 'judge'] as const).map((then) => ({ guard: survives(`ending, then ${then}`), target: ending(then), actions: ['resume', 'launch'] as const })),
              { guard: survives('ended, then rest'), actions: ['resume', ...LEAVE_PROCESS, 'clearCause'] },
              { guard: survives('ended, then again'), target: 'waiting', actions: ['resume', ...LEAVE_PROCESS, 'clearCause', 'beginAnew'] },
              { guard: survives('ended, then hold'), target: 'waiting', actions: ['resume', ...LEAVE_PROCESS, 'clearCause'] },
              { guard: survives('ended, then judge'), target: '#service.judging', actions: 'resume' },
              { guard: survives('pending'), target: 'waiting', actions: ['resume', 'unplan'] },
              { guard: survives('backoff'), target: 'backoff', actions: 'resume' },
              { guard: survives('failed'), target: 'failed', actions: ['resume', 'unplan'] },
              { actions: ['resume', 'unplan'] },
            ],
          },
        },
        failed: {
          meta: { phase: 'failed', owns: false, deadline: [] },
          on: { reload: { guard: means('restart', 'failed'), target: 'waiting', actions: ['takeSpec', 'beginAnew'] } },
        },
        backoff: {
          meta: { phase: 'backoff', owns: false, deadline: ['backoff'] },
          entry: until('backoff'),
          exit: 'unplan',
          on: {
            'deadline.backoff': { target: 'waiting', actions: 'countRestart' },
            reload: { guard: means('restart', 'backoff'), target: 'waiting', actions: ['takeSpec', 'beginAnew'] },
          },
        },
        waiting: {
          meta: { phase: 'starting', owns: false, deadline: [] },
          always: [
            { guard: 'nothingHolds', target: '#service.active.preparing', actions: 'nextGeneration' },
            { guard: 'isTriedInVain', target: 'failed', actions: ['giveUpWaiting', settleFailed('start')] },
            { guard: 'waitsInVain', actions: settleFailed('start', lostReason) },
          ],
          on: {
            start: { actions: ['wantUp', 'keepTicket'] },
            restart: { actions: ['takeSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
          },
        },
      },
    },
    active: {
      initial: 'preparing',
      on: {
        start: { actions: ['wantUp', 'keepTicket'] },
        stop: { target: ending('rest'), actions: ['wantDown', supersede(), 'keepTicket', because('command')] },
        restart: { target: ending('again'), actions: ['wantUp', 'beginAnew', 'keepSpec', 'keepTicket', because('restart')] },
        hold: [{ guard: 'holdStops', target: ending('hold'), actions: ['hold', because('hold')] }, { actions: 'hold' }],
        reload: [
          { guard: means('remove', 'running'), target: ending('leave'), actions: ['markRemoved', supersede(), because('command')] },
          { guard: means('restart', 'running'), target: ending('again'), actions: ['keepSpec', 'beginAnew', because('reload')] },
          { guard: means('replace', 'running'), target: ending('again'), actions: ['keepSpec', 'beginAnew', because('reload')] },
          { actions: 'takeSpec' },
        ],
        signal: { actions: 'orderSignal' },
        'limit.exceeded': { target: ending('judge'), actions: because('limit') },
        'process.refused': { target: 'judging', actions: 'refuse' },
        'process.gone': 'judging',
      },
      states: {
        preparing: {
          meta: { phase: 'starting', owns: true, deadline: ['task', 'grace', 'kill'] },
          initial: 'choosing',
          on: { 'deadline.task': { target: ending('judge'), actions: [because('unready'), 'refuseSlowStep'] } },
          states: {
            choosing: {
              always: [
                { guard: 'isSkipped', target: '#service.idle.stopped', actions: ['markSkipped', settle('start', 'skipped')] },
                { guard: 'asksToSkip', target: 'asking' },
                { guard: 'isPrepared', target: 'readying' },
                { target: '#service.active.spawning' },
              ],
            },
            asking: {
              ...step('skip'),
              on: {
                'process.gone': [
                  { guard: 'endedWell', target: '#service.idle.stopped', actions: [...LEAVE_PROCESS, 'markSkipped', settle('start', 'skipped')] },
                  { guard: 'isPrepared', target: 'readying', actions: ['unplan', 'disown'] },
                  { target: '#service.active.spawning', actions: ['unplan', 'disown'] },
                ],
              },
            },
            readying: {
              ...step('pre_start'),
              on: { 'process.gone': [{ guard: 'preparedWell', target: '#service.active.spawning', actions: ['unplan', 'disown'] }, { target: '#service.judging' }] },
            },
          },
        },
        spawning: {
          meta: { phase: 'starting', owns: true, deadline: [] },
          entry: [own('main'), 'launch'],
          on: { 'process.spawned': { target: 'starting', actions: 'identify' } },
        },
        starting: {
          meta: { phase: 'starting', owns: true, deadline: ['alive'] },
          initial: 'choosing',
          states: {
            choosing: { always: [{ guard: 'isProbed', target: 'probed' }, { target: 'unprobed' }] },
            probed: { entry: ['unplan', 'watch'] },
            unprobed: { entry: until('alive') },
          },
          on: {
            'deadline.alive': 'running',
            'probe.ok': 'running',
            'probe.timeout': { target: ending('judge'), actions: because('unready') },
            reload: { guard: 'onlyCheckChanges', target: '.choosing', actions: ['takeSpec', 'unwatch'] },
            'process.exited': { target: clearing(), actions: 'recordExit' },
          },
        },
        running: {
          meta: { phase: 'running', owns: true, deadline: ['stable'] },
          entry: ['becomeReady', until('stable'), 'collectStartHooks', 'noteRun', settle('start', 'started')],
          on: {
            start: { actions: ['wantUp', answer('already-running')] },
            'process.exited': { target: clearing(), actions: 'recordExit' },
            'probe.bad': UNHEALTHY,
            // Of a check that came with a reload.
            'probe.timeout': UNHEALTHY,
            'probe.ok': { guard: 'isUnready', actions: ['becomeReady', until('stable')] },
            'deadline.stable': { actions: ['forgive', 'unplan'] },
            move: [{ guard: 'checkChanges', actions: ['move', 'watchAnew'] }, { actions: 'move' }],
            reload: { guard: 'onlyCheckChanges', actions: ['takeSpec', 'watchAnew'] },
          },
        },
      },
    },
    ending: {
      type: 'parallel',
      entry: ['forgetReady', 'unwatch'],
      on: { 'process.exited': { actions: 'recordExit' }, signal: { actions: 'orderSignal' } },
      states: {
        process: {
          initial: 'stopping',
          states: {
            stopping: STOPPING,
            clearing: CLEARING,
            killing: {
              ...KILLING,
              on: { ...KILLING.on, 'deadline.kill': { ...KILLING.on['deadline.kill'], actions: settleFailed('all', survivor) } },
            },
          },
        },
        // What follows when nothing is left of the process. The grace is not prolonged and no signal repeated by a command.
        afterwards: {
          initial: 'rest',
          on: {
            start: { target: '.again', actions: ['wantUp', 'keepTicket', because('restart')] },
            stop: { target: '.rest', actions: ['wantDown', supersede(), 'keepTicket', because('command')] },
            restart: { target: '.again', actions: ['wantUp', 'beginAnew', 'keepSpec', 'keepTicket', because('restart')] },
            reload: [{ guard: means('remove', 'stopping'), target: '.leave', actions: ['markRemoved', supersede()] }, { actions: 'keepSpec' }],
          },
          states: {
            rest: { on: gone('#service.idle.stopped', ...LEAVE_PROCESS, 'clearCause', settle('stop', 'stopped')) },
            again: { on: gone('#service.idle.waiting', ...LEAVE_PROCESS, 'clearCause', 'beginAnew', settle('stop', 'stopped')) },
            hold: { on: gone('#service.idle.waiting', ...LEAVE_PROCESS, 'clearCause', settle('stop', 'stopped')) },
            judge: { on: gone('#service.judging', 'noteLeft') },
            leave: {
              on: {
                ...gone('#service.removed', ...LEAVE_PROCESS),
                start: { actions: answer('failed', REMOVED) },
                restart: { actions: answer('failed', REMOVED) },
                stop: { actions: ['wantDown', 'keepTicket', because('command')] },
                // Configured again before it was gone: it comes back.
                reload: [{ guard: means('remove', 'stopping') }, { target: 'again', actions: ['keepSpec', 'comeBack', because('reload')] }],
              },
            },
          },
        },
      },
    },
    // By the restart policy: an end that nobody ordered.
    judging: {
      entry: ['unplan', 'unwatch', 'forgetReady', 'collectEndHooks', 'takeNextSpec'],
      always: [
        { guard: 'mustRest', target: 'idle.stopped', actions: ['clearCause', settle('stop', 'stopped'), 'disown'] },
        {
          guard: 'failedButRetries', target: 'idle.backoff',
          actions: ['countFailure', settleFailed('start'), settle('stop', 'stopped'), 'clearCause', 'disown'],
        },
        { guard: verdictIs('retry'), target: 'idle.backoff', actions: ['clearCause', 'forgive', 'sayLeft', settle('start', 'completed'), settle('stop', 'stopped'), 'disown'] },
        { guard: verdictIs('rest'), target: 'idle.stopped', actions: ['clearCause', 'complete', settle('start', 'completed'), settle('stop', 'stopped'), 'disown'] },
        { target: 'idle.failed', actions: ['giveUp', settleFailed('start'), settle('stop', 'stopped'), 'clearCause', 'disown'] },
      ],
    },
    removed: {
      type: 'final',
      meta: { phase: 'stopped', owns: false, deadline: [] },
      entry: ['markRemoved', settle('stop', 'stopped'), supersede()],
    },
  },
});

export type ServiceRef = ActorRefFrom<typeof serviceMachine>;
export type ServiceSnapshot = SnapshotFrom<typeof serviceMachine>;
