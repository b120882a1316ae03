import { existsSync } from 'node:fs';
import { createClock } from './clock.ts';
import type { ReadConfig } from './control/route.ts';
import { listen } from './control/server.ts';
import { openAnswers, type Answers } from './daemon/answers.ts';
import { openConfiguration, type Configuration } from './daemon/configuration.ts';
import { startUnits } from './daemon/first-start.ts';
import { findWhatRuns } from './daemon/found.ts';
import { parseDaemonOptions, type DaemonOptions } from './daemon/options.ts';
import { openOutputs, type Outputs } from './daemon/outputs.ts';
import { findParent, type Parent } from './daemon/parent.ts';
import { keepRecords, type Records } from './daemon/records.ts';
import type { Setting } from './daemon/setting.ts';
import { makeShutdown, obeySignals } from './daemon/signals.ts';
import { inheritedEnvironment, takeSoftLimit } from './daemon/surroundings.ts';
import { openUnits, type Units } from './daemon/units.ts';
import { refusals, textOf } from './errors.ts';
import { makeForegroundEcho } from './logs/foreground.ts';
import { levelOfRustLog } from './logs/log-level.ts';
import { openSupervisorLog, type SupervisorLog } from './logs/supervisor-log.ts';
import { rememberCgroups, removeEmptyCgroups } from './process/cgroup.ts';
import { connectionsWithin, descriptorLimit } from './process/descriptor-reserve.ts';
import { closeInheritedDescriptors } from './process/descriptors.ts';
import { bootId } from './process/boot.ts';
import { sweepsEnded } from './process/end-process.ts';
import { commandsEnded } from './process/run-command.ts';
import { forgetConfig } from './state/last-config.ts';
import { openLedger, type Ledger } from './state/ledger.ts';
import { findLockOwner } from './state/lock-owner.ts';
import { awaitLock, lockHolder, type LockResult } from './state/lock.ts';
import { isServed } from './state/occupied.ts';
import { keepPresence, type Presence } from './state/presence.ts';
import { removeRuntimeFiles, writeRuntimeFiles } from './state/runtime-files.ts';
import { prepareRuntime, runtimePaths, type RuntimePaths } from './state/runtime.ts';

type Lock = Extract<LockResult, { ok: true }>;

/** The composition root: machines, ports, state, logs and socket are joined here and in `daemon/`, and nowhere else. */
async function serve(options: DaemonOptions, parent: Parent): Promise<void> {
  closeInheritedDescriptors(parent.descriptors);
  const [environment, softNofile] = [inheritedEnvironment(), takeSoftLimit()];
  const paths = runtimePaths({ system: options.system, env: process.env });
  const unprepared = prepareRuntime(paths);
  if (unprepared !== null) return refuse(parent, unprepared);
  const lock = await takeTheLock(paths);
  if (typeof lock === 'string') return refuse(parent, lock);

  const echo = options.foreground ? makeForegroundEcho({ stderrOnly: options.stderrOnly }) : null;
  const log = openSupervisorLog({
    file: options.foreground ? null : paths.supervisorLog, level: options.logLevel ?? levelOfRustLog(process.env['RUST_LOG'] ?? '') ?? 'info',
    colour: process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '', ...(echo !== null && { print: echo.print }),
  });
  const setting: Setting = {
    options, parent, paths, environment, softNofile, echo, log, clock: createClock(), onProblem: (text) => log.warn('systemg::supervisor', text),
  };
  const configuration = openConfiguration(setting);
  const config = configuration.first();
  if (!config.ok) return refuse(parent, config.problems);
  if (options.service !== null && !config.specs.some(({ name }) => name === options.service)) {
    return refuse(parent, `Service '${options.service}' not found in configuration`);
  }
  const ledger = openLedger(paths.ledger, { onProblem: setting.onProblem, bootId: bootId(), now: setting.clock.now });
  if (ledger.unreadable !== null) return refuse(parent, ledger.unreadable);
  return run({ setting, lock, configuration, config, ledger });
}

interface Beginning {
  readonly setting: Setting;
  readonly lock: Lock;
  readonly configuration: Configuration;
  readonly config: Extract<ReadConfig, { ok: true }>;
  readonly ledger: Ledger;
}

async function run({ setting, lock, configuration, config, ledger }: Beginning): Promise<void> {
  const { log, parent, paths } = setting;
  const found = await findWhatRuns(setting, ledger, config);
  const outputs = openOutputs(setting);
  outputs.prepare([...config.specs, ...found.leaving]);
  rememberCgroups(config.specs);
  const units = openUnits(setting, config.specs, found, ledger, outputs);
  const records = keepRecords(setting, ledger, units, outputs);
  const answers = openAnswers(setting, config.metrics, configuration, units, outputs, records);
  const shutdown = makeShutdown(setting, units);
  note(setting, configuration.use(config));

  // The pid first: a client that finds a socket without a pid file takes it for a leftover.
  note(setting, writeRuntimeFiles(paths, { pid: process.pid, configPath: config.path }));
  const server = await listen({
    path: paths.socket, route: answers.route, onProblem: setting.onProblem, replace: true, connectionLimit: connectionsWithin(descriptorLimit()),
  });
  const presence = keepPresence({
    paths, lock, socket: server, onProblem: setting.onProblem, restoreFiles: () => restoreFiles(setting, configuration, ledger, records),
    onReplaced: (reason) => shutdown(`another supervisor has taken over ${paths.stateDir}: ${reason}`, { kind: 'signal', by: null }),
  });
  log.info('systemg::supervisor', `systemg supervisor listening on ${JSON.stringify(paths.socket)}`);
  parent.tell({ event: 'listening', pid: process.pid });

  const ended = new Promise<number>((finish) => {
    const { root } = units;
    root.on('supervisor.ended', ({ exitCode }) => finish(exitCode));
    root.subscribe({ error: (error) => crash(log, error) });
  });
  units.root.start();
  startUnits(setting, config.specs, found, ledger, units);
  records.noteChildren();
  obeySignals(setting, answers.route, shutdown);

  const outcome = await Promise.race([ended, answers.handedOver]);
  await end(outcome, { setting, ledger, units, outputs, records, answers, presence, closeServer: () => server.close() });
}

interface Ending {
  readonly setting: Setting;
  readonly ledger: Ledger;
  readonly units: Units;
  readonly outputs: Outputs;
  readonly records: Records;
  readonly answers: Answers;
  readonly presence: Presence;
  closeServer(): Promise<void>;
}

/** Of an exit code: everything has ended. Handed over: services go on, and what another supervisor needs stays where it is. */
async function end(outcome: number | 'handed over', { setting, ledger, units, outputs, records, answers, presence, closeServer }: Ending): Promise<never> {
  const { log, parent, paths, echo } = setting;
  const { logs, childLogs } = outputs;
  presence.close();
  answers.sampler.close();
  records.childMemory.close();
  // Hooks and escapees may hold up the end for seconds: to others the services are stopped now.
  if (presence.isOurs()) records.projection.close();
  await closeServer();
  if (outcome === 'handed over') {
    log.info('systemg::supervisor', 'Making way for a new supervisor; services go on');
    await units.hooks.finish(HOOKS_MS);
    // Loggers are its successor's to start: ours get what they have coming, and end.
    await logs.end();
    closeBooks(ledger, records);
    log.close();
    process.exit(HANDED_OVER);
  }
  await Promise.all([units.hooks.finish(HOOKS_MS).then(commandsEnded), Promise.race([sweepsEnded(), pause(SWEEP_MS)])]);
  await Promise.race([logs.drain(), pause(DRAIN_MS)]);
  await logs.end();
  childLogs.drain();
  childLogs.close();
  note(setting, removeEmptyCgroups());
  ledger.markClean();
  closeBooks(ledger, records);
  if (presence.isOurs()) {
    note(setting, removeRuntimeFiles(paths));
    forgetConfig(paths.stateDir);
  }
  log.info('systemg::supervisor', `Supervisor ended with exit code ${outcome}`);
  log.close();
  echo?.end();
  parent.noteEnd(outcome);
  presence.release();
  process.exit(outcome);
}

/** How long a client may take to end what a dead supervisor left behind. */
const LOCK_MS = 30_000;
/** Of a supervisor that makes way: EX_TEMPFAIL of sysexits.h(3head). The guardian starts another one. */
const HANDED_OVER = 75;
/** How long hooks may hold up the end. */
const HOOKS_MS = 5000;
/** How long what escaped from services may take to end; a bit more than the default stop_timeout. */
const SWEEP_MS = 12_000;
/** How long the last output of the services may take to reach the files. */
const DRAIN_MS = 2000;

/** The lock, or why this supervisor must not be. */
async function takeTheLock(paths: RuntimePaths): Promise<Lock | string> {
  const hadPid = existsSync(paths.pidFile);
  const { lock, waited } = await awaitLock(paths.lock, () => findLockOwner(paths) !== null, LOCK_MS);
  if (!lock.ok) return lock.reason;
  // A client that stops everything takes the pid file away at its end.
  if (waited && hadPid && !existsSync(paths.pidFile)) return 'everything was stopped while the supervisor was to be started';
  if (await isServed(paths.socket)) return `${refusals.alreadyRunning(lockHolder(paths.pidFile)).message}: it serves ${paths.socket} without our lock`;
  return lock;
}

/** Puts back what somebody has removed; true when something was. */
function restoreFiles(setting: Setting, { inUse }: Configuration, ledger: Ledger, { journal, projection }: Records): boolean {
  const { paths } = setting;
  const mended = [ledger.mend(), journal.mend()].includes(true);
  projection.mend();
  if (existsSync(paths.pidFile) && existsSync(paths.configHint)) return mended;
  note(setting, writeRuntimeFiles(paths, { pid: process.pid, configPath: inUse }));
  return true;
}

function closeBooks(ledger: Ledger, { journal }: Records): void {
  ledger.close();
  journal.close();
}

function note({ onProblem }: Setting, problem: string | null): void {
  if (problem !== null) onProblem(problem);
}

/** Said to whoever started us, who ends with this. */
function refuse(parent: Parent, message: string): never {
  if (!parent.tell({ event: 'refused', message })) process.stderr.write(`sysg: ${message}\n`);
  parent.noteEnd(1);
  process.exit(1);
}

/** An error of ours: the guardian starts a new daemon, which adopts the services. */
function crash(log: SupervisorLog, error: unknown): never {
  log.error('systemg::supervisor', `Supervisor exited with error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(70);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

const parent = findParent(process.env);
serve(parseDaemonOptions(process.argv.slice(2)), parent).catch((error: unknown) => refuse(parent, textOf(error)));
