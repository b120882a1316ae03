/** What is known of the replacement of a unit. */

export type SlotIndex = 0 | 1;

/** From which slot to which a blue-green rollout leads. */
export interface SlotChange {
  readonly from: SlotIndex;
  readonly to: SlotIndex;
}

export type RolloutStep =
  | 'starting' | 'inquiring' | 'checking' | 'switching' | 'verifying' | 'recording' | 'grace' | 'retiring' | 'switching-back' | 'ending' | 'done';

/** What a rollout asks of the outside, one at a time. */
export type RolloutTask =
  /** Whether the last words of the candidate say that its address is in use. */
  | 'words'
  /** The deployment's check, up to `retries` attempts. */
  | 'gate'
  /** The switch command, then its check, then the file with the active slot. */
  | 'switch' | 'verify' | 'record'
  /** The switch command the other way round, and the file as it was. */
  | 'switch-back';

export type RolloutReport =
  /** `addressInUse`: of `words`. */
  | { readonly type: 'task.done'; readonly task: RolloutTask; readonly at: number; readonly addressInUse?: boolean }
  | { readonly type: 'task.failed'; readonly task: RolloutTask; readonly at: number; readonly reason: string };

/** `replace`: the candidate could not run beside the old one, which is to be replaced by a plain restart. */
export type RolloutResult = 'replaced' | 'kept' | 'replace';

export interface RolloutFacts {
  readonly unit: string;
  readonly step: RolloutStep;
  readonly slots: SlotChange | null;
  /** Null until it is done. */
  readonly result: RolloutResult | null;
  readonly reason: string | null;
  readonly at: number;
}

export type RolloutFact = { readonly type: 'rollout.changed'; readonly at: number; readonly facts: RolloutFacts; readonly switchOpen: boolean };

/** A rollout whose switch command may have run: what a later supervisor has to put back. */
export interface SwitchRecord {
  readonly unit: string;
  /** Of the candidate: once it is the unit's, the switch is no longer open. */
  readonly generation: number;
  readonly slots: SlotChange;
}
