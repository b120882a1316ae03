import { existsSync } from 'node:fs';
import { refusals, textOf, type Result } from '../errors.ts';
import { takeLock } from '../state/lock.ts';
import { isServed } from '../state/lock-owner.ts';
import type { Call } from './call.ts';
import { leftOfNamed } from './left-running.ts';
import { unknownUnit } from './names.ts';
import { leftNothing, restOf } from './offline.ts';

type StoppedAtRest = Result<{ readonly ended: readonly { readonly name: string; readonly pid: number }[] }>;

/** Stops what a dead supervisor left running: of the units that are named, else of all. */
export async function stopAtRest(call: Call, names: readonly string[] | null): Promise<StoppedAtRest> {
  const { paths, env, terminal } = call;
  const answer = restOf(call);
  // What runs is ended by what is on record of it where its file is broken or gone.
  const recorded = answer.ok || answer.refusal.code !== 'config' ? null : leftOfNamed(call);
  if (!answer.ok && recorded === null) return names === null && leftNothing(call) ? { ok: true, ended: [] } : answer;
  const { config, rest } = answer.ok ? answer : { config: null, rest: { units: [], listed: [] } };
  const meant = rest.units.filter(({ spec }) => names === null || names.includes(spec.name));
  const known = recorded?.names ?? rest.units.map(({ spec }) => spec.name);
  const orphans = rest.listed.flatMap(({ orphan }) => orphan ?? []);
  const unknown = names?.find((name) => !known.includes(name) && !orphans.some((orphan) => orphan.name === name));
  // What does not run may be in the file all the same.
  if (unknown !== undefined) return answer.ok ? { ok: false, refusal: unknownUnit(unknown, known) } : answer;
  // What a dead supervisor left of its files goes too, as with systemg 0.33.0.
  const isListed = names === null ? [paths.socket, paths.pidFile].some((path) => existsSync(path)) || rest.listed.length > 0 : rest.listed.some(({ name }) => names.includes(name));
  const isMeant = recorded !== null || meant.some((unit) => unit.process !== null || unit.suspect !== null || unit.recorded?.status === 'running' || (names === null && unit.foreign !== null));
  if (!isListed && !isMeant) return { ok: true, ended: [] };

  const lock = takeLock(paths.lock);
  if (!lock.ok) return { ok: false, refusal: (lock.held ? refusals.unserved : refusals.runtime)(lock.reason) };
  try {
    if (await isServed(paths.socket)) return { ok: false, refusal: refusals.runtime(`another process answers at ${paths.socket} without the lock of sysg: nothing was stopped`) };
    const { endOrphanAtRest, endUnits } = await import('../daemon/end-units.ts');
    const ended: { readonly name: string; readonly pid: number }[] = [];
    const left: string[] = [];
    for (const service of names ?? [null]) {
      const orphan = orphans.find(({ name }) => name === service);
      if (orphan !== undefined) {
        if (await endOrphanAtRest(paths, orphan, terminal.warn)) ended.push(orphan);
        else left.push(`service '${orphan.name}': some of its processes survive SIGKILL`);
        continue;
      }
      const result = await endUnits({ paths, environment: env, secrets: call.secrets, config: config === null ? null : { path: config.path, specs: config.specs }, service, onProblem: terminal.warn });
      if (!result.ok) return { ok: false, refusal: refusals.runtime(result.reason) };
      ended.push(...result.ended);
      left.push(...result.left);
    }
    return left.length === 0 ? { ok: true, ended } : { ok: false, refusal: refusals.refused(left.join('; ')) };
  } catch (error) {
    return { ok: false, refusal: refusals.runtime(textOf(error)) };
  } finally {
    lock.release();
  }
}
