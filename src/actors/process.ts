import { fromCallback } from 'xstate';
import { processPort, type ProcessInput } from '../../machines/ports.ts';
import type { ProcessIdentity, ProcessOrder, ProcessReport, ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { findChild, type Child } from '../process/children.ts';
import { makeEnding, type Ending } from '../process/ending.ts';
import { launch, type ChildOutput } from '../process/launch.ts';
import { longestTimerMs, sweep } from '../process/sweep.ts';

export interface ProcessOutside {
  /** Milliseconds of the monotonic clock. */
  now(): number;
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** The soft limit of open files that units get when they set none; `null` leaves the supervisor's own. */
  readonly softNofile: number | null;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges?: boolean;
  /** Descriptors for one child, closed for the caller after the spawn. What it throws refuses the start. */
  openOutput(spec: ServiceSpec, role: ProcessRole, token: string): ChildOutput;
  /** What an administrator should know and no machine can act on. */
  onProblem(text: string): void;
}

/** How often the end of a process that is not our child is looked for. */
const adoptedPollMs = 500;

/**
 * One process of a unit from the order to start it to the death of all that came from it. Reports `spawned` or `refused`, then `exited` once, then,
 * answering an order, `gone` once; nothing after `refused` or `gone`. A process taken over is not reported as spawned. When it is not our
 * child there is no `exited`: its own end is followed by that of its leftovers and by `gone`, without an order.
 */
export function makeProcessActor(outside: ProcessOutside): typeof processPort {
  return fromCallback<ProcessOrder, ProcessInput>(({ input, sendBack, receive }) => {
    const tell = (report: ProcessReport) => sendBack(report);
    const custody = input.adopt === null ? start(input, outside, tell) : adopt(input, input.adopt, outside, tell);
    receive((order) => custody.obey(order));
    return () => custody.detach();
  });
}

interface Custody {
  obey(order: ProcessOrder): void;
  /** Ends the watching; signals nothing, reports nothing. */
  detach(): void;
}

type Tell = (report: ProcessReport) => void;

function start(input: ProcessInput, outside: ProcessOutside, tell: Tell): Custody {
  const { generation } = input;
  let custody: Custody | null = null;
  let over = false;
  const callOff = launch({
    ...input, ...outside, dropPrivileges: outside.dropPrivileges ?? false, openOutput: (spec, role, token) => outside.openOutput(spec, role, token),
  }, (launched) => {
    if (over) return;
    if (!launched.ok) {
      over = true;
      return tell({ type: 'process.refused', generation, at: outside.now(), reason: launched.reason });
    }
    const { child } = launched;
    custody = holdChild(input, child, outside, tell);
    tell({ type: 'process.spawned', generation, at: outside.now(), identity: child.identity });
  });
  return {
    obey(order) {
      if (custody !== null) return custody.obey(order);
      if (over || order.type === 'signal') return;
      // Nothing was started yet, and nothing will be.
      over = true;
      callOff();
      tell({ type: 'process.gone', generation, at: outside.now() });
    },
    detach() {
      over = true;
      callOff();
      custody?.detach();
    },
  };
}

function adopt(input: ProcessInput, identity: ProcessIdentity, outside: ProcessOutside, tell: Tell): Custody {
  const child = findChild(identity);
  return child === null ? holdStranger(input, identity, outside, tell) : holdChild(input, child, outside, tell);
}

function holdChild(input: ProcessInput, child: Child, outside: ProcessOutside, tell: Tell): Custody {
  const { generation } = input;
  const ending = makeInputEnding(input, child.identity, child, outside, tell);
  const endedBefore = child.exit !== null;
  const unwatch = child.watch((exit) => {
    ending.leaderEnded(!endedBefore);
    tell({ type: 'process.exited', generation, at: outside.now(), exit });
  });
  return {
    obey: (order) => obey(ending, order),
    detach() {
      unwatch();
      ending.detach();
    },
  };
}

function holdStranger(input: ProcessInput, identity: ProcessIdentity, outside: ProcessOutside, tell: Tell): Custody {
  const ending = makeInputEnding(input, identity, null, outside, (report) => {
    release();
    tell(report);
  });
  let impatience: NodeJS.Timeout | null = null;
  const poll = setInterval(() => {
    if (!ending.hasLeaderEnded()) return;
    clearInterval(poll);
    ending.stop('SIGTERM');
    impatience = setTimeout(() => ending.kill(), Math.min(input.spec.stopTimeoutMs, longestTimerMs));
  }, adoptedPollMs).unref();
  function release(): void {
    clearInterval(poll);
    if (impatience !== null) clearTimeout(impatience);
  }
  ending.takeStock();
  return {
    obey(order) {
      if (order.type !== 'signal') release();
      obey(ending, order);
    },
    detach() {
      release();
      ending.detach();
    },
  };
}

function makeInputEnding(input: ProcessInput, leader: ProcessIdentity, child: Child | null, outside: ProcessOutside, tell: Tell): Ending {
  const { generation, spec, token } = input;
  const onProblem = (text: string) => outside.onProblem(`${spec.name}: ${text}`);
  return makeEnding({
    leader,
    token,
    child,
    onGone: () => tell({ type: 'process.gone', generation, at: outside.now() }),
    onUnsearched: (signal, groupWasEmpty) => sweep({
      leader, token, signal, stopTimeoutMs: spec.stopTimeoutMs, spareGroup: !groupWasEmpty, onProblem,
    }),
    onProblem,
  });
}

function obey(ending: Ending, order: ProcessOrder): void {
  switch (order.type) {
    case 'stop': return ending.stop(order.signal);
    case 'clear': return ending.clear(order.signal);
    case 'kill': return ending.kill();
    case 'signal': return ending.signal(order.signal);
  }
}
