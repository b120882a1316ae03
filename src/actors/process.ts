import { fromCallback } from 'xstate';
import { processPort, type ProcessInput } from '../../machines/ports.ts';
import { leftBehind } from '../../machines/ends.ts';
import type { ProcessIdentity, ProcessOrder, ProcessReport } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import { findChild, type Child } from '../process/children.ts';
import { ownReserve } from '../process/descriptors.ts';
import { makeEnding, type Ending } from '../process/ending.ts';
import { launch, tokensOf, type LaunchRequest } from '../process/launch.ts';
import { removeMark } from '../process/marks.ts';
import { runForUnit, type CommandResult } from '../process/run-command.ts';

export interface ProcessOutside extends Pick<LaunchRequest, 'environment' | 'softNofile' | 'dropPrivileges' | 'openOutput'> {
  readonly clock: Clock;
  /** What an administrator should know and no machine can act on. */
  onProblem(text: string): void;
}

/**
 * One process of a unit from the order to start it to the death of all that came from it. Reports `spawned` or `refused`, then `exited` once, then,
 * answering an order, `gone` once; nothing after `refused` or `gone`. A process taken over is not reported as spawned; when it is not our
 * child, nobody saw how it ended, and `exited` comes only when no order to end came before it.
 */
export function makeProcessActor(outside: ProcessOutside): typeof processPort {
  return fromCallback<ProcessOrder, ProcessInput>(({ input, sendBack, receive }) => {
    if (input.adopt !== null) ownReserve().know(input.spec.name);
    const ending = input.adopt === null ? start(input, outside, sendBack) : hold(input, input.adopt, findChild(input.adopt), outside, sendBack);
    receive((order) => ending.obey(order));
    return () => ending.detach();
  });
}

type Report = (report: ProcessReport) => void;

function start(input: ProcessInput, outside: ProcessOutside, report: Report): Ending {
  const { generation } = input;
  let ending: Ending | null = null;
  let over = false;
  // Not kept beyond the start: what a start is made from is larger than all else that a process needs.
  let callOff: (() => void) | null = launch({ ...input, ...outside }, (launched) => {
    callOff = null;
    if (over) return;
    if (!launched.ok) {
      over = true;
      return report({ type: 'process.refused', generation, at: outside.clock.now(), reason: launched.reason });
    }
    const { child } = launched;
    ending = hold(input, child.identity, child, outside, report);
    report({ type: 'process.spawned', generation, at: outside.clock.now(), identity: child.identity });
  });
  return {
    obey(order) {
      if (ending !== null) return ending.obey(order);
      if (over || order.type === 'signal') return;
      // Nothing was started yet, and nothing will be.
      over = true;
      callOff?.();
      report({ type: 'process.gone', generation, at: outside.clock.now() });
    },
    detach() {
      over = true;
      callOff?.();
      ending?.detach();
    },
  };
}

function hold(input: ProcessInput, leader: ProcessIdentity, child: Child | null, outside: ProcessOutside, report: Report): Ending {
  const { generation, spec, role, token } = input;
  const { stopCommand } = spec;
  const { clock } = outside;
  const onProblem = (text: string) => outside.onProblem(`${spec.name}: ${text}`);
  return makeEnding({
    leader, token, child, onProblem, leavesMark: spec.privileges.limits.cgroup !== undefined,
    // A preparation and a spawned child are ended by the signal: how to end the service is no answer to how they end.
    ...(role === 'main' && {
      sparesOthers: spec.killMode === 'mixed',
      ...(stopCommand !== null && { stopCommand: (signal) => runStopCommand(stopCommand, input, leader, outside, signal) }),
    }),
    onExited: (exit) => report({ type: 'process.exited', generation, at: clock.now(), exit }),
    onGone: (left) => {
      if (left.length > 0) onProblem(`the ${role === 'main' ? 'process' : role} ${leftBehind(left, child?.exit ?? null)}`);
      removeMark(tokensOf(input));
      report({ type: 'process.gone', generation, at: clock.now(), ...(left.length > 0 && { left }) });
    },
  });
}

/** As hooks are run: in the project's directory as the supervisor's user. */
function runStopCommand(script: string, { spec }: ProcessInput, { pid }: ProcessIdentity, outside: ProcessOutside, signal: AbortSignal): Promise<CommandResult> {
  return runForUnit(spec, {
    purpose: 'stop', asUnit: false, sweeps: 'always', script, output: 'inherit', signal,
    variables: { SYSG_SERVICE_NAME: spec.name, SYSG_EVENT: 'stop', SYSG_PID: String(pid), SYSG_EXIT_CODE: null, SYSG_SIGNAL: null, SYSG_ATTEMPT: null, SYSG_CAUSE: null },
  }, outside);
}
