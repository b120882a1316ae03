import type { SignalName } from './spec.ts';

/** What the machines know of a process, what is reported to them of it and what they order of it. */

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: SignalName | null;
}

/** What proves that a process is the one we knew: the pid alone proves nothing. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The kernel's start time, opaque: clock ticks since boot on Linux. */
  readonly startTime: string;
  readonly bootId: string;
}

/** What one process of a unit is for. `main` is the service itself, `child` was spawned by one through the socket. */
export type ProcessRole = 'main' | 'skip' | 'pre_start' | 'child';

/** The process a unit owns, from the order to start it until it was seen dead. */
export interface OwnedProcess {
  readonly generation: number;
  readonly role: Exclude<ProcessRole, 'child'>;
  readonly token: string;
  /** `null` until the start was reported. */
  readonly identity: ProcessIdentity | null;
  /** Not our child: its end is noticed, its exit status is not. */
  readonly adopted: boolean;
}

/** Reports of a process actor. `exited` speaks of the leader, `gone` of every process known to belong to it. */
export type ProcessReport =
  | { readonly type: 'process.spawned'; readonly generation: number; readonly at: number; readonly identity: ProcessIdentity }
  | { readonly type: 'process.refused'; readonly generation: number; readonly at: number; readonly reason: string }
  /** `exit` null: nobody saw how it ended, since it was not our child. */
  | { readonly type: 'process.exited'; readonly generation: number; readonly at: number; readonly exit: ProcessExit | null }
  /** `left`: what the leader had left running when it ended by itself, in words; absent when that was nothing. */
  | { readonly type: 'process.gone'; readonly generation: number; readonly at: number; readonly left?: readonly string[] };

/** Orders to a process actor. */
export type ProcessOrder =
  /** A stop was asked for: signal the group, search for those outside of it, report `gone` when nothing is found any more. */
  | { readonly type: 'stop'; readonly signal: SignalName }
  /** The leader ended by itself: the same for what it left. */
  | { readonly type: 'clear'; readonly signal: SignalName }
  /** SIGKILL to the group and to every holder of the token, as often as it is ordered. */
  | { readonly type: 'kill' }
  /** One signal to the leader, on behalf of a person. */
  | { readonly type: 'signal'; readonly signal: SignalName };
