import { existsSync } from 'node:fs';
import type { Combined } from '../config/ad-hoc.ts';
import { chosenServices } from '../config/profiles.ts';
import type { StatusSnapshot, UnitStatus } from '../wire/payloads.ts';
import { cronHealth, cronStatus, type CronFacts } from '../cron/summary.ts';
import { refusals, textOf, type Refusal, type Result } from '../errors.ts';
import { lookAtRest, mendStateFile, type AtRest, type RestingUnit } from '../compat/at-rest.ts';
import { masked } from '../masked.ts';
import { isAlive } from '../process/identity.ts';
import { readLedger } from '../state/ledger-read.ts';
import { isLocked, takeLock } from '../state/lock.ts';
import type { RecordedJob, RecordedState } from '../compat/state-files.ts';
import { healthWith, processFacts, runtimeOf, uptimeOf } from '../status/process-facts.ts';
import { runsOf } from '../compat/recorded.ts';
import { exitMetadata, orphanStatus, overallHealth } from '../status/snapshot.ts';
import type { Call } from './call.ts';
import { chooseConfig, chooseConfigAtRest, commandStart, configInUse, startWith } from './config-choice.ts';
import { leftRunning } from './left-running.ts';
import { combinedFor, loadConfigFor, loadOrRefuse } from './load-config.ts';

export type RestAnswer = Result<{ readonly config: { readonly path: string; readonly leftOut: ReadonlySet<string> } & Combined; readonly rest: AtRest }>;

/** Ledger, files and /proc, where there is no supervisor to ask. `leftOut`: what a start without profiles leaves out. */
export function restOf(call: Call): RestAnswer {
  const unserved = unservedRefusal(call);
  if (unserved !== null) return { ok: false, refusal: unserved };
  const config = chooseConfigAtRest(call);
  if (!config.ok) return { ok: false, refusal: config.refusal };
  const loaded = loadOrRefuse(call, config.path);
  if (!loaded.ok) {
    const left = leftRunning(call);
    return left === null ? loaded : { ok: false, refusal: { ...loaded.refusal, message: `${loaded.refusal.message}\n${left.text}; to end it: ${commandStart(call)}stop` } };
  }
  const combined = combinedFor(call, loaded.config);
  const begun = chosenServices(loaded.config, { profiles: [], names: new Set() });
  const leftOut = new Set(loaded.config.services.filter((spec) => !begun.includes(spec)).map(({ name }) => name));
  return { ok: true, config: { path: config.path, leftOut, ...combined }, rest: lookBy(call, config.path, combined, call.terminal.warn) };
}

const NO_UNITS = { specs: [] };

function lookBy({ paths: { stateDir, ledger }, env }: Call, config: string, { specs, adHoc }: Pick<Combined, 'specs'> & Partial<Combined>, onProblem: (text: string) => void): AtRest {
  return lookAtRest({ stateDir, ledger, config, adHoc, specs, environment: env, uid: process.geteuid?.() ?? 0, onProblem });
}

/** What Status would say, as far as it is known without a supervisor: no metrics, no tree. */
export function statusAtRest(call: Call): Result<{ readonly snapshot: StatusSnapshot }> {
  const answer = restOf(call);
  if (!answer.ok) return answer;
  const { config: { adHoc, leftOut }, rest: { units: known, strangers, listed } } = answer;
  const units = known.filter((unit) => !leftOut.has(unit.spec.name) || hasLeftWord(unit));
  mend(call, units);
  for (const { spec, suspect, foreign } of units) {
    if (foreign !== null) call.terminal.warn(foreignText(spec.name, foreign));
    if (suspect !== null) call.terminal.warn(`pid ${suspect.pid} may be service '${spec.name}', which cannot be proven: ${suspect.why}`);
  }
  const now = Date.now();
  const unknown = listed.filter(({ isUnits }) => !isUnits);
  const shown = [
    ...units.map((unit) => ({ ...unitAtRest(unit, now), ...(adHoc.has(unit.spec.name) && { ad_hoc: true }) })), ...strangers.map(strangerAtRest), ...unknown.map((one) => orphanStatus(one, now)),
  ].sort((one, other) => (one.hash < other.hash ? -1 : 1));
  const snapshot: StatusSnapshot = { schema_version: 'status.v1', captured_at: new Date(now).toISOString(), overall_health: overallHealth(shown), units: shown };
  return { ok: true, snapshot: masked(snapshot, call.secrets.mask) };
}

/** A service that a start would leave out for its profiles is shown where the last supervisor had it, or something of it lives. */
function hasLeftWord({ process, zombie, suspect, foreign, noted, recorded, job }: RestingUnit): boolean {
  return [process, zombie, suspect, foreign, noted, recorded, job].some((word) => word !== null);
}

/** Whether there is no file to look by, and nothing to look for: the last supervisor ended in order, and no state file names a process. */
export function leftNothing(call: Call): boolean {
  const { ledger, socket, pidFile } = call.paths;
  if (chooseConfigAtRest(call).ok || [socket, pidFile].some((path) => existsSync(path))) return false;
  const onProblem = (): void => undefined;
  const { listed } = lookBy(call, '', NO_UNITS, onProblem);
  return listed.length === 0 && readLedger(ledger, { onProblem, quarantine: false }).clean;
}

/** For an end to what systemg 0.33.0 left running, which writes down whose a process is and which file it runs. `unknown`: what that file does not have. */
export function leftBySystemg(call: Call): { readonly config: (Pick<Combined, 'specs'> & { readonly path: string }) | null; readonly unknown: readonly string[] } {
  const [hint, chosen] = [configInUse(call), chooseConfig(call)];
  const path = hint ?? (chosen.ok ? chosen.path : '');
  const loaded = loadConfigFor(call, path);
  const specs = loaded.ok ? loaded.config.services : [];
  const { listed } = lookBy(call, path, NO_UNITS, () => undefined);
  const unknown = listed.filter(({ name, process: found }) => found !== null && isAlive(found) && !specs.some((spec) => spec.name === name));
  return { config: loaded.ok ? { path, specs } : null, unknown: unknown.map(({ name, pid }) => `pid ${pid} may be service '${name}' of systemg 0.33.0, of which no configuration says what it runs: end it`) };
}

/** While nobody has the lock: a supervisor writes the file itself. */
function mend({ paths: { stateDir, ledger, lock: lockFile }, terminal }: Call, units: readonly RestingUnit[]): void {
  if (!units.some(({ process, recorded }) => process !== null && recorded?.status !== 'running')) return;
  const lock = takeLock(lockFile);
  if (!lock.ok) return;
  mendStateFile({ stateDir, ledger, onProblem: terminal.warn }, units);
  lock.release();
}

/** That nobody supervises, and what to do about it. */
export function adviceAtRest(call: Call): string {
  const config = chooseConfigAtRest(call);
  if (!config.ok) return `No supervisor is running (state directory ${call.paths.stateDir}), and there is no configuration to start one with.`;
  return `No supervisor is running: what ends is not restarted, and no schedule is kept. To start one: ${startWith(call, config.path)}`;
}

/** A supervisor that just starts, or whose socket another program took: the files are its own to speak of. */
function unservedRefusal({ paths }: Call): Refusal | null {
  try {
    return isLocked(paths.lock) ? refusals.unserved(`a supervisor holds ${paths.lock} and does not serve ${paths.socket}: it is starting, ending, another program took its socket, or its disk takes none: see sysg doctor`) : null;
  } catch (error) {
    return refusals.runtime(textOf(error));
  }
}

function foreignText(name: string, { pid, config }: NonNullable<RestingUnit['foreign']>): string {
  return `pid ${pid} is service '${name}' of ${config}, which the last supervisor ran, and not of this file`;
}

function unitAtRest(unit: RestingUnit, nowWallMs: number): UnitStatus {
  const { spec, foreign, process, zombie, recorded, isSuspended, job } = unit;
  const shown = process ?? zombie;
  const facts = shown === null ? null : processFacts(shown.pid, shown.startTime);
  const isZombie = facts?.state === 'zombie';
  const alive = process !== null && facts?.state === 'running';
  const uptime = uptimeOf(facts, nowWallMs);
  // It ran when its supervisor ended, and is gone.
  const lost = recorded?.status === 'running' && !alive && !isZombie;
  const lifecycle = alive ? 'running' : recorded === null || lost ? 'stopped' : recorded.status;
  const hasFailed = !alive && (lifecycle === 'exited_with_error' || hasFailedBefore(unit));
  const runs = job === null ? [] : runsOf(job, process?.pid ?? null, nowWallMs);
  return {
    name: spec.name, hash: spec.hash, kind: spec.cron === null ? 'service' : 'cron', lifecycle,
    health: alive ? healthWith(facts, healthOfLiving(unit)) : isZombie ? 'failing' : job !== null ? cronHealth(runs) : hasFailed ? 'failing' : healthAtRest(lifecycle, lost, recorded),
    ...(shown !== null && (alive || isZombie) && { process: runtimeOf(shown.pid, facts) }),
    ...(uptime !== null && { uptime }),
    ...(!alive && lastExit(recorded)),
    ...(spec.cron !== null && job !== null && { cron: cronStatus({ timezone: spec.cron.timezone, runs, samplesBetween: recordedSamples(job) }, nowWallMs) }),
    command: spec.command,
    ...(foreign !== null && { reason: foreignText(spec.name, foreign) }),
    ...(facts?.commandLine != null && { runtime_command: facts.commandLine }),
    phase: alive ? 'running' : hasFailed ? 'failed' : isSuspended ? 'waiting' : 'stopped',
    ...(isSuspended && { wanted: 'down' as const }),
  };
}

/** Nobody checks it now: it is healthy as far as its check had passed when the supervisor last noted anything. */
function healthOfLiving({ spec, process, noted }: RestingUnit): UnitStatus['health'] {
  const isKnown = noted?.process?.identity?.pid === process?.pid && noted?.state === 'running';
  return spec.check === null || isKnown ? 'healthy' : 'degraded';
}

/** The end of the supervisor stops a unit that has failed, too, and says nothing else about how that ended. */
function hasFailedBefore({ noted, recorded }: RestingUnit): boolean {
  return noted?.outcome === 'failed' && noted.process === null && recorded?.status === 'stopped' && recorded.exitCode === (noted.exit?.code ?? null);
}

/** `inactive`: nothing is known of it, as far as the files go it never ran. */
function healthAtRest(lifecycle: UnitStatus['lifecycle'], lost: boolean, recorded: RecordedState | null): UnitStatus['health'] {
  if (lifecycle === 'exited_with_error') return 'failing';
  return lost ? 'degraded' : recorded === null ? 'inactive' : 'healthy';
}

/** Only systemg 0.33.0 writes them. */
function recordedSamples({ runs }: RecordedJob): CronFacts['samplesBetween'] {
  const all = runs.flatMap(({ samples }) => samples);
  return (fromMs, toMs, count) => all.filter(({ timestamp }) => Date.parse(timestamp) >= fromMs && Date.parse(timestamp) <= toMs).slice(-count);
}

function strangerAtRest({ hash, recorded }: AtRest['strangers'][number]): UnitStatus {
  const lifecycle = recorded.status === 'running' ? 'stopped' : recorded.status;
  const health = lifecycle === 'exited_with_error' ? 'failing' : 'healthy';
  return { name: `[orphaned] ${hash.slice(0, 12)}`, hash, kind: 'orphaned', lifecycle, health, ...lastExit(recorded) };
}

function lastExit(recorded: RecordedState | null): Pick<UnitStatus, 'last_exit'> {
  return recorded === null || (recorded.exitCode === null && recorded.signal === null) ? {} : { last_exit: exitMetadata(recorded.exitCode, recorded.signal) };
}
