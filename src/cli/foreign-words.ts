import { configNames, shortestConfig } from '../config/discover.ts';

/** What probably is meant by a command of another supervisor or engine, as the rest of a sentence; null for a word of none. */
export function meaningOfCommand(name: string): string | null {
  const same = sameCommands.find(([, foreign]) => foreign.split(' ').includes(name));
  if (same !== undefined) return `, did you mean '${same[0]}'?`;
  const other = otherCommands.find(([foreign]) => foreign.split(' ').includes(name));
  return other === undefined ? null : `: ${other[1]}`;
}

/** The same of a flag of the command `verb`; of none where that is null. */
export function meaningOfFlag(flag: string, verb: string | null): string | null {
  const found = flags.find(([names, of]) => names.split(' ').includes(flag) && (of === null || (verb !== null && of.split(' ').includes(verb))));
  if (found === undefined) return null;
  const [, , meant] = found;
  return meant.startsWith('-') ? `, did you mean '${meant}'?` : `: ${meant}`;
}

const sameCommands: readonly (readonly [ours: string, foreign: string])[] = [
  ['ps', 'list ls l jlist prettylist monit monitor dash dashboard top stats get avail process list-units list-timers'],
  ['inspect', 'describe desc show info pid env cat'],
  ['logs', 'log tail'],
  ['logs -k supervisor', 'maintail'],
  ['logs --purge', 'flush clear'],
  ['events', 'journal history'],
  ['plan', 'reread diff'],
  ['reload', 'apply daemon-reload'],
  ['restart --supervisor', 'daemon-reexec upgrade'],
  ['restart', 'try-restart reload-or-restart run once'],
  ['start', 'reset-failed'],
  ['down', 'shutdown quit exit'],
  ['signal', 'sendSignal'],
  ['status', 'is-active is-failed health ping'],
  ['boot install', 'enable startup'],
  ['boot uninstall', 'disable unstartup'],
  ['boot status', 'is-enabled'],
  ['validate', 'check config lint verify'],
  ['chart --graph', 'graph list-dependencies'],
  ['web', 'ui serve'],
  ['import', 'convert'],
  ['why', 'explain'],
  ['--version', 'version'],
];

const otherCommands: readonly (readonly [foreign: string, meant: string])[] = [
  ['update', 'to apply a changed configuration: sysg reload; after an upgrade of sysg: sysg restart --supervisor'],
  ['kill', 'to end everything: sysg down; to send a signal: sysg signal UNIT SIGNAL'],
  ['delete del rm remove destroy', 'take the service out of the configuration, then: sysg reload; what was started from the command line: sysg stop --forget UNIT'],
  ['init new', `write this into ${configNames[0]}: ${shortestConfig}; to make one of another supervisor's file: sysg import FILE`],
  ['add create', 'put the service into the configuration, then: sysg reload; a command without a configuration: sysg start --name NAME -- COMMAND'],
  ['save dump resurrect cleardump', 'nothing has to be saved, since the configuration says what runs; to start it at boot: sysg boot install'],
  ['scale', 'each instance is a service of its own in the configuration'],
  ['exec attach fg', 'services are processes of this machine: sysg inspect UNIT names the pid'],
  ['edit', 'change the file, then: sysg plan, and sysg reload'],
  ['build pull push images', 'there are no images: services are programs of this machine'],
  ['rollout undo', 'sysg restart UNIT replaces by the strategy of the service; to go back, put the former file in place, then: sysg reload'],
  ['ctl', 'sysg itself is the control program, as in: sysg ps'],
  ['project projects', 'to list the supervisors of all projects: sysg ps --all'],
];

const flags: readonly (readonly [names: string, verbs: string | null, meant: string])[] = [
  ['--detach --daemon --background', 'start', '--daemonize'],
  ['-n --nodaemon --no-daemon --foreground', 'start', 'sysg start without --daemonize stays in the foreground'],
  ['--build', 'start restart', 'there are no images: services are programs of this machine'],
  ['--watch', 'start restart', 'the program has to watch its files itself, as in: node --watch'],
  ['-i --instances --scale --replicas', 'start', 'each instance is a service of its own in the configuration'],
  ['--update-env', 'restart', 'a restart reads the configuration and its env files again in any case'],
  ['-v --volumes', 'stop', 'to remove state and logs: sysg purge'],
  ['-t --time --timeout', 'stop restart', 'stop_timeout in the configuration is how long a stop may take'],
  ['--remove-orphans', 'start stop', 'sysg reload ends what is no longer in the configuration'],
  ['--tail --nlines', 'logs', '--lines'],
  ['--nostream', 'logs', '--no-follow'],
  ['--err', 'logs', '--kind stderr'],
  ['--out', 'logs', '--kind stdout'],
  ['--tail', 'events', '--lines'],
  ['-w --watch', 'status ps inspect', '--stream 2s'],
  ['-u --unit', null, '--service'],
  ['-o --output --format', 'status ps inspect events logs why plan validate', '--json'],
  ['--dry-run --diff', null, 'to see what a reload would do: sysg plan; to rehearse a fault: sysg simulate'],
  ['-f --file --configuration', null, '--config'],
  ['--user', null, "without --sys the user's own supervisor is meant"],
  ['-v', null, '--version'],
];
