import type { AnyStateMachine } from 'xstate';
import { endingMachine } from '../../machines/ending.ts';
import { jobMachine } from '../../machines/job.ts';
import { operationMachine } from '../../machines/operation.ts';
import { probeMachine } from '../../machines/probe.ts';
import { rolloutMachine } from '../../machines/rollout.ts';
import { serviceMachine } from '../../machines/service.ts';
import { spawnedMachine } from '../../machines/spawned.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';

/** A machine as it is offered to be shown. */
export interface ShownMachine {
  readonly name: string;
  readonly about: string;
  /** The very object that the supervisor runs, before its ports are filled. */
  readonly machine: AnyStateMachine;
  /** Events, or events with their guard (`reload [definition gone]`), left out of the condensed chart, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  /** The machine that has its own frame in the condensed chart, and the actions that spawn one of it. */
  readonly spawns?: { readonly spawned: ShownMachine; readonly actions: readonly string[] };
}

const operation: ShownMachine = {
  name: 'operation', about: 'one accepted command: who waits for whom to make way, who has an order, who has answered', machine: operationMachine, leftOut: {},
};

/** Every machine there is, in the order in which one would explain them. */
export const shownMachines: readonly ShownMachine[] = [
  {
    name: 'service', about: 'one unit, from the order to start it until its process is seen dead', machine: serviceMachine,
    leftOut: {
      adopt: 'after a change of supervisor a unit goes on where its process is found',
      move: 'an instance that replaces another becomes the unit, and that one is retired',
    },
  },
  {
    name: 'supervisor', about: 'the root: the set of units, commands, order, reload, shutdown', machine: supervisorMachine, leftOut: {},
    spawns: { spawned: operation, actions: ['openBoot', 'openStart', 'openStop', 'openRestart', 'openReload', 'openShutdown', 'openEssentialEnd'] },
  },
  operation,
  {
    name: 'job', about: 'a cron unit: waiting and running; each run is one start of a service machine', machine: jobMachine,
    leftOut: { adopt: 'after a change of supervisor a run goes on where its process is found' },
  },
  { name: 'rollout', about: 'the replacement of a running unit by a candidate beside it: rolling and blue-green', machine: rolloutMachine, leftOut: {} },
  { name: 'probe', about: 'the check of a unit: readiness, then liveness', machine: probeMachine, leftOut: {} },
  { name: 'ending', about: 'the end of a process that belongs to no unit', machine: endingMachine, leftOut: {} },
  { name: 'spawned', about: 'a process that a service spawned through the socket', machine: spawnedMachine, leftOut: {} },
];
