import { isHalted } from '../process/proc.ts';
import { agrees, disagrees, entryOf, octal, servedUnits, specsInForce, startCommand, type Facts, type Finding } from './facts.ts';

/** Lock, pid file, socket and hint: whether they speak of the same supervisor, and whether it answers. */
export function checkLock(facts: Facts): readonly Finding[] {
  switch (facts.lock.state) {
    case 'held': return [checkOwner(facts), ...checkGuardian(facts), checkSocket(facts)];
    case 'free': return [checkLeftovers(facts)];
    case 'unknown': return [disagrees('lock', `it cannot be asked about: ${facts.lock.reason}`, 'to learn whether a supervisor runs',
      'Mend that first: no supervisor starts without it.')];
  }
}

function checkOwner({ paths, owner, pidText }: Facts): Finding {
  if (owner !== null) {
    return agrees('supervisor', `runs as pid ${owner.pid}${owner.isForeground ? ' in the foreground' : ''}, holds the lock and is named in sysg.pid`);
  }
  return disagrees('sysg.pid',
    pidText === null ? `${paths.lock} held by a supervisor, and no ${paths.pidFile}` : `${paths.pidFile} naming "${pidText}", which does not hold ${paths.lock}`,
    'the pid of the process that holds the lock', `Find the holder with: fuser ${paths.lock}; then end it with SIGTERM and start again.`);
}

/** Whether somebody would start the supervisor again. */
function checkGuardian(facts: Facts): readonly Finding[] {
  const { owner, processes } = facts;
  if (owner === null || (owner.guardian === null && owner.isForeground)) return [];
  const expected = 'a guardian that starts the supervisor again when it dies';
  if (owner.guardian === null) {
    return [disagrees('guardian', `none: it was killed, and supervisor ${owner.pid} runs alone`, expected,
      `Services go on through: kill -KILL ${owner.pid}; ${startCommand(facts)}, which starts both.`)];
  }
  if (isHalted(processes.get(owner.guardian))) return [disagrees('guardian', `pid ${owner.guardian} halted by a signal`, expected, `Let it go on with: kill -CONT ${owner.guardian}`)];
  return [agrees('guardian', `pid ${owner.guardian} starts the supervisor again when it dies`)];
}

function checkSocket(facts: Facts): Finding {
  const { paths, owner, processes, serving } = facts;
  const { kind, mode, uid } = entryOf(facts, paths.socket);
  const wrong = (found: string): Finding => disagrees('control socket', found, 'a supervisor that answers Status', wakeUp(facts));
  if (serving.kind !== 'answers') {
    if (owner !== null && isHalted(processes.get(owner.pid))) return wrong(`supervisor pid ${owner.pid} halted by a signal`);
    if (serving.kind === 'silent') return wrong(`a supervisor that does not answer: ${serving.reason}`);
    return wrong(`${kind === 'missing' ? 'no ' : 'no process behind '}${paths.socket}`);
  }
  if (kind === 'socket' && uid === facts.uid && (mode & 0o777) === 0o600) return agrees('control socket', `answers in ${serving.tookMs} ms, mode 0600`);
  return disagrees('control socket', `${paths.socket} of uid ${uid} with mode ${octal(mode)}`, 'a socket of this user with mode 0600', `chmod 600 ${paths.socket}`);
}

function wakeUp(facts: Facts): string {
  const { owner, processes, volumes } = facts;
  if (volumes.some(({ writable }) => !writable)) return 'Make the disk writable again: the supervisor makes its socket within 5 s then.';
  if (owner === null) return `End the holder of the lock, then start again: ${startCommand(facts)} goes on with the services.`;
  if (isHalted(processes.get(owner.pid))) return `Continue the supervisor with: kill -CONT ${owner.pid}`;
  return `End the supervisor with: kill -KILL ${owner.pid}; ${owner.guardian === null ? startCommand(facts) : 'its guardian starts another one, which'} goes on with the services.`;
}

function checkLeftovers(facts: Facts): Finding {
  const { paths, serving, pidText, hint } = facts;
  if (serving.kind !== 'nobody') {
    return disagrees('lock', `a process answers at ${paths.socket}, and no process holds ${paths.lock}`, 'one supervisor that answers and holds the lock',
      `A supervisor of systemg 0.33.0${pidText === null ? '' : ` (sysg.pid says ${pidText})`} answers without the lock: stop it with ${facts.command}stop, then start this one.`);
  }
  const left = [
    ...(pidText === null ? [] : ['sysg.pid']), ...(entryOf(facts, paths.socket).kind === 'missing' ? [] : ['control.sock']), ...(hint === null ? [] : ['config_hint']),
  ];
  if (left.length === 0) return agrees('supervisor', 'no supervisor runs, and none left files behind');
  return disagrees('supervisor', `none, but what a dead one left: ${left.join(', ')}${pidText === null ? '' : ` (its pid was ${pidText})`}`,
    'none of these files after an orderly end', `Go on with its services by: ${startCommand(facts)}; or end them by: ${facts.command}stop`);
}

export function checkConfiguration({ config, serving, command }: Facts): Finding {
  const check = 'configuration';
  if (config.kind === 'none') {
    return serving.kind === 'answers'
      ? disagrees(check, config.reason, 'the file that the supervisor runs', `Put it back, or name another with: ${command}restart -c FILE`)
      : agrees(check, `none to look at: ${config.reason.split('\n')[0]}`);
  }
  if (config.kind === 'refused') {
    const more = config.problems.length > 1 ? ` (and ${config.problems.length - 1} more)` : '';
    return disagrees(check, `${config.path} with errors: ${config.problems[0]}${more}`, 'a file that can be taken over',
      `See all of them with: ${command}validate. What runs goes on with the file as it was.`);
  }
  const known = `${config.path}: valid`;
  if (serving.kind !== 'answers') return agrees(check, known);
  const live = new Set(servedUnits(serving).map(({ name }) => name));
  const named = new Set(specsInForce({ config, serving }).map(({ name }) => name));
  const news = [...[...named].filter((name) => !live.has(name)).map((name) => `${name} is new`), ...[...live].filter((name) => !named.has(name)).map((name) => `${name} is gone`)];
  return agrees(check, news.length === 0 ? known : `${known}; not taken over yet: ${news.join(', ')} (see ${command}plan)`);
}
