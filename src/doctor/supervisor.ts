import { entryOf, octal, servedUnits, type Facts } from './facts.ts';
import { agrees, disagrees, type Finding } from './finding.ts';

/** Lock, pid file, socket, hint and configuration: whether they speak of the same supervisor, and whether it answers. */
export function checkSupervisor(facts: Facts): readonly Finding[] {
  const findings = facts.lock.state === 'unknown'
    ? [disagrees('lock', { found: `it cannot be asked about: ${facts.lock.reason}`, expected: 'to learn whether a supervisor runs', remedy: 'Mend that first: no supervisor starts without it.' })]
    : facts.lock.state === 'held' ? held(facts) : free(facts);
  return [...findings, ...configuration(facts)];
}

function held(facts: Facts): readonly Finding[] {
  const { paths, owner, serving, pidText } = facts;
  const findings: Finding[] = [];
  if (owner === null) {
    findings.push(disagrees('sysg.pid', {
      found: pidText === null ? `${paths.lock} held by a supervisor, and no ${paths.pidFile}` : `${paths.pidFile} naming "${pidText}", which does not hold ${paths.lock}`,
      expected: 'the pid of the process that holds the lock', remedy: `Find the holder with: fuser ${paths.lock}; then end it with SIGTERM and start again.`,
    }));
  } else {
    findings.push(agrees('supervisor', `runs as pid ${owner.pid}${owner.guardian === null ? '' : ` under guardian ${owner.guardian}`}, holds the lock and is named in sysg.pid`));
  }
  const socket = entryOf(facts, paths.socket);
  if (serving.kind === 'answers') {
    const loose = socket.kind !== 'socket' || socket.uid !== facts.uid || (socket.mode & 0o777) !== 0o600;
    findings.push(loose
      ? disagrees('control socket', { found: `${paths.socket} of uid ${socket.uid} with mode ${octal(socket.mode)}`, expected: 'a socket of this user with mode 0600', remedy: `chmod 600 ${paths.socket}` })
      : agrees('control socket', `answers in ${serving.tookMs} ms, mode 0600`));
  } else {
    findings.push(disagrees('control socket', {
      found: isHalted(facts) ? `supervisor pid ${owner?.pid} halted by a signal` : serving.kind === 'silent' ? `a supervisor that does not answer: ${serving.reason}` : `${socket.kind === 'missing' ? 'no ' : 'nobody behind '}${paths.socket}`,
      expected: 'a supervisor that answers Status', remedy: wakeUp(facts),
    }));
  }
  return findings;
}

function isHalted({ owner, processes }: Facts): boolean {
  const state = owner === null ? undefined : processes.get(owner.pid)?.state;
  return state === 'T' || state === 't';
}

function wakeUp(facts: Facts): string {
  const { owner } = facts;
  if (owner === null) return 'End the holder of the lock, then start again: sysg start --daemonize goes on with the services.';
  if (isHalted(facts)) return `Let it go on with: kill -CONT ${owner.pid}`;
  return `End it with: kill -KILL ${owner.pid}; ${owner.guardian === null ? 'sysg start' : 'its guardian starts another one, which'} goes on with the services.`;
}

function free(facts: Facts): readonly Finding[] {
  const { paths, serving, pidText } = facts;
  if (serving.kind !== 'nobody') {
    return [disagrees('lock', {
      found: `somebody serves ${paths.socket} and nobody holds ${paths.lock}`, expected: 'one supervisor that does both',
      remedy: `A supervisor of systemg 0.33.0${pidText === null ? '' : ` (sysg.pid says ${pidText})`} does that: stop it with sysg stop, then start this one.`,
    })];
  }
  const left = [[pidText !== null, 'sysg.pid'], [entryOf(facts, paths.socket).kind !== 'missing', 'control.sock'], [facts.hint !== null, 'config_hint']]
    .flatMap(([is, name]) => (is === true ? [name] : []));
  if (left.length === 0) return [agrees('supervisor', 'none runs, and none left anything behind')];
  return [disagrees('supervisor', {
    found: `none, but what a dead one left: ${left.join(', ')}${pidText === null ? '' : ` (its pid was ${pidText})`}`, expected: 'none of these files after an orderly end',
    remedy: 'Go on with its services by sysg start --daemonize, or end them by sysg stop.',
  })];
}

function configuration(facts: Facts): readonly Finding[] {
  const { config, serving } = facts;
  if (config.kind === 'none') {
    return serving.kind === 'answers'
      ? [disagrees('configuration', { found: config.reason, expected: 'the file that the supervisor runs', remedy: 'Put it back, or name another with: sysg restart -c FILE' })]
      : [agrees('configuration', `none to look at: ${config.reason.split('\n')[0]}`)];
  }
  if (config.kind === 'refused') {
    return [disagrees('configuration', {
      found: `${config.path} with errors: ${config.problems[0]}${config.problems.length > 1 ? ` (and ${config.problems.length - 1} more)` : ''}`,
      expected: 'a file that can be taken over', remedy: 'See all of them with: sysg validate. What runs goes on with the file as it was.',
    })];
  }
  const known = `${config.path}: valid`;
  if (serving.kind !== 'answers') return [agrees('configuration', known)];
  const live = new Set(servedUnits(serving).map(({ name }) => name));
  const named = new Set(config.specs.map(({ name }) => name));
  const added = [...named].filter((name) => !live.has(name));
  const gone = [...live].filter((name) => !named.has(name));
  const news = [...added.map((name) => `${name} is new`), ...gone.map((name) => `${name} is gone`)].join(', ');
  return [agrees('configuration', news === '' ? known : `${known}; not taken over yet: ${news} (see sysg plan)`)];
}
