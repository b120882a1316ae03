import { existsSync } from 'node:fs';
import type { UnitStatus } from '../../wire/payloads.ts';
import { versionTwoNote } from '../../engines.ts';
import { attempt, pidText, refusals, type Refusal, type Result } from '../../errors.ts';
import { readHead } from '../../files.ts';
import { tokenVariable } from '../../process/environment.ts';
import type { SettledUnit } from '../../wire/launch.ts';
import { counted } from '../../words.ts';
import { ask, askFor, askInTurn, askStatus, messageOf, type Answer } from '../ask.ts';
import type { Call } from '../call.ts';
import { shownConfigPath } from '../../config-path.ts';
import { besideAdvice, chooseConfig, chooseConfigToRead, commandStart, configFlags, configInUse, isConfigOf, isNoConfig, noSupervisor, otherConfig, supervisorPid, warnAboutOtherConfig, type ChosenConfig } from '../config-choice.ts';
import { askedWords, namedUnits, startableUnits } from '../names.ts';
import { globals, options } from '../options.ts';
import { outcomes, refuse, refuseUnits, report, reportUnits, withProgress } from '../report.ts';
import { isRunning } from '../presence.ts';
import { foreignObstacle, supervisionOf, untilStarted, type Supervision } from '../supervision.ts';

/** Starts a supervisor; in a running one the services that are named. */
export async function start(call: Call): Promise<number> {
  const { flags, command } = call;
  if ([options.child, options.parentPid, options.ttl].some((option) => flags.has(option))) return (await import('./spawn.ts')).startChild(call);
  const contradiction = findContradiction(call);
  if (contradiction !== null) return refuse(call, refusals.runtime(contradiction));
  const named = await namedUnits(call, command === null ? askedWords(call) : [], startableUnits);
  if (!named.ok) return refuse(call, named.refusal);
  const profiled = flags.has(options.profile) && existsSync(call.paths.socket) ? await ofProfiles(call) : null;
  if (profiled?.ok === false) return refuse(call, profiled.refusal);
  const names = profiled === null ? named.names : [...new Set([...named.names ?? [], ...profiled.names])];
  const asked = await askRunning(call, names);
  if (asked !== null) return asked;
  const supervision = await supervisionOf(call);
  if (typeof supervision !== 'string') return refuse(call, supervision);
  const running = supervision !== 'none';
  if (running && names === null && command === null && !flags.has(options.daemonize)) return refuse(call, await runsOtherwise(call) ?? refusals.alreadyRunning(supervisorPid(call)));
  if (command !== null && flags.has(options.config)) call.terminal.warn('--config has no effect on a unit command: it gets a configuration of its own');
  if (running) {
    if (command !== null) return addBeside(call, supervision, command);
    if (names === null) return sayItRuns(call, supervision === 'ours');
    const otherwise = flags.has(options.config) ? await runsOtherwise(call) : null;
    if (otherwise !== null) return refuse(call, otherwise);
    return await startServices(call, names) ?? refuse(call, noSupervisor(call));
  }
  const config = command === null ? chooseConfig(call) : await stageFor(call, command);
  if (!config.ok) return refuse(call, config.refusal);
  const elsewhere = command === null ? await endsOthers(call, config.path) ?? await runsElsewhere(call, config.path) : null;
  if (elsewhere !== null) return refuse(call, elsewhere);
  noteForeignVersion(call, config.path);
  if (flags.has(options.daemonize)) return startDetached(call, config.path, names, start);
  const { runInForeground } = await import('../launch/foreground.ts');
  return runInForeground(call, config.path, names);
}

/** Says of a file of systemg of version 2 how it is read. What cannot be read is said by the start itself. */
function noteForeignVersion({ terminal }: Call, path: string): void {
  // ENOENT, EACCES and the like.
  const head = attempt(() => readHead(path, 4096).toString('utf8'), '');
  if (/^version:\s*(["']?)2\1\s*(?:#.*)?$/m.test(head)) terminal.warn(`${path}: ${versionTwoNote}`);
}

/** Ctrl-C ends the wait, and on a terminal the person there learns that the supervisor goes on. */
function sayWhatGoesOn(call: Call): () => void {
  const say = (): void => {
    if (supervisorPid(call) !== null) call.terminal.complain(`sysg: the supervisor goes on with the start; to end it and all services: ${commandStart(call)}stop`);
    // Without a handler, which `once` has taken away, the signal ends the process.
    process.kill(process.pid, 'SIGINT');
  };
  if (call.terminal.stderrIsTerminal()) process.once('SIGINT', say);
  return () => void process.off('SIGINT', say);
}

/** Why a supervisor with this file would end services of another one, which a dead supervisor left running, or null. */
export async function endsOthers(call: Call, path: string): Promise<Refusal | null> {
  // Without a ledger nothing is known to have been left, and nothing more is loaded.
  const others = existsSync(call.paths.ledger) ? (await import('../left-running.ts')).servicesOfAnother(call, path) : null;
  return others === null ? null : await faultsIn(call, path) ?? others;
}

/** What is wrong with the file, of which no start comes to anything, whatever else runs. */
async function faultsIn(call: Call, path: string): Promise<Refusal | null> {
  const { loadOrRefuse } = await import('../load-config.ts');
  const loaded = loadOrRefuse(call, path);
  return loaded.ok ? null : loaded.refusal;
}

/** Starts a supervisor under a guardian and reports how its units came up. `otherwise`: another start was faster, and its supervisor is the one. */
export async function startDetached(call: Call, configPath: string, names: readonly string[] | null, otherwise: (call: Call) => Promise<number>): Promise<number> {
  const { launchDetached } = await import('../launch/detached.ts');
  const expects = ({ name, kind }: UnitStatus): boolean => (names === null ? kind === 'service' : names.includes(name));
  const unwatch = sayWhatGoesOn(call);
  const launched = await withProgress(call, { expects, comesUp: true }, () => launchDetached(call, configPath, names)).finally(unwatch);
  if (launched === 'held') return otherwise(call);
  if (!launched.ok) return refuse(call, launched.refusal);
  const { units } = launched;
  const down = units.filter((unit) => faultOf(unit) !== null);
  const pid = launched.pid === null ? '' : ` (pid ${launched.pid})`;
  if (down.length > 0) {
    const lines = down.map((unit) => `  ${unit.name}: ${faultOf(unit)}; see ${commandStart(call)}why ${unit.name}`);
    const message = [`${down.length} of ${units.length} services did not start; the supervisor runs${pid}`, ...lines].join('\n');
    return refuse(call, refusals.notStarted(message), units);
  }
  const message = `supervisor started${pid}: ${counted(units.length, 'service')}`;
  if (call.flags.has(options.json)) return report(call, { message, units });
  // systemg 0.33.0 prints nothing here, and its callers may rely on that.
  if (call.terminal.stderrIsTerminal()) call.terminal.complain(message);
  return 0;
}

export function warnDropPrivileges(call: Call): void {
  call.terminal.warn('--drop-privileges has no effect on a supervisor that already runs');
}

function findContradiction({ flags, operands, command }: Call): string | null {
  if (command === null) return flags.has(options.name) ? '--name requires a unit command or child mode' : null;
  if (operands.length > 0) return `names of services and a command exclude each other: expected ${operands.join(' ')} or what follows --`;
  return flags.has(options.service) ? '--service cannot be used with unit commands; use --name for units' : null;
}

/** A command becomes a unit beside what runs. */
async function addBeside(call: Call, supervision: Supervision, command: readonly string[]): Promise<number> {
  if (supervision === 'foreign') return refuse(call, refusals.refused('the running supervisor is systemg 0.33.0, which takes no unit beside its configuration: nothing was started'));
  const { addUnit, unitOf } = await import('../ad-hoc.ts');
  return addUnit(call, unitOf(call, command));
}

/** A command becomes the configuration of a supervisor. */
async function stageFor(call: Call, command: readonly string[]): Promise<ChosenConfig> {
  const { servicesLeftRunning } = await import('../left-running.ts');
  const left = servicesLeftRunning(call);
  if (left !== null) return { ok: false, refusal: left };
  const { stage, unitOf } = await import('../ad-hoc.ts');
  return stage(call, unitOf(call, command));
}

/** What a person has stopped has not failed. */
function hasFailed({ kind, wanted, phase }: UnitStatus): boolean {
  return kind === 'service' && wanted !== 'down' && (phase === 'failed' || phase === 'backoff');
}

/** Null: it came up. */
function faultOf(unit: SettledUnit): string | null {
  if (unit.error !== undefined) return unit.error;
  if (unit.phase === 'failed' || unit.phase === 'backoff') return `is in phase ${unit.phase}`;
  return unit.phase === 'starting' ? 'came up, and is starting again' : null;
}

/** For a supervisor that runs: the services with the profiles that are named. */
async function ofProfiles(call: Call): Promise<Result<{ readonly names: readonly string[] }>> {
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return chosen;
  const { loadOrRefuse } = await import('../load-config.ts');
  const { namesWithProfile, unknownProfile } = await import('../../config/profiles.ts');
  const loaded = loadOrRefuse(call, chosen.path);
  if (!loaded.ok) return loaded;
  const profiles = call.flags.texts(options.profile);
  const unknown = unknownProfile(loaded.config, profiles);
  return unknown === null ? { ok: true, names: namesWithProfile(loaded.config, profiles) } : { ok: false, refusal: refusals.config(unknown) };
}

/** Sends services to a running supervisor; null when none answers, or the call is about something else. A supervisor that answers needs no search. */
async function askRunning(call: Call, names: readonly string[] | null): Promise<number | null> {
  if (names === null || !existsSync(call.paths.socket)) return null;
  // Whether the supervisor with another file lives is looked at first.
  if (call.flags.has(options.config) && await runsOtherwise(call) !== null) return null;
  warnAboutOtherConfig(call);
  return startServices(call, names);
}

/** Null: there is no supervisor. */
async function startServices(call: Call, names: readonly string[]): Promise<number | null> {
  const startOne = async (service: string): Promise<Answer> => {
    // A supervisor of systemg 0.33.0 would start a second copy.
    const obstacle = await foreignObstacle(call, service);
    if (obstacle?.kind === 'running') return { ok: true, response: { kind: 'message', text: `Service '${service}' is already running` } };
    return ask(call, { kind: 'start', service, settlements: call.flags.has(options.json) });
  };
  const answer = await withProgress(call, { expects: ({ name }) => names.includes(name) }, () => askInTurn(names, startOne));
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? null : refuseUnits(call, answer, names);
  if (call.dropPrivileges) warnDropPrivileges(call);
  return reportUnits(call, messageOf(answer.response), names);
}

/** The supervisor runs only what was started from the command line, which goes on: the configuration comes beside that. */
async function startBeside(call: Call, chosen: string): Promise<number> {
  const before = await askStatus(call);
  const reloaded = before.ok ? await ask(call, { kind: 'reload', config: chosen }) : before;
  const after = reloaded.ok ? await askStatus(call) : reloaded;
  if (!before.ok || !after.ok) return refuse(call, before.ok && !after.ok ? after.refusal : noSupervisor(call));
  const known = before.snapshot.units.map(({ name }) => name);
  // The reload starts them; what they answer to a start is how that went. A start of a cron unit would be a run of it.
  const names = after.snapshot.units.filter(({ name, kind }) => kind === 'service' && !known.includes(name)).map(({ name }) => name);
  const answer = await askInTurn(names, (service) => ask(call, { kind: 'start', service, settlements: call.flags.has(options.json) }));
  if (!answer.ok) return refuseUnits(call, answer, names);
  return reportUnits(call, names.map((name) => `Service '${name}' started`).join('\n'), names);
}

/** A supervisor of another project has the file, whose project was changed since: its services would be started a second time. Who names the project means it. */
async function runsElsewhere(call: Call, path: string): Promise<Refusal | null> {
  if (call.flags.has(globals.project) || (call.env['SYSG_PROJECT'] ?? '') !== '') return null;
  const { everySupervisor } = await import('../every-supervisor.ts');
  const other = everySupervisor(call).find((one) => one.paths.project !== call.paths.project && isConfigOf(one, path) && isRunning(one) === true);
  if (other === undefined) return null;
  const { project } = other.paths;
  const name = project === null ? 'without a project' : `of project ${project}`;
  return refusals.config(`${shownConfigPath(path)} runs in the supervisor ${name}${pidText(supervisorPid(other))}, and names ${call.paths.project === null ? 'none' : `project ${call.paths.project}`} now; to move it: sysg -p '${project ?? ''}' stop, then start again`);
}

/** The running supervisor has another file than the one of this start, for which there may be none; of a file that cannot be used, why not. */
async function runsOtherwise(call: Call): Promise<Refusal | null> {
  const { code, message } = refusals.alreadyRunning(supervisorPid(call));
  const [inUse, found] = [configInUse(call), chooseConfig(call)];
  if (inUse !== null && !found.ok) return { code, message: `${message} with ${shownConfigPath(inUse)}, and nothing was started: ${found.refusal.message}` };
  const other = otherConfig(call);
  if (other === null || isNoConfig(call, other.used)) return null;
  const wrong = await faultsIn(call, other.chosen);
  if (wrong !== null) return wrong;
  const [used, chosen] = [shownConfigPath(other.used), shownConfigPath(other.chosen)];
  return { code, message: `${message} with ${used}, not with ${chosen}; what using that instead would start and end: sysg plan${configFlags(other.chosen)}; ${besideAdvice(call, other.chosen)}` };
}

/** Exit code 0 only when the start would have come to the same: the supervisor has come up, with the same file, unchanged since it was read, and no service has failed. */
async function sayItRuns(call: Call, isOurs: boolean): Promise<number> {
  const otherwise = await runsOtherwise(call);
  if (otherwise !== null) return refuse(call, otherwise);
  const { code, message } = refusals.alreadyRunning(supervisorPid(call));
  const other = otherConfig(call);
  if (other !== null && isOurs && isNoConfig(call, other.used)) return startBeside(call, other.chosen);
  if (isOurs) {
    // A command of a service would wait for a start that waits for the command.
    const slow = call.env[tokenVariable] === undefined ? await untilStarted(call) : null;
    if (slow !== null) return refuse(call, slow);
    const answer = await askFor(call, { kind: 'plan', config: null }, 'plan');
    if (!answer.ok) return refuse(call, { code, message: `${message}, but its configuration cannot be used as it is now: ${answer.refusal.message}` });
    const { unchanged: _, ...changes } = answer.response.plan;
    const changed = Object.values(changes).flat().map(({ unit }) => unit);
    if (changed.length > 0) return refuse(call, { code, message: `${message} with an earlier state of its configuration (changed: ${changed.join(', ')}); to apply the present one: ${commandStart(call)}reload` });
    const status = await askStatus(call);
    if (!status.ok) return refuse(call, status.refusal);
    const failed = status.snapshot.units.filter(hasFailed);
    if (failed.length > 0) {
      const lines = failed.map(({ name, phase, reason }) => `  ${name}: is in phase ${phase}${reason === undefined ? '' : ` (${reason})`}; see ${commandStart(call)}why ${name}`);
      const text = `${message}, but ${failed.length} of its services ${failed.length === 1 ? 'has' : 'have'} failed`;
      return refuse(call, refusals.notStarted([text, ...lines].join('\n')), outcomes(status.snapshot, null));
    }
  }
  call.terminal.complain(`sysg: ${message}`);
  return call.flags.has(options.json) ? reportUnits(call, message, null) : 0;
}
