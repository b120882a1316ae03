import type { Clock } from '../clock.ts';
import type { ForegroundEcho } from '../logs/foreground.ts';
import type { SupervisorLog } from '../logs/supervisor-log.ts';
import type { RuntimePaths } from '../state/runtime.ts';
import type { DaemonOptions } from './options.ts';
import type { Parent } from './parent.ts';

/** What all parts of a supervisor are made with. */
export interface Setting {
  readonly options: DaemonOptions;
  readonly parent: Parent;
  readonly paths: RuntimePaths;
  /** What services inherit. */
  readonly environment: NodeJS.ProcessEnv;
  /** The soft limit of open files that services get; null leaves the supervisor's own. */
  readonly softNofile: number | null;
  readonly clock: Clock;
  readonly log: SupervisorLog;
  /** Of a supervisor in the foreground. */
  readonly echo: ForegroundEcho | null;
  /** What an administrator should know and nobody here can act on. */
  onProblem(text: string): void;
}
