import type { AnyActorRef } from 'xstate';
import type { Settlement, Trigger } from './unit-facts.ts';

/** What an operation has to do with one unit. */
export interface Part {
  readonly unit: string;
  readonly command: 'start' | 'stop' | 'restart' | 'rollout';
  readonly origin: Trigger;
  /** Units that have to make way first: to be down, or through with their replacement. */
  readonly after: readonly string[];
  /** The client that asked waits for an answer for this unit: the order carries the operation's id as its ticket. */
  readonly owes: boolean;
}

export type OperationKind = 'boot' | 'start' | 'stop' | 'restart' | 'reload' | 'shutdown';

export interface OperationInput {
  readonly id: number;
  readonly kind: OperationKind;
  /** Of the client; null: nobody waits. */
  readonly ticket: number | null;
  readonly parts: readonly Part[];
  readonly at: number;
  /** Gets `OperationReport`s. */
  readonly parent: AnyActorRef | null;
}

export type OperationReport =
  /** The turn of these units has come. */
  | { readonly type: 'operation.order'; readonly at: number; readonly operation: number; readonly parts: readonly Part[] }
  /** Every unit has answered or was superseded. */
  | { readonly type: 'operation.done'; readonly at: number; readonly operation: number };

export type OperationEvent =
  /** `isDown` counts for those that wait for the unit to be down, `isThrough` for replacements that wait for it to be up again or given up. */
  | { readonly type: 'way.clear'; readonly at: number; readonly unit: string; readonly isDown: boolean; readonly isThrough: boolean }
  | { readonly type: 'unit.settled'; readonly at: number; readonly settlement: Settlement }
  /** A later command has taken the unit's turn, or there is no such unit any more. */
  | { readonly type: 'supersede'; readonly at: number; readonly unit: string; readonly error: string }
  /** A later command does what this one waits to do, and its order to the unit stands for the one of this. */
  | { readonly type: 'join'; readonly at: number; readonly unit: string }
  /** The supervisor ends, and some unit will never answer. */
  | { readonly type: 'give.up'; readonly at: number; readonly error: string };
