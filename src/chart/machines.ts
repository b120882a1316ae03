import type { AnyStateMachine } from 'xstate';
import { jobMachine } from '../../machines/job.ts';
import { endingMachine } from '../../machines/ending.ts';
import { operationMachine } from '../../machines/operation.ts';
import { phaseOf } from '../../machines/unit.ts';
import { probeMachine } from '../../machines/probe.ts';
import { rolloutMachine } from '../../machines/rollout.ts';
import { serviceMachine } from '../../machines/service.ts';
import { spawnedMachine } from '../../machines/spawned.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { LEAVES, type Leaf } from '../../machines/types.ts';

/** A machine as it is offered to be shown. */
export interface ShownMachine {
  readonly name: string;
  readonly about: string;
  /** The very object that the supervisor runs, before its ports are filled. */
  readonly machine: AnyStateMachine;
  /** The public phase that a state is shown as, by the state's own name; null: its name is public. */
  phaseOf(state: string): string | null;
  /** Guards and actions that every transition has to have and no reader misses. */
  readonly plumbing: { readonly guards: readonly string[]; readonly actions: readonly string[] };
  /** Events, or events with their guard (`reload [definition gone]`), left out of the condensed chart, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
}

const SERVICE_PLUMBING = [
  'note', 'writeRecord', 'tell', 'tellRemoved', 'dropTickets', 'unplan', 'armClock', 'disarmClock', 'keepTicket', 'own', 'disown', 'clearCause', 'answer',
  'identify', 'forgetReady', 'unwatch', 'takeNextSpec', 'takeNamedSpec', 'keepNamedSpec', 'keepSpec', 'takeSpec', 'markRemoved', 'forgetRecord', 'forgetFormer',
];

/** Every machine there is, in the order in which one would explain them. */
export const shownMachines: readonly ShownMachine[] = [
  {
    name: 'service', about: 'one unit, from the order to start it until its process is seen dead', machine: serviceMachine,
    phaseOf: (state) => (isLeaf(state) ? phaseOf(state) : null),
    plumbing: { guards: ['sameGeneration', 'otherGeneration'], actions: SERVICE_PLUMBING },
    leftOut: {
      adopt: 'after a change of supervisor a unit goes on where its process is found',
      'stop [has other]': 'while a second instance of the unit is there, a stop waits for its end too',
      'reload [gone with other]': 'so does its removal',
      move: 'an instance that replaces another becomes the unit, and that one is retired',
      'reload [definition gone]': 'a unit that is no longer configured is stopped, then removed',
    },
  },
  {
    name: 'supervisor', about: 'the root: the set of units, commands, order, reload, shutdown', machine: supervisorMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: ['makeUnits'] }, leftOut: {},
  },
  {
    name: 'operation', about: 'one accepted command: who waits for whose way, who has the order, who has answered', machine: operationMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: [] }, leftOut: {},
  },
  {
    name: 'ending', about: 'the end of processes that belong to no unit: the stop signal, the time to follow it, SIGKILL', machine: endingMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: [] }, leftOut: {},
  },
  {
    name: 'job', about: 'a cron unit: waiting and running; each run is one start of a service machine', machine: jobMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: ['enter', 'tell', 'armClock', 'disarmClock', 'noteFacts', 'noteBegun', 'noteRunning', 'tellRemoved'] },
    leftOut: { adopt: 'after a change of supervisor a run goes on where its process is found' },
  },
  {
    name: 'rollout', about: 'the replacement of a running unit by a candidate beside it: rolling and blue-green', machine: rolloutMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: ['note', 'tell', 'perform', 'follow', 'followAfterSwap', 'armClock', 'disarmClock', 'callOff', 'answer', 'sayWhy'] }, leftOut: {},
  },
  {
    name: 'probe', about: 'the check of a unit: readiness, then liveness', machine: probeMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: ['plan', 'armClock', 'leave', 'limitReadiness', 'limitAnnouncement', 'limitLiveness'] }, leftOut: {},
  },
  {
    name: 'spawned', about: 'a process that a service spawned through the socket', machine: spawnedMachine, phaseOf: () => null,
    plumbing: { guards: [], actions: ['note', 'tell', 'plan', 'writeRecord', 'forgetRecord', 'armClock', 'disarmClock', 'answer', 'dropTicket', 'identify'] }, leftOut: {},
  },
];

function isLeaf(state: string): state is Leaf {
  return LEAVES.some((leaf) => leaf === state);
}
