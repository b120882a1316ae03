import { importKinds } from '../engines.ts';
import { initSystems } from '../init-system.ts';
import { logLevels, parseLogLevel as parsePlainLevel, type LogLevel } from '../log-level.ts';
import { wrongProject } from '../runtime-paths.ts';
import { didYouMean, momentForm, parseDuration, parseMoment, parsePattern, type Parsed } from '../words.ts';

/** One flag of the command line. The table of verbs is made of these; nothing else knows how a flag is written. */
export interface OptionSpec {
  /** Without the dashes. */
  readonly name: string;
  readonly short?: string;
  /** Further letters that mean the same. */
  readonly also?: readonly string[];
  /** What a value stands for, `FILE`. Absent: the flag takes none. */
  readonly value?: string;
  readonly about: string;
  /** May be given more than once. */
  readonly repeats?: true;
  /** An empty value is for the command to judge, as in 0.33.0. */
  readonly mayBeEmpty?: true;
  /** Every value that it can have. */
  readonly choices?: readonly string[];
  /** What is wrong with a value, as a sentence, or null. */
  readonly check?: (text: string) => string | null;
}

/** The flags of one call, by name. A flag without a value is there or not. */
export interface Flags {
  has(option: OptionSpec): boolean;
  text(option: OptionSpec): string | null;
  /** Of a flag that may be repeated, in the order given. */
  texts(option: OptionSpec): readonly string[];
}

export const logKinds = ['stdout', 'stderr', 'all', 'supervisor'] as const;
export type LogKind = (typeof logKinds)[number];

/** What `wait` can wait for. */
export const goals = ['running', 'ready', 'stopped', 'failed', 'completed'] as const;
export type Goal = (typeof goals)[number];

/** What `chart` can be written as. */
export const chartFormats = ['text', 'mermaid', 'dot', 'svg', 'json', 'scxml'] as const;
export type ChartFormat = (typeof chartFormats)[number];

const defaultWait = '60s';

/** Before or after the verb, for every verb. */
export const globals = {
  config: {
    name: 'config', short: 'c', value: 'FILE', repeats: true,
    about: 'configuration; default: sysg.config.yaml, sysg.yaml or systemg.yaml; later files are laid over earlier ones',
  },
  logLevel: {
    name: 'log-level', value: 'LEVEL', about: 'what this process reports: off, error, warn, info, debug, trace or 0-5', choices: logLevels,
    check: (text) => {
      const level = parseLogLevel(text);
      return level.ok ? null : level.problem;
    },
  },
  sys: { name: 'sys', about: 'system mode: state in /var/lib/systemg, logs in /var/log/systemg (root only)' },
  project: {
    name: 'project', short: 'p', value: 'NAME', mayBeEmpty: true,
    about: 'the project whose supervisor is meant; \'\' is the supervisor without a project; default: SYSG_PROJECT, then the `project` of the configuration', check: (text) => (text === '' ? null : wrongProject(text)),
  },
  host: { name: 'host', value: 'USER@MACHINE', about: 'ask the supervisor of another machine over ssh; for commands that a supervisor answers' },
  dropPrivileges: { name: 'drop-privileges', about: 'as root, run services without a `user` as the user nobody (start, restart)' },
} as const satisfies Record<string, OptionSpec>;
export const globalOptions: readonly OptionSpec[] = Object.values(globals);

export const options = {
  config: globals.config,
  sys: globals.sys,
  host: globals.host,
  service: { name: 'service', short: 's', value: 'UNIT', about: 'a unit or a pattern, as a word after the command; may be repeated', repeats: true },
  json: { name: 'json', about: 'print JSON' },
  forget: { name: 'forget', about: 'also remove the units from the supervisor; only for units that were started from the command line' },
  daemonize: { name: 'daemonize', short: 'd', about: 'run the supervisor in the background' },
  waitTimeout: {
    name: 'wait-timeout', value: 'DURATION', about: `with --daemonize, or reload --wait: how long to wait for the services (default ${defaultWait})`, check: checked(parseDuration),
  },
  stderr: { name: 'stderr', about: 'show the services\' stderr on stdout too' },
  supervisor: { name: 'supervisor', about: 'replace the running supervisor by a new one; services keep running' },
  wait: { name: 'wait', about: 'with --daemonize: wait until the restart has ended' },
  untilUp: { name: 'wait', about: 'wait until what changed has come up, as on a terminal; exit code 1 with what did not' },
  all: { name: 'all', about: 'also units that are no longer configured' },
  evenCompleted: { name: 'all', about: 'also run again one-shots that have completed and have not changed' },
  hosts: { name: 'hosts', value: 'FILE', about: 'the supervisors of several machines; FILE has one USER@MACHINE, as ssh takes it, per line' },
  every: { name: 'all', about: 'every supervisor of the user, or with --sys of the system: with and without a project' },
  profile: { name: 'profile', value: 'NAME', repeats: true, about: 'also the services with this profile; may be repeated' },
  noColor: { name: 'no-color', about: 'print plain text, as with NO_COLOR or where the output is no terminal' },
  lines: {
    name: 'lines', short: 'l', also: ['n'], value: 'N', about: 'how many lines to begin with (default 50)',
    check: (text) => (/^[0-9]{1,9}$/.test(text) ? null : `expected a whole number ≥ 0, got "${text}"`),
  },
  kind: {
    name: 'kind', short: 'k', value: 'KIND', about: 'stdout, stderr, all (both, default) or supervisor', choices: logKinds,
    check: (text) => (parseKind(text) === null ? `expected stdout, stderr, all or supervisor, got "${text}"${didYouMean(text, logKinds)}` : null),
  },
  showSecrets: { name: 'show-secrets', about: 'show values from environments and env files, and what looks like a password, unmasked' },
  fullCommand: { name: 'full-cmd', about: 'show commands in full, on several lines where they do not fit' },
  stream: { name: 'stream', value: 'DURATION', mayBeEmpty: true, about: 'show the output again every DURATION, such as 5, 0.5s or 2m; inspect: with charts of that time' },
  name: { name: 'name', value: 'NAME', about: 'the name of the command that follows' },
  ttl: { name: 'ttl', value: 'SECONDS', about: 'end the child after this time', check: wholeNumber(2n ** 64n - 1n) },
  parentPid: {
    name: 'parent-pid', value: 'PID', about: 'the process to which the child belongs; default: the caller\'s parent',
    check: wholeNumber(2n ** 32n - 1n),
  },
  child: { name: 'child', about: 'start the command as a child of a running service; needs --parent-pid' },
  yes: { name: 'yes', about: 'do not ask on a terminal' },
  purge: { name: 'purge', about: 'empty the log files instead of showing them' },
  goal: { name: 'for', value: 'STATE', about: 'running, ready, stopped, failed or completed', choices: goals, check: oneOf(goals) },
  timeout: { name: 'timeout', value: 'DURATION', about: 'give up after this time, with exit code 124 (default: never)', check: checked(parseDuration) },
  units: { name: 'units', about: 'print the names of the units, one per line, for completion scripts' },
  format: {
    name: 'format', value: 'FORMAT', about: 'text (default), mermaid, dot, svg, json (for XState) or scxml', choices: chartFormats,
    check: oneOf(chartFormats),
  },
  machine: { name: 'machine', value: 'NAME', about: 'service (default), supervisor, operation, job, rollout, probe, ending or spawned' },
  live: { name: 'live', about: 'show the chart again whenever it changes' },
  graph: { name: 'graph', about: 'show the units and their dependencies instead of a machine' },
  full: { name: 'full', about: 'leave nothing out' },
  scenario: { name: 'scenario', value: 'FILE', about: 'how processes behave and what happens to them' },
  event: { name: 'event', value: 'EVENT', about: 'what happens, such as api@3s=exit:1, db@5s=check:fail or @6s=restart api; may be repeated', repeats: true },
  duration: { name: 'for', value: 'DURATION', about: 'how long (default: until nothing is pending, at most an hour)', check: checked(parseDuration) },
  startTime: {
    name: 'start', value: 'TIME', about: 'the wall clock at the beginning (default 2026-01-01T00:00:00Z)',
    check: (text) => (Number.isNaN(Date.parse(text)) || !/[zZ]$|[+-][0-9]{2}:[0-9]{2}$/.test(text) ? `expected a time such as 2026-03-08T00:30:00-05:00, got "${text}"` : null),
  },
  seed: { name: 'seed', value: 'N', about: 'seed of the random numbers (default 1)', check: wholeNumber(2n ** 31n - 1n) },
  follow: { name: 'follow', short: 'f', about: 'also show what happens from now on' },
  since: { name: 'since', value: 'TIME', about: 'show only what came after TIME: a duration before now, such as 10m, or an RFC 3339 time', check: checked(parsePast) },
  until: { name: 'until', value: 'TIME', about: 'show only what came before TIME: a duration before now, or an RFC 3339 time; then end', check: checked(parsePast) },
  grep: { name: 'grep', value: 'REGEX', about: 'show only lines that match this regular expression of JavaScript', check: checked(parsePattern) },
  timestamps: { name: 'timestamps', short: 't', about: 'show the local time before each line' },
  raw: { name: 'raw', about: 'show control sequences of the services\' output too, which can steer the terminal' },
  init: { name: 'init', value: 'SYSTEM', about: 'systemd, openrc, cron or launchd; default: what runs here', choices: initSystems, check: oneOf(initSystems) },
  print: { name: 'print', about: 'print what would be written and change nothing' },
  force: { name: 'force', about: 'replace a file that exists already and was not written by sysg' },
  from: { name: 'from', value: 'KIND', about: 'pm2, procfile, supervisord, compose, process-compose or systemg; default: by the content of the file', choices: importKinds, check: oneOf(importKinds) },
  output: { name: 'output', short: 'o', value: 'PATH', about: 'where to write: import takes a file (default sysg.config.yaml, - is stdout), export a directory' },
  envName: { name: 'env', value: 'NAME', about: 'for pm2: lay the variables of env_NAME over those of env' },
  image: {
    name: 'image', value: 'NAME=IMAGE', about: 'the image in which a service runs; * stands for all other services; may be repeated', repeats: true,
    check: (text) => (/^[^=]+=\S+$/.test(text) ? null : `expected SERVICE=IMAGE or *=IMAGE, got "${text}"`),
  },
  strict: { name: 'strict', about: 'exit with 1, and write nothing, when a key has no equivalent' },
  noFollow: { name: 'no-follow', about: 'end after the last line' },
  listen: { name: 'listen', value: 'ADDRESS', about: 'where the page is served (default 127.0.0.1:9080); port 0 is any free port' },
  allowedHost: {
    name: 'allowed-host', value: 'NAME', repeats: true,
    about: 'a further name by which browsers call the page, such as that of a proxy in front of it; may be repeated',
  },
  tokenFile: { name: 'token-file', value: 'FILE', about: 'a file of mode 600 with the token that clients need; required for an address that other machines can reach' },
  open: { name: 'open', about: 'show the page in the browser' },
  readOnly: { name: 'read-only', about: 'the page shows everything and changes nothing' },
  compat: {
    name: 'compat', value: 'NAMES', about: 'also give metrics under the names of other exporters: supervisord, process-exporter, or both with a comma', choices: ['supervisord', 'process-exporter'],
    check: (text) => (/^(supervisord|process-exporter)(,(supervisord|process-exporter))?$/.test(text) ? null : `expected supervisord, process-exporter or both with a comma, got "${text}"`),
  },
  openMetrics: { name: 'openmetrics', about: 'print the OpenMetrics format instead of that of Prometheus' },
} as const satisfies Record<string, OptionSpec>;

/** Every way of writing a flag, with its dashes. */
export function spellings({ name, short, also = [] }: OptionSpec): readonly string[] {
  return [`--${name}`, ...(short === undefined ? [] : [short, ...also]).map((letter) => `-${letter}`)];
}

/** systemg 0.33.0's spellings and refusals. */
export function parseLogLevel(text: string): { readonly ok: true; readonly level: LogLevel } | { readonly ok: false; readonly problem: string } {
  const word = text.trim().toLowerCase();
  if (word === '') return { ok: false, problem: 'log level cannot be empty' };
  const level = parsePlainLevel(LEVEL_ALIASES.get(word) ?? word);
  if (level !== null) return { ok: true, level };
  if (/^[0-9]+$/.test(word)) return { ok: false, problem: `unsupported log level number '${word}' (expected 0-5)` };
  return { ok: false, problem: `invalid log level '${text}' (expected ${logLevels.join(', ')} or 0-5)${didYouMean(word, logLevels)}` };
}

function checked(parse: (text: string) => Parsed<unknown>): (text: string) => string | null {
  return (text) => {
    const parsed = parse(text);
    return parsed.ok ? null : `expected ${parsed.expected}, got "${text}"${parsed.hint ?? ''}`;
  };
}

function parsePast(text: string): Parsed<number> {
  const value = parseMoment(text, 0);
  return value === null ? { ok: false, expected: momentForm } : { ok: true, value };
}

export function oneOf(words: readonly string[]): (text: string) => string | null {
  return (text) => (words.includes(text) ? null : `expected ${words.join(', ')}, got "${text}"${didYouMean(text, words)}`);
}

function wholeNumber(most: bigint): (text: string) => string | null {
  return (text) => (/^[0-9]{1,20}$/.test(text) && BigInt(text) <= most ? null : `expected a whole number from 0 to ${most}, got "${text}"`);
}

export function parseKind(text: string): LogKind | null {
  const word = text.trim().toLowerCase();
  return logKinds.find((kind) => kind === word) ?? null;
}

const LEVEL_ALIASES = new Map([['err', 'error'], ['warning', 'warn'], ['information', 'info']]);

/** How long `start`, `restart` and `reload` wait for the units. */
export function waitTimeoutMs({ flags }: { readonly flags: Flags }): number {
  const parsed = parseDuration(flags.text(options.waitTimeout) ?? defaultWait);
  // The option's own check has refused other forms.
  return parsed.ok ? parsed.value : 0;
}
