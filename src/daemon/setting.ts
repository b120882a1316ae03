import { parseArgs } from 'node:util';
import type { Clock } from '../clock.ts';
import type { ForegroundEcho } from '../logs/foreground.ts';
import { parseLogLevel } from '../log-level.ts';
import type { SupervisorLog } from '../logs/supervisor-log.ts';
import type { LaunchRequest } from '../process/launch.ts';
import type { SmallFiles } from '../state/small-files.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import type { Secrets } from '../secrets.ts';
import type { Parent } from './parent.ts';

/** What everything that looks after units is made with. */
export interface Setting extends Pick<LaunchRequest, 'environment' | 'softNofile' | 'dropPrivileges'> {
  readonly paths: RuntimePaths;
  readonly clock: Clock;
  readonly log: SupervisorLog;
  /** What is shown and written only masked. */
  readonly secrets: Secrets;
  /** Of a supervisor in the foreground. */
  readonly echo: ForegroundEcho | null;
  /** Takes what an administrator should know and the daemon itself cannot act on. */
  onProblem(text: string): void;
}

export interface DaemonSetting extends Setting {
  readonly options: DaemonOptions;
  readonly parent: Parent;
  readonly files: SmallFiles;
  /** Started by nohup(1): the end of the terminal is not the end. */
  readonly nohup: boolean;
}

/** What the command line program hands to the daemon. */
export type DaemonOptions = ReturnType<typeof parseDaemonOptions>;

export function parseDaemonOptions(argv: readonly string[]) {
  // A guardian that an older sysg started still passes --state-dir and --wait-timeout, which decide nothing.
  const { values: { config, mode, project = null, service = [], profile = [], foreground = false, stderr = false, 'log-level': level, 'drop-privileges': drops = false } } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string' }, 'state-dir': { type: 'string' }, mode: { type: 'string' }, service: { type: 'string', multiple: true }, foreground: { type: 'boolean' },
      stderr: { type: 'boolean' }, 'log-level': { type: 'string' }, 'drop-privileges': { type: 'boolean' }, 'wait-timeout': { type: 'string' },
      project: { type: 'string' }, profile: { type: 'string', multiple: true },
    },
  });
  if (config === undefined) throw new Error('the daemon needs --config with an absolute path');
  return {
    /** Absolute. */
    config,
    system: mode === 'sys',
    /** Null: the supervisor without a name. */
    project,
    /** Start only these units and what they need; none: all. */
    services: service,
    /** Also the services that have one of these. */
    profiles: profile,
    foreground,
    /** Echo standard error only. */
    stderrOnly: stderr,
    logLevel: level === undefined ? null : parseLogLevel(level), dropPrivileges: drops,
  };
}

/** The soft limit of open files that the launcher found, before Node raised it. */
export function softLimitOf(env: NodeJS.ProcessEnv): number | null {
  const text = env['SYSG_NOFILE'];
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : null;
}
