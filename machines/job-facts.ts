import type { ProcessExit } from './process-facts.ts';

/** What is known of a cron unit and its runs. */

/** Reports of the schedule to a cron unit. Instants are of the wall clock. */
export type ScheduleReport =
  | { readonly type: 'scheduled'; readonly at: number; readonly nextWallMs: number | null }
  | { readonly type: 'due'; readonly at: number; readonly instantWallMs: number };

/** One run of a cron unit as its machine knows it; the history adds the wall clock. */
export interface JobRun {
  readonly id: string;
  /** The instant it is the run of; null: asked for by a person. */
  readonly instantWallMs: number | null;
}

export type JobRunEnd =
  | { readonly kind: 'success'; readonly exit: ProcessExit | null }
  /** `reason` in 0.33.0's words. */
  | { readonly kind: 'failed'; readonly exit: ProcessExit | null; readonly reason: string };
