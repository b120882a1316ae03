import { existsSync } from 'node:fs';
import { createClock } from './clock.ts';
import type { ReadConfig } from './control/outside.ts';
import { listen, type ControlServer, type Route } from './control/server.ts';
import { openAnswers, type Answers } from './daemon/answers.ts';
import { type Configuration, openConfiguration } from './daemon/configuration.ts';
import { startUnits } from './daemon/first-start.ts';
import { findWhatRuns } from './daemon/found.ts';
import { findOutdated, replaceOutdated } from './daemon/outdated.ts';
import { findParent, type Parent } from './daemon/parent.ts';
import { keepSmall } from './daemon/rest.ts';
import { parseDaemonOptions, softLimitOf, type DaemonOptions, type DaemonSetting } from './daemon/setting.ts';
import { handleFromTheStart, keepSignals, type KeptSignals, makeShutdown, obeySignals } from './daemon/signals.ts';
import { closeBooks, HOOKS_MS, openSupervision, removeTraces, seeOut, type Supervision } from './daemon/supervision.ts';
import { refusals, textOf } from './errors.ts';
import { makeForegroundEcho } from './logs/foreground.ts';
import { interpreter } from './interpreter.ts';
import { levelOfRustLog } from './log-level.ts';
import { openSupervisorLog, type SupervisorLog } from './logs/supervisor-log.ts';
import { closeInheritedDescriptors, connectionsWithin, descriptorLimit } from './process/descriptors.ts';
import { leaveTerminal } from './process/hangup.ts';
import { bootId } from './process/boot.ts';
import { openLedger, type Ledger } from './state/ledger.ts';
import { findLockOwner, isServed } from './state/lock-owner.ts';
import { awaitLock, lockHolder, type LockResult } from './state/lock.ts';
import { keepPresence, type Presence } from './state/presence.ts';
import { openSmallFiles } from './state/small-files.ts';
import { type RuntimePaths, runtimePaths } from './runtime-paths.ts';
import { callersEnvironment, forgetSurroundings } from './surroundings.ts';
import { openSecrets } from './secrets.ts';
import { diedSinceBoot, prepareRuntime } from './state/runtime.ts';
import { didYouMean } from './words.ts';

type Lock = Extract<LockResult, { ok: true }>;

/** The composition root: machines, ports, state, logs and socket are joined here and in `daemon/`, and nowhere else. */
async function serve(options: DaemonOptions, paths: RuntimePaths, parent: Parent): Promise<void> {
  closeInheritedDescriptors(parent.descriptors);
  const [environment, softNofile, nohup] = [callersEnvironment(process.env), softLimitOf(process.env), process.env['SYSG_NOHUP'] === '1'];
  forgetSurroundings(process.env);
  const aside: string[] = [];
  const unprepared = prepareRuntime(paths, (text) => aside.push(text));
  if (unprepared !== null) return tryLater(parent, unprepared);
  const lock = await takeTheLock(paths);
  if ('reason' in lock) return lock.isLasting ? refuse(parent, lock.reason, lock.held) : tryLater(parent, lock.reason);
  const kept = keepSignals();

  const secrets = openSecrets();
  const echo = options.foreground ? makeForegroundEcho({ stderrOnly: options.stderrOnly }) : null;
  const log = openSupervisorLog({
    file: options.foreground ? null : paths.supervisorLog, level: options.logLevel ?? levelOfRustLog(process.env['RUST_LOG'] ?? '') ?? 'info',
    colour: process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '', ...(echo !== null && { print: echo.print }), mask: secrets.mask,
  });
  const onProblem = (text: string): void => log.warn('sysg::supervisor', text);
  const setting: DaemonSetting = {
    options, parent, nohup, paths, environment, softNofile, dropPrivileges: options.dropPrivileges, echo, log, secrets, clock: createClock(), onProblem,
    files: openSmallFiles(onProblem),
  };
  aside.forEach(onProblem);
  const configuration = openConfiguration(setting);
  const ledger = openLedger(paths.ledger, { onProblem: setting.onProblem, bootId: bootId(), now: setting.clock.now, mask: secrets.mask });
  const config = configuration.first(ledger);
  if (!config.ok) return refuse(parent, config.problems);
  const names = config.specs.map(({ name }) => name);
  const unknown = options.services.find((service) => !names.includes(service));
  if (unknown !== undefined) return refuse(parent, refusals.unknownUnit(unknown, didYouMean(unknown, names)).message);
  if (ledger.unreadable !== null) {
    lock.release();
    return tryLater(parent, ledger.unreadable);
  }
  return run(setting, lock, kept, configuration, config, ledger);
}

async function run(
  setting: DaemonSetting, lock: Lock, kept: KeptSignals, configuration: Configuration, config: Extract<ReadConfig, { ok: true }>, ledger: Ledger,
): Promise<void> {
  const { log, parent, paths } = setting;
  const found = await findWhatRuns(setting, ledger, config, parent.again);
  const outdated = findOutdated(config.specs, found.adopt);
  const supervision = openSupervision(setting, outdated.adopted, found, ledger);
  const { units, outputs, records } = supervision;
  const answers = openAnswers(setting, config.metrics, configuration, ledger, units, outputs, records);
  const shutdown = makeShutdown(setting, supervision);
  const noteWork = keepSmall();
  const route: Route = (request, exchange) => {
    noteWork('request');
    return answers.route(request, exchange);
  };
  configuration.use(config, ledger);

  // The pid first: a client that finds a socket without a pid file takes it for a leftover.
  setting.files.put(paths.pidFile, String(process.pid));
  const server = await listen({
    path: paths.socket, route, onProblem: setting.onProblem, replace: true, connectionLimit: connectionsWithin(descriptorLimit()),
    patient: parent.again,
  });
  const presence = keepPresence({
    paths, lock, socket: server, onProblem: setting.onProblem, restoreFiles: () => restoreFiles(setting, supervision),
    onReplaced: (reason) => shutdown(`another supervisor has taken over ${paths.stateDir}: ${reason}`, { kind: 'signal', by: null }),
  });
  log.info('systemg::supervisor', `systemg supervisor listening on ${JSON.stringify(paths.socket)}`);
  parent.report({ event: 'listening', pid: process.pid });

  const ended = new Promise<number>((finish) => {
    const { root } = units;
    root.on('supervisor.ended', ({ exitCode }) => finish(exitCode));
    root.subscribe({ error: (error) => crash(log, error) });
  });
  startUnits(setting, outdated, supervision, () => noteWork('start'));
  replaceOutdated(setting, units, outdated, found.leaving);
  records.noteChildren();
  obeySignals(setting, kept, answers.route, shutdown, supervision);

  const outcome = await Promise.race([ended, answers.handedOver]);
  await end(outcome, setting, supervision, answers, presence, server);
}

/** After an exit code everything has ended. After a handover services go on, and what another supervisor needs stays where it is. */
async function end(
  outcome: number | 'handed over', setting: DaemonSetting, supervision: Supervision, { sampler }: Answers, presence: Presence, server: ControlServer,
): Promise<never> {
  const { log, parent, echo } = setting;
  const { units, records } = supervision;
  presence.close();
  sampler.close();
  records.childMemory.close();
  // Hooks and escapees may hold up the end for seconds: to others the services are stopped now.
  if (presence.isOurs()) records.projection.close();
  await server.close();
  if (outcome === 'handed over') {
    log.info('sysg::supervisor', 'Making way for a new supervisor; services go on');
    await units.hooks.finish(HOOKS_MS);
    // Loggers are started anew by the successor: ours get the output that is under way, and end.
    await supervision.outputs.logs.end();
    closeBooks(supervision);
    log.close();
    process.exit(HANDED_OVER);
  }
  await seeOut(setting, supervision);
  supervision.ledger.markClean();
  closeBooks(supervision);
  if (presence.isOurs()) removeTraces(setting);
  log.info('sysg::supervisor', `Supervisor ended with exit code ${outcome}`);
  log.close();
  echo?.end();
  parent.noteEnd(outcome);
  presence.release();
  leaveTerminal();
  process.exit(outcome);
}

/** How long a client may take to end what a dead supervisor left behind. */
const LOCK_MS = 30_000;
/** Of a supervisor that makes way: EX_TEMPFAIL of sysexits.h(3head). The guardian starts another one. */
const HANDED_OVER = 75;

/** The lock, or why this supervisor must not be. `isLasting`: another try would end in the same way. */
async function takeTheLock(paths: RuntimePaths): Promise<Lock | { readonly held: boolean; readonly reason: string; readonly isLasting: boolean }> {
  const hadPid = existsSync(paths.pidFile);
  const { lock, waited } = await awaitLock(paths.lock, () => findLockOwner(paths) !== null, LOCK_MS);
  if (!lock.ok) return { ...lock, isLasting: lock.held };
  // A client that stops everything takes the pid file away at its end.
  if (waited && hadPid && !existsSync(paths.pidFile)) return { held: false, reason: 'everything was stopped while the supervisor was to be started', isLasting: true };
  if (await isServed(paths.socket)) {
    return { held: true, reason: `${refusals.alreadyRunning(lockHolder(paths.pidFile)).message}: it serves ${paths.socket} without the lock of sysg`, isLasting: true };
  }
  return lock;
}

/** Puts back the files that were removed, and writes what the disk did not take before; true when there were any of the former. */
function restoreFiles({ files }: DaemonSetting, { ledger, units, records: { journal, projection } }: Supervision): boolean {
  const restored = [ledger.mend(), journal.mend(), files.mend(), units.restoreSlots()];
  // Their digests have to be in the ledger before.
  projection.mend();
  return restored.includes(true);
}

/** Reported to the program that started this one, and the end. */
function refuse(parent: Parent, message: string, held = false): never {
  if (!parent.report({ event: 'refused', message, ...(held && { held }) })) process.stderr.write(`sysg: ${message}\n`);
  parent.noteEnd(1);
  process.exit(1);
}

/** As `refuse`, of a start by a person. A supervisor that its guardian brought back leaves it at that for a while only: services run that nobody looks after. */
async function tryLater(parent: Parent, message: string): Promise<never> {
  if (!parent.again || parent.asked !== null) return refuse(parent, message);
  process.stderr.write(`sysg: ${message}; services go on, and nobody looks after them until the next try, in ${RETRY_MS / 1000} s\n`);
  // Whoever ends the guardian need not wait for that.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.removeAllListeners(signal);
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  process.exit(1);
}

const RETRY_MS = 5000;

/** An error of ours: the guardian starts a new daemon, which adopts the services. */
function crash(log: SupervisorLog, error: unknown): never {
  log.error('systemg::supervisor', `Supervisor exited with error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(70);
}

handleFromTheStart();
interpreter.spare();
const options = parseDaemonOptions(process.argv.slice(2));
const paths = runtimePaths({ system: options.system, project: options.project, env: process.env });
const parent = findParent(process.env, () => diedSinceBoot(paths));
serve(options, paths, parent).catch((error: unknown) => refuse(parent, textOf(error)));
