import type { Call } from './call.ts';
import { options, type OptionSpec } from './options.ts';

/** A command answers with the exit code. */
export type Command = (call: Call) => Promise<number>;

export interface Verb {
  readonly name: string;
  readonly about: string;
  readonly options: readonly OptionSpec[];
  readonly examples: readonly (readonly [command: string, about: string])[];
  /** Only the command that is called is loaded. */
  load(): Promise<Command>;
}

const { config, service, json, daemonize, waitTimeout, stderr, wait, all, noColor, lines, kind, noFollow } = options;

export const verbs: readonly Verb[] = [
  {
    name: 'start',
    about: 'start a supervisor and the services of a configuration',
    options: [config, service, daemonize, waitTimeout, stderr, json],
    examples: [
      ['sysg start', 'in the foreground, until Ctrl-C'],
      ['sysg start --daemonize -c app.yaml', 'in the background; returns when the services are up'],
      ['sysg start --daemonize -s web', 'web alone; in a running supervisor too'],
    ],
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    name: 'stop',
    about: 'stop a service, or all services and the supervisor',
    options: [config, service, json],
    examples: [['sysg stop -s web', 'web stays stopped until it is started again'], ['sysg stop', 'everything']],
    load: async () => (await import('./commands/stop.ts')).stop,
  },
  {
    name: 'restart',
    about: 'restart a service, or all services, with the configuration read again',
    options: [config, service, daemonize, wait, waitTimeout, json],
    examples: [
      ['sysg restart -s web', 'web alone'],
      ['sysg restart -c new.yaml', 'everything, with another configuration'],
      ['sysg restart --daemonize', 'returns as soon as it is accepted; starts a supervisor when none runs'],
    ],
    load: async () => (await import('./commands/restart.ts')).restart,
  },
  {
    name: 'status',
    about: 'show the units; exit code 0 healthy, 1 degraded, 2 failing',
    options: [config, service, all, json, noColor],
    examples: [['sysg status', 'a table'], ['sysg status -s web --json', 'one unit, for programs']],
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'logs',
    about: 'show what services wrote, and go on showing it',
    options: [config, service, lines, kind, noFollow],
    examples: [
      ['sysg logs -s web -k stdout', 'follow one service'],
      ['sysg logs -l 5 --no-follow', 'the last lines of every service'],
      ['sysg logs -k supervisor', 'what the supervisor itself has to say'],
    ],
    load: async () => (await import('./commands/logs.ts')).logs,
  },
];
