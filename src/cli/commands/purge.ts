import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hasCode, pidText, refusals, textOf, type Refusal } from '../../errors.ts';
import { realPath } from '../../files.ts';
import { signalProcess } from '../../process/signal.ts';
import { awaitLock } from '../../state/lock.ts';
import { findLockOwner, findSupervisor, isServed } from '../../state/lock-owner.ts';
import { ask, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { supervisorPid, unclearProject } from '../config-choice.ts';
import { options } from '../options.ts';
import { endGuardian, isRunning, lookForServer, untilOver, untilReleased } from '../presence.ts';
import { refuse, report } from '../report.ts';

/** Ends the supervisor of this state directory and whatever its services left, and removes the directory. */
export async function purge(call: Call): Promise<number> {
  const { stateDir, lock } = call.paths;
  const unclear = unclearProject(call);
  if (unclear !== null) return refuse(call, { ...unclear, message: `${unclear.message}; nothing was purged` });
  const otherwise = call.flags.has(options.config) ? await (await import('../left-running.ts')).otherRuns(call) : null;
  if (otherwise !== null) return refuse(call, otherwise);
  // A supervisor of systemg 0.33.0 serves the socket without our lock.
  const locked = isRunning(call);
  const found = locked === true ? 'served' : locked === false ? await lookForServer(call) : locked;
  if (found !== 'served' && found !== 'none') return refuse(call, found);
  const running = found === 'served';
  if (!call.flags.has(options.yes) && (running || existsSync(stateDir)) && await call.terminal.confirm?.(question(call, running)) === false) {
    return refuse(call, refusals.refused('nothing was purged'));
  }
  const stuck = running ? await endSupervisor(call) : null;
  if (stuck !== null) return refuse(call, stuck);
  if (existsSync(stateDir)) {
    await endGuardian(call.paths);
    const { lock: taken } = await awaitLock(lock, () => findLockOwner(call.paths) !== null, LAST_MS);
    // A supervisor that began meanwhile is ended like one that was there before, and another purge may have removed everything.
    if (!taken.ok && (!existsSync(stateDir) || (taken.held && await lookForServer(call) === 'served'))) return purge(call);
    if (!taken.ok) return refuse(call, refusals.runtime(taken.reason));
    try {
      const left = await endLeftovers(call);
      if (left.length > 0) return refuse(call, refusals.runtime(`${left.join('; ')}; nothing was removed`));
      removeState(call);
    } catch (error) {
      return refuse(call, refusals.runtime(`${stateDir} could not be removed: ${textOf(error)}`));
    } finally {
      taken.release();
    }
  }
  return report(call, { message: 'All systemg state has been purged', units: [] });
}

function question(call: Call, isRunning: boolean): string {
  const { stateDir, logDir, project, projectsDir } = call.paths;
  const logs = (project !== null && !call.system) || logDir.startsWith(`${stateDir}/`) ? ', logs included' : '';
  const rest = project === null && existsSync(projectsDir) ? `; the projects in ${projectsDir} stay` : '';
  return `${isRunning ? `This ends the supervisor${pidText(supervisorPid(call))} with all its services, and` : 'This'} removes ${stateDir}${logs}${rest}. Go on?`;
}

/** The directories of projects, which have supervisors of their own, stay; so do the logs of the system. */
function removeState({ system, paths: { stateDir, logDir, project, projectsDir }, terminal }: Call): void {
  if (project !== null && !system) remove(logDir, [], terminal.warn);
  remove(stateDir, project === null && existsSync(projectsDir) ? [projectsDir, join(logDir, basename(projectsDir))] : [], terminal.warn);
}

/** But for the paths that are kept and what they are in, for what is behind a link, which may be other people's, and for what something is mounted on. */
function remove(path: string, kept: readonly string[], warn: (text: string) => void): void {
  if (kept.includes(path)) return;
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSymbolicLink() === true && existsSync(path)) warn(`${path} is a link: what is in ${realPath(path)} stays`);
  if (!kept.some((other) => other.startsWith(`${path}/`) && existsSync(other))) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!hasCode(error, 'EBUSY') || found?.isDirectory() !== true) throw error;
    }
  }
  if (found?.isDirectory() === true) for (const name of readdirSync(path)) remove(join(path, name), kept, warn);
}

const GRACE_MS = 10_000;
const TERM_MS = 2000;
/** A supervisor that comes back only to end has services to stop. */
const LAST_MS = 15_000;

/** Why something goes on; empty: nothing does. */
async function endLeftovers(call: Call): Promise<readonly string[]> {
  const { paths, env, terminal, secrets } = call;
  const hasLedger = existsSync(paths.ledger);
  if (!hasLedger && !existsSync(join(paths.stateDir, 'pid.xml'))) return [];
  const { config, unknown } = hasLedger ? { config: null, unknown: [] } : (await import('../offline.ts')).leftBySystemg(call);
  if (unknown.length > 0) return unknown;
  const { endUnits } = await import('../../daemon/end-units.ts');
  const result = await endUnits({ paths, environment: env, secrets, config, service: null, onProblem: terminal.warn });
  return result.ok ? result.left : [result.reason];
}

/** By a request, then SIGTERM, then SIGKILL; and only the process that holds our lock. */
async function endSupervisor(call: Call): Promise<Refusal | null> {
  const asked = findSupervisor(call.paths);
  const answer = await ask(call, { kind: 'shutdown' });
  if (answer.ok) call.terminal.print(messageOf(answer.response));
  if (answer.ok && await untilReleased(call, GRACE_MS, asked)) return null;
  const owner = findLockOwner(call.paths);
  // A purge that began before this one has the lock until it is done.
  if (owner === null && !await isServed(call.paths.socket) && await untilReleased(call, LAST_MS)) return null;
  if (owner === null && isRunning(call) === false) {
    return refusals.unresponsive(`a process serves ${call.paths.socket} without the lock of sysg (pid ${supervisorPid(call) ?? 'unknown'}, by its pid file) and does not end; nothing was purged`);
  }
  if (owner === null) {
    return refusals.unresponsive(`a supervisor holds ${call.paths.lock}, does not answer, and cannot be proven to be pid ${supervisorPid(call) ?? 'unknown'}; nothing was purged`);
  }
  // The guardian remembers the signal: it starts the supervisor once more, to end the services and then itself.
  signalProcess(owner.guardian ?? owner.supervisor, 'SIGTERM');
  if (await untilReleased(call, TERM_MS)) return null;
  signalProcess(owner.supervisor, 'SIGKILL');
  const { guardian } = owner;
  const { isAlive } = await import('../../process/identity.ts');
  // Between two supervisors the lock is free.
  if (guardian !== null && !await untilOver(() => isAlive(guardian), LAST_MS)) call.terminal.warn(`the guardian (pid ${guardian.pid}) has not ended after ${LAST_MS / 1000} s`);
  return await untilReleased(call, LAST_MS) ? null : refusals.unresponsive(`supervisor pid ${owner.supervisor.pid} survived SIGKILL; nothing was purged`);
}
