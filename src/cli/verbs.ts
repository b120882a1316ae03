import { exportKinds } from '../engines.ts';
import { didYouMean } from '../words.ts';
import { oneOf, options, type OptionSpec } from './options.ts';

export interface Verb {
  readonly name: VerbName;
  readonly about: string;
  /** What its own help says beyond that. */
  readonly more?: string;
  readonly options: readonly OptionSpec[];
  /** Words that it takes besides flags. Absent: none. Those that name units may be given with `-s` as well. */
  readonly operands?: Operands;
  /** A command line of the user's may follow. */
  readonly trailing?: true;
  /** Works, and is shown only to those who ask for it by name. */
  readonly hidden?: true;
  readonly examples: readonly (readonly [command: string, about: string])[];
}

export interface Operands {
  /** `UNIT...` */
  readonly shown: string;
  readonly about: string;
  /** With those of `-s`. */
  readonly least: number;
  readonly most: number;
  /** What is wrong with one of them, as a sentence, or null. */
  readonly check?: (word: string) => string | null;
}

/** `sysg wait [options] UNIT...` */
export function synopsis({ name, operands, trailing }: Verb): string {
  return ['sysg', name, '[options]', ...(operands === undefined ? [] : [operands.shown]), ...(trailing === true ? ['[-- COMMAND...]'] : [])].join(' ');
}

const {
  service, json, forget, daemonize, waitTimeout, stderr, wait, untilUp, all, evenCompleted, noColor, lines, kind, noFollow, fullCommand, showSecrets, stream, name, ttl, parentPid, child, purge,
  goal, timeout, units, format, machine, live, graph, full, scenario, event, duration, startTime, seed, follow, since, supervisor, until, grep, timestamps, raw,
  init, print, force, yes, every, hosts, profile,
  listen, allowedHost, tokenFile, open, readOnly, compat, openMetrics,
  from, output, envName, image, strict,
} = options;

const anyUnits: Operands = { shown: '[UNIT...]', about: 'the names of units, or patterns such as \'web*\'; without them all are meant', least: 0, most: Infinity };
const someUnits: Operands = { shown: 'UNIT...', about: 'the names of one or more units, or patterns such as \'web*\'', least: 1, most: Infinity };

const table = {
  start: {
    about: 'start a supervisor and the services of a configuration',
    more: [
      'UNIT starts that configured service, also when the supervisor runs already. A command after -- runs as a unit of its own, in the current',
      'directory, beside the others. Each later supervisor starts such a unit again, until stop --forget removes it. With --parent-pid, --child or --ttl',
      'the command becomes a child of a running service with `spawn: {mode: dynamic}` instead, and its pid is printed. `sysg up` is short for',
      '`sysg start --daemonize`.',
    ].join(' '),
    options: [service, profile, daemonize, waitTimeout, stderr, json, name, parentPid, child, ttl],
    operands: anyUnits,
    trailing: true,
    examples: [
      ['sysg start', 'in the foreground, until Ctrl-C'],
      ['sysg start --daemonize -c app.yaml', 'in the background; returns when the services are up'],
      ['sysg start --daemonize web', 'web and what it needs; in a running supervisor too'],
      ['sysg start --daemonize --name ticker -- sleep 60', 'a command without a configuration, beside what runs'],
      ['sysg start --parent-pid 4711 --ttl 30 -- sleep 60', 'a child of a running service'],
    ],
  },
  stop: {
    about: 'stop some services, or all services and the supervisor',
    more: '`sysg down` is the same command.',
    options: [service, forget, every, json],
    operands: anyUnits,
    examples: [
      ['sysg stop web', 'web stays stopped until it is started again'],
      ["sysg stop 'web*' db", 'several, one after the other'],
      ['sysg stop', 'everything'],
      ['sysg stop --all', 'everything of every project'],
      ['sysg stop --forget ticker', 'a unit that was started by: sysg start --name ticker -- sleep 60'],
    ],
  },
  restart: {
    about: 'restart some services, or all services, with the configuration read again',
    more: 'A restart of everything does not run completed one-shots again, such as a migration, unless their definition has changed since they ran or --all is given. A service that is named is always restarted.',
    options: [service, daemonize, wait, waitTimeout, supervisor, evenCompleted, json],
    operands: anyUnits,
    examples: [
      ['sysg restart web', 'web alone'],
      ['sysg restart --supervisor', 'the supervisor itself, after an upgrade; services go on'],
      ['sysg restart -c new.yaml', 'everything, with another configuration'],
      ['sysg restart --daemonize', 'returns as soon as it is accepted; starts a supervisor when none runs'],
    ],
  },
  status: {
    about: 'show the units; exit code 0 healthy, 1 degraded, 2 failing, 3 no supervisor runs',
    options: [service, all, json, noColor, fullCommand, showSecrets, stream],
    operands: anyUnits,
    examples: [
      ['sysg status', 'a live table on a terminal, else a plain one'],
      ['sysg status web --json', 'one unit, for programs'],
      ['sysg status --stream 2s', 'again and again'],
    ],
  },
  ps: {
    about: 'the same as status; with --all the supervisors of the user, one for each project, with file, pid, units and health',
    options: [service, every, hosts, json, noColor, fullCommand, showSecrets, stream],
    operands: anyUnits,
    examples: [['sysg ps', 'the units of your supervisor'], ['sysg ps --all', 'every supervisor'], ['sysg ps --hosts machines.txt', 'the supervisors of several machines']],
  },
  inspect: {
    about: 'show everything about a unit, with its processes and charts; exit code 0 healthy, 1 degraded, 2 failing or unknown, 3 no supervisor runs',
    options: [service, json, noColor, showSecrets, stream],
    operands: someUnits,
    examples: [
      ['sysg inspect web', 'a report'],
      ['sysg inspect web --stream 60s', 'again every minute, with charts of the last one'],
      ['sysg inspect web --json', 'for programs; of several units a list'],
    ],
  },
  logs: {
    about: 'show what services wrote, and follow what they write',
    more: '--lines counts the lines of each service, of both its streams together. With --since or --until all lines of that time are shown, and --lines keeps the last of them. Lines of several logs are sorted by time, and each begins with the name of its log. Without names, services that are added later are followed, too.',
    options: [service, lines, kind, since, until, grep, timestamps, json, raw, noColor, follow, noFollow, stream, every, purge],
    operands: anyUnits,
    examples: [
      ['sysg logs web -k stdout', 'follow one service'],
      ['sysg logs -n 5 --no-follow', 'the last lines of every service'],
      ["sysg logs --since 10m --grep 'error|timeout'", 'of all services, and new lines as they come'],
      ['sysg logs --since 1h --until 5m --json', 'one object per line: at, unit, stream, line'],
      ['sysg logs -k supervisor', 'the log of the supervisor itself'],
      ['sysg logs web --purge', 'empty its files'],
    ],
  },
  validate: {
    about: 'check a configuration; exit code 1 with every error that it has',
    more: 'Without -c the file of the running supervisor is checked, else the one that a start would use. Nothing is started.',
    options: [json, showSecrets],
    examples: [['sysg validate', 'errors, warnings, and what systemg 0.33.0 would have read otherwise'], ['sysg validate -c new.yaml --json', 'for editors and programs']],
  },
  plan: {
    about: 'show what a reload would touch, and why, without touching it',
    options: [json],
    examples: [['sysg plan', 'with the file as it is now'], ['sysg plan -c new.yaml --json', 'with another file']],
  },
  reload: {
    about: 'apply what changed in the configuration and leave all else alone, as SIGHUP to the supervisor does',
    more: 'The supervisor answers as soon as it has ordered the changes. On a terminal, or with --wait, the command goes on until they have ended, for no longer than --wait-timeout.',
    options: [untilUp, waitTimeout, json],
    examples: [['sysg reload', 'reads the file again'], ['sysg reload --wait', 'for scripts: exit code 1 when a unit that changed did not come up'], ['sysg reload -c new.yaml', 'another file from now on']],
  },
  why: {
    about: 'explain why a unit is in its state: the causes with their times, what the unit waits for, what happens next and when; without names, each unit that is failing or degraded',
    options: [service, json],
    operands: { ...anyUnits, about: 'the names of units, or patterns such as \'web*\'; without them those that are failing or degraded are meant' },
    examples: [['sysg why', 'when something is wrong'], ['sysg why api', 'in sentences'], ['sysg why api --json', 'with the records of the journal behind them']],
  },
  events: {
    about: 'show the journal: every change of every unit with its cause',
    options: [service, lines, since, follow, json],
    operands: anyUnits,
    examples: [
      ['sysg events', 'the last 50, also without a supervisor'],
      ['sysg events api --since 10m -f', 'what happened to api in the last ten minutes, and what happens from now on'],
      ['sysg events --since 1h --json', 'one record per line'],
    ],
  },
  wait: {
    about: 'wait until units reach a state; exit code 124 when the time is over, 1 when a unit will not get there by itself',
    more: 'Of a cron unit the newest run counts: one that has failed is not waited over until the next.',
    options: [service, goal, timeout, json],
    operands: someUnits,
    examples: [
      ['sysg wait --for ready --timeout 30s web db', 'until both are ready'],
      ['sysg wait migrate --for completed', 'until migrate has ended with success'],
      ['sysg wait backup --for completed', 'until the run of a cron unit has ended; exit code 1 when it has failed'],
    ],
  },
  signal: {
    about: 'send a signal to the main process of a unit, or of several',
    options: [service, json],
    operands: { shown: 'UNIT... SIGNAL', about: 'the names of units, then a signal by name or number, such as HUP, SIGUSR1 or 15', least: 2, most: Infinity },
    examples: [['sysg signal web HUP', 'web reads its own configuration again, if it is a program that does so on SIGHUP']],
  },
  doctor: {
    about: 'check that state files, journal, socket, processes and supervisor agree; exit code 1 when they do not',
    more: 'The command works with and without a supervisor and changes nothing. Each line says what was found; a check that fails also says what was expected and what to do.',
    options: [json],
    examples: [['sysg doctor', 'when something looks wrong'], ['sysg doctor --json', 'for monitoring: {"ok", "findings": [{"check", "ok", "detail"}]}']],
  },
  chart: {
    about: 'show a state chart of the running machines, and where a unit is in it',
    more: 'Without --full the chart is condensed: events that do not change the state, and steps of bookkeeping, are left out.',
    options: [service, machine, format, live, graph, full, noColor],
    operands: { shown: '[UNIT]', about: 'the unit whose place in the chart is marked', least: 0, most: 1 },
    examples: [
      ['sysg chart web', 'the state of web, and the transitions that led there'],
      ['sysg chart web --live', 'as it moves'],
      ['sysg chart --format svg > service.svg', 'a picture'],
      ['sysg chart --graph --format mermaid', 'the units and their dependencies'],
    ],
  },
  simulate: {
    about: 'show what would happen, with the real machines on a virtual clock; nothing is started',
    options: [profile, scenario, event, duration, startTime, seed, full, json, noColor],
    examples: [
      ['sysg simulate --event api@3s=exit:1', 'when api crashes after three seconds'],
      ['sysg simulate --scenario crash.yaml --for 1d', 'a day of it'],
      ['sysg simulate --event "@9s=restart api" --json', 'for programs'],
    ],
  },
  import: {
    about: 'make a configuration from the file of another supervisor',
    more: [
      'FILE is an ecosystem file of pm2 (JavaScript, JSON or YAML), a Procfile (with the .env beside it), a supervisord.conf (with what it includes), a compose',
      'file (with what it extends and includes), a file of process-compose, or one of systemg. The result is valid, keeps the comments, and ends with a list, by lines of the source, of',
      'keys that have no equivalent or another meaning; the list is printed too. A file of JavaScript is evaluated by Node.js, in a process of its own',
      'without the descriptors of this command.',
    ].join(' '),
    options: [from, output, envName, force, json],
    operands: { shown: 'FILE', about: 'the file of the other supervisor', least: 1, most: 1 },
    examples: [
      ['sysg import ecosystem.config.js', 'writes sysg.config.yaml; then: sysg start'],
      ['sysg import --from compose -o - compose.yaml', 'shows it and writes nothing'],
      ['sysg import --env production ecosystem.config.js', 'with the variables of env_production'],
    ],
  },
  export: {
    about: 'write the services for an engine that runs more than one machine, or for systemd',
    more: [
      'compose and kubernetes need an image for each service; nomad runs a service without an image by raw_exec. Without -o everything is printed. Each key that has',
      'no equivalent or another meaning there is named on stderr with its line.',
    ].join(' '),
    options: [image, strict, output, force],
    operands: { shown: exportKinds.join('|'), about: 'the engine', least: 1, most: 1, check: oneOf(exportKinds) },
    examples: [
      ['sysg export systemd -o ~/.config/systemd/user', 'units of the user, then: systemctl --user start web'],
      ["sysg export compose --image web=a:1 --image '*=b:1'", 'prints a compose file'],
      ["sysg export kubernetes --image '*=app:1' --strict", 'prints nothing when something would be lost'],
    ],
  },
  boot: {
    about: 'have the machine start the supervisor when it boots, show what the next boot would do, or undo that',
    more: [
      'install writes a unit of systemd (of the user, or with --sys of the system), an OpenRC script, a @reboot line of crontab or a plist of launchd,',
      'whichever the machine has. The configuration is the one named with -c, else that of the running supervisor, else the one that a start would use.',
      'status: exit code 0 when the services start at the next boot, without a login, else 1.',
    ].join(' '),
    options: [profile, init, print, force, json],
    operands: {
      shown: 'install|status|uninstall', about: 'what to do', least: 1, most: 1,
      check: (word: string) => (['install', 'status', 'uninstall'].includes(word) ? null : `expected install, status or uninstall, got "${word}"${didYouMean(word, ['install', 'status', 'uninstall'])}`),
    },
    examples: [
      ['sysg boot install', 'from now on at every boot'],
      ['sysg boot install --init systemd --print', 'only look at the unit'],
      ['sysg --sys boot install -c /etc/systemg/sysg.yaml', 'as root, for the whole machine'],
      ['sysg boot status', 'what the next boot would do'],
    ],
  },
  web: {
    about: 'serve a live page: state charts that move, why, logs, metrics, rehearsals; also /metrics and /api/v1',
    more: 'The command is a process of its own, which asks the supervisor as every command does; Ctrl-C ends it. It prints an address with a token, which the browser exchanges for a cookie.',
    options: [listen, allowedHost, tokenFile, open, readOnly, compat, every],
    examples: [
      ['sysg web --open', 'in the browser of this machine'],
      ['sysg web --all', 'every supervisor of the user, to choose from in the page'],
      ['sysg web --read-only --listen 127.0.0.1:0', 'to look only, on a port that is free'],
      ['sysg web --listen 0.0.0.0:9080 --token-file token', 'for other machines, and for Prometheus'],
      ['sysg web --allowed-host sysg.example.org', 'behind a proxy of that name'],
    ],
  },
  metrics: {
    about: 'print the metrics of all units once, in the text format of Prometheus',
    options: [compat, openMetrics, every],
    examples: [['sysg metrics > /var/lib/node_exporter/sysg.prom', 'for a textfile collector'], ['sysg metrics --compat supervisord', 'with the names of other exporters too']],
  },
  purge: {
    about: 'stop everything and remove the state directory, logs included',
    more: 'The command ends the supervisor of this state directory and no other, and also processes that services of a dead supervisor left running. In system mode the logs in /var/log/systemg stay. On a terminal the command asks first.',
    options: [yes, json],
    examples: [['sysg purge', 'back to nothing'], ['sysg purge --yes', 'without being asked on a terminal']],
  },
  completions: {
    about: 'print the completion script of a shell',
    options: [units],
    operands: {
      shown: 'bash|zsh|fish', about: 'the shell', least: 0, most: 1,
      check: (word: string) => (['bash', 'zsh', 'fish'].includes(word) ? null : `expected bash, zsh or fish, got "${word}"`),
    },
    examples: [
      ['sysg completions bash', 'in ~/.bashrc: source <(sysg completions bash)'],
      ['sysg completions zsh', 'in ~/.zshrc, after compinit: source <(sysg completions zsh)'],
      ['sysg completions fish', 'in config.fish: sysg completions fish | source'],
    ],
  },
  spawn: {
    about: 'start a child of a running service (deprecated: use start --parent-pid)',
    options: [name, ttl, parentPid],
    trailing: true,
    hidden: true,
    examples: [['sysg spawn --name worker -- sleep 60', 'prints the pid']],
  },
} as const satisfies Record<string, Omit<Verb, 'name'>>;

export type VerbName = keyof typeof table;

/** Short words for a command with some of its flags. */
export const aliases: Readonly<Record<string, readonly [VerbName, ...string[]]>> = { up: ['start', '--daemonize'], down: ['stop'] };

/** Every command, in the order of help. */
export const verbs: readonly Verb[] = Object.entries<Omit<Verb, 'name'>>(table).map(([verb, about]) => ({ name: verb as VerbName, ...about }));
