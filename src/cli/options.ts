import { parseDuration } from '../config/duration.ts';
import { didYouMean } from '../config/near-miss.ts';
import { logLevels, parseLogLevel as parsePlainLevel, type LogLevel } from '../logs/log-level.ts';

/** One flag of the command line. The table of verbs is made of these; nothing else knows how a flag is written. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** What a value stands for, `FILE`. Absent: the flag takes none. */
  readonly value?: string;
  readonly about: string;
  /** What is wrong with a value, as a sentence, or null. */
  readonly check?: (text: string) => string | null;
}

export const logKinds = ['stdout', 'stderr', 'supervisor'] as const;
export type LogKind = (typeof logKinds)[number];

/** Before or after the verb, for every verb. */
export const globals = {
  logLevel: {
    name: 'log-level', value: 'LEVEL', about: 'what this process reports: off, error, warn, info, debug, trace or 0-5',
    check: (text) => {
      const level = parseLogLevel(text);
      return level.ok ? null : level.problem;
    },
  },
  sys: { name: 'sys', about: 'system mode: state in /var/lib/systemg, logs in /var/log/systemg (root only)' },
  dropPrivileges: { name: 'drop-privileges', about: 'as root, run services that name no user as nobody (start, restart)' },
} as const satisfies Record<string, OptionSpec>;
export const globalOptions: readonly OptionSpec[] = Object.values(globals);

export const options = {
  config: { name: 'config', short: 'c', value: 'FILE', about: 'configuration; default: sysg.config.yaml, sysg.yaml or systemg.yaml' },
  service: { name: 'service', short: 's', value: 'NAME', about: 'this service alone' },
  json: { name: 'json', about: 'print JSON' },
  daemonize: { name: 'daemonize', about: 'run the supervisor in the background' },
  waitTimeout: {
    name: 'wait-timeout', value: 'DURATION', about: 'with --daemonize: how long to wait for the services (default 60s)',
    check: (text) => {
      const parsed = parseDuration(text);
      return parsed.ok ? null : `expected ${parsed.expected}, got "${text}"`;
    },
  },
  stderr: { name: 'stderr', about: 'show the services\' stderr on stdout too' },
  wait: { name: 'wait', about: 'with --daemonize: wait until the restart is through' },
  all: { name: 'all', about: 'units that are no longer configured too' },
  noColor: { name: 'no-color', about: 'plain text; so does NO_COLOR, and output that is not a terminal' },
  lines: {
    name: 'lines', short: 'l', value: 'N', about: 'how many lines to begin with (default 50)',
    check: (text) => (/^[0-9]{1,9}$/.test(text) ? null : `expected a whole number ≥ 0, got "${text}"`),
  },
  kind: {
    name: 'kind', short: 'k', value: 'KIND', about: 'stdout, stderr (default) or supervisor',
    check: (text) => (parseKind(text) === null ? `expected stdout, stderr or supervisor, got "${text}"${didYouMean(text, logKinds)}` : null),
  },
  noFollow: { name: 'no-follow', about: 'end after the last line' },
} as const satisfies Record<string, OptionSpec>;

/** systemg 0.33.0's spellings and refusals. */
export function parseLogLevel(text: string): { readonly ok: true; readonly level: LogLevel } | { readonly ok: false; readonly problem: string } {
  const word = text.trim().toLowerCase();
  if (word === '') return { ok: false, problem: 'log level cannot be empty' };
  const level = parsePlainLevel(LEVEL_ALIASES.get(word) ?? word);
  if (level !== null) return { ok: true, level };
  if (/^[0-9]+$/.test(word)) return { ok: false, problem: `unsupported log level number '${word}' (expected 0-5)` };
  return { ok: false, problem: `invalid log level '${text}' (expected ${logLevels.join(', ')} or 0-5)${didYouMean(word, logLevels)}` };
}

export function parseKind(text: string): LogKind | null {
  const word = text.trim().toLowerCase();
  return logKinds.find((kind) => kind === word) ?? null;
}

const LEVEL_ALIASES = new Map([['err', 'error'], ['warning', 'warn'], ['information', 'info']]);
