import type { ProcessExit, ProcessIdentity } from './process-facts.ts';
import type { Settlement } from './unit-facts.ts';

/** What is known of a process that a service spawned. */

/** What a process inside a dynamic service's tree asks for. Who may ask is settled before. */
export interface SpawnOrder {
  /** The service in whose tree the parent is, and which of its processes: the child lives no longer than that one. */
  readonly unit: string;
  readonly generation: number;
  /** Of that process; the child carries it beside its own. */
  readonly token: string;
  /** The parent, when it was spawned through the socket itself. */
  readonly parent: string | null;
  readonly parentPid: number;
  readonly name: string;
  readonly argv: readonly string[];
  /** How long it may live; null without a limit. */
  readonly ttlMs: number | null;
  /** `RUST_LOG` of the child; null leaves it out. */
  readonly logLevel: string | null;
}

export type ChildState = 'spawning' | 'living' | 'clearing' | 'stopping' | 'killing' | 'gone';
/** Why a child is being ended: its time is over, its parent or its service ended, or the memory of all children is used up. */
export type ChildCause = 'ttl' | 'cascade' | 'service' | 'limit';

/** What the ledger keeps of a child. */
export interface ChildRecord {
  readonly id: string;
  readonly order: SpawnOrder;
  /** 1 is a direct child of the service. */
  readonly depth: number;
  /** Proves ownership, beside the service's token. */
  readonly token: string;
  readonly startedAt: number;
  /** `null` until the start was reported. */
  readonly identity: ProcessIdentity | null;
}

export interface ChildFacts {
  readonly child: string;
  readonly unit: string;
  readonly state: ChildState;
  readonly cause: ChildCause | null;
  readonly identity: ProcessIdentity | null;
  readonly exit: ProcessExit | null;
  /** It survives SIGKILL. */
  readonly stuck: boolean;
  readonly at: number;
}

export interface ChildAdoption {
  readonly record: ChildRecord;
  readonly alive: boolean;
}

export type ChildFact = { readonly type: 'child.changed'; readonly at: number; readonly facts: ChildFacts; readonly settlements: readonly Settlement[] };
