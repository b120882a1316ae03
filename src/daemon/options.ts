import { parseArgs } from 'node:util';
import { parseLogLevel, type LogLevel } from '../logs/log-level.ts';

/** What the command line program hands to the daemon. */
export interface DaemonOptions {
  /** Absolute. */
  readonly config: string;
  readonly system: boolean;
  /** Start only this unit and what it needs. */
  readonly service: string | null;
  readonly foreground: boolean;
  /** Echo standard error only. */
  readonly stderrOnly: boolean;
  readonly logLevel: LogLevel | null;
  readonly dropPrivileges: boolean;
}

export function parseDaemonOptions(argv: readonly string[]): DaemonOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      config: { type: 'string' }, 'state-dir': { type: 'string' }, mode: { type: 'string' }, service: { type: 'string' }, foreground: { type: 'boolean' },
      stderr: { type: 'boolean' }, 'log-level': { type: 'string' }, 'drop-privileges': { type: 'boolean' }, 'wait-timeout': { type: 'string' },
    },
  });
  if (values.config === undefined) throw new Error('the daemon needs --config with an absolute path');
  return {
    config: values.config, system: values.mode === 'sys', service: values.service ?? null, foreground: values.foreground ?? false,
    stderrOnly: values.stderr ?? false, logLevel: values['log-level'] === undefined ? null : parseLogLevel(values['log-level']),
    dropPrivileges: values['drop-privileges'] ?? false,
  };
}
