import { makeEnding } from '../process/ending.ts';
import { refusals, textOf, type Refusal } from '../errors.ts';
import type { RestingUnit } from '../compat/at-rest.ts';
import { takeLock } from '../state/lock.ts';
import { isServed } from '../state/occupied.ts';
import { removeRuntimeFiles } from '../state/runtime-files.ts';
import { recordStopped } from '../compat/after-stop.ts';
import type { Call } from './call.ts';
import { restOf } from './offline.ts';

export type StoppedAtRest =
  /** Those that had a process, which is dead now. */
  | { readonly ok: true; readonly stopped: readonly { readonly name: string; readonly pid: number }[] }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Stops what a dead supervisor left running, dependents first: the provable processes of `service`, `null` of all units. Signals nothing that cannot be
 * proven to be a unit's.
 */
export async function stopAtRest(call: Call, service: string | null): Promise<StoppedAtRest> {
  const { paths, terminal } = call;
  const answer = restOf(call);
  if (!answer.ok) return answer;
  const targets = answer.rest.units.filter(({ spec }) => service === null || spec.name === service);
  if (service !== null && targets.length === 0) return { ok: false, refusal: refusals.unknownUnit(service) };
  const concerned = targets.filter((unit) => unit.process !== null || unit.suspect !== null || unit.recorded?.status === 'running');
  if (concerned.length === 0) return { ok: true, stopped: [] };

  const lock = takeLock(paths.lock);
  if (!lock.ok) return { ok: false, refusal: refusals.runtime(lock.reason) };
  try {
    if (await isServed(paths.socket)) return { ok: false, refusal: refusals.runtime(`somebody serves ${paths.socket} without our lock: nothing was stopped`) };
    const survivors = await endAll(targets, terminal.warn);
    const left = new Set([...survivors, ...targets.flatMap(({ spec, suspect }) => (suspect === null ? [] : [spec.name]))]);
    recordStopped(paths.stateDir, answer.rest.files, concerned.map(({ spec }) => spec).filter(({ name }) => !left.has(name)));
    if (left.size > 0) return { ok: false, refusal: refusals.refused(targets.filter(({ spec }) => left.has(spec.name)).map(whyLeft).join('; ')) };
    if (service === null) removeRuntimeFiles(paths);
    return { ok: true, stopped: targets.flatMap(({ spec, process }) => (process === null ? [] : [{ name: spec.name, pid: process.identity.pid }])) };
  } catch (error) {
    return { ok: false, refusal: refusals.runtime(textOf(error)) };
  } finally {
    lock.release();
  }
}

/** The names of those that survive. */
async function endAll(units: readonly RestingUnit[], onProblem: (text: string) => void): Promise<readonly string[]> {
  const ends = new Map<string, Promise<boolean>>();
  const end = (unit: RestingUnit): Promise<boolean> => {
    const begun = ends.get(unit.spec.name);
    if (begun !== undefined) return begun;
    const dependents = units.filter(({ spec }) => spec.dependsOn.some((needed) => needed.service === unit.spec.name));
    const ending = Promise.all(dependents.map(end)).then(() => endOne(unit, onProblem));
    ends.set(unit.spec.name, ending);
    return ending;
  };
  const results = await Promise.all(units.map(async (unit) => ({ name: unit.spec.name, ended: await end(unit) })));
  return results.filter(({ ended }) => !ended).map(({ name }) => name);
}

function endOne({ spec, process }: RestingUnit, onProblem: (text: string) => void): Promise<boolean> {
  if (process === null) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const finish = (ended: boolean): void => {
      for (const timer of timers) clearTimeout(timer);
      ending.detach();
      resolve(ended);
    };
    const ending = makeEnding({ leader: process.identity, token: process.token, child: null, onGone: () => finish(true), onProblem });
    timers.push(setTimeout(() => ending.obey({ type: 'kill' }), spec.stopTimeoutMs), setTimeout(() => finish(false), spec.stopTimeoutMs + SURRENDER_MS));
    ending.obey({ type: 'stop', signal: spec.stopSignal });
  });
}

/** After SIGKILL. */
const SURRENDER_MS = 10_000;

function whyLeft({ spec, process, suspect }: RestingUnit): string {
  if (suspect !== null) return `pid ${suspect.pid} may be service '${spec.name}' and was not signalled: ${suspect.why}`;
  return `service '${spec.name}': pid ${process?.identity.pid} survives SIGKILL`;
}
