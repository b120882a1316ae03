import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';
import { createActor } from 'xstate';
import { provideSupervisor } from '../machines/supervisor.ts';
import type { AdoptOrder, ProcessIdentity, ServiceSpec, SignalName, SupervisorCommand, Trigger } from '../machines/types.ts';
import { viewAll, viewUnit } from '../machines/view.ts';
import { openAnnouncements } from './actors/checks/announcements.ts';
import { createClock } from './actors/clock.ts';
import { openHookQueues } from './actors/hooks.ts';
import { makeProbeActor } from './actors/probe.ts';
import { makeProcessActor } from './actors/process.ts';
import { formatProblem, loadConfig, wireError } from './config/load.ts';
import type { UnitStatus } from './control/payloads.ts';
import { makeRoute, type ReadConfig } from './control/route.ts';
import { listen, type Exchange } from './control/server.ts';
import { openTicketOffice } from './control/tickets.ts';
import { openRunHistory } from './cron/history.ts';
import { openSchedule } from './cron/schedule.ts';
import { findLockOwner } from './state/lock-owner.ts';
import { parseDaemonOptions, type DaemonOptions } from './daemon-options.ts';
import { findParent, type Parent, type SettledUnit } from './daemon-parent.ts';
import { departedSpec } from './departed.ts';
import { refusals } from './errors.ts';
import { openJournal } from './journal/journal.ts';
import { openLastWords } from './journal/last-words.ts';
import { makeScribe } from './journal/scribe.ts';
import { makeForegroundEcho } from './logs/foreground.ts';
import { levelOfRustLog } from './logs/log-level.ts';
import { findLogFile } from './logs/names.ts';
import { makeNarrator } from './logs/narrator.ts';
import { openLogStore } from './logs/store.ts';
import { openSupervisorLog, type SupervisorLog } from './logs/supervisor-log.ts';
import { openSampler } from './metrics/sampler.ts';
import { wireSample } from './metrics/wire-sample.ts';
import { rememberCgroups, removeEmptyCgroups } from './process/cgroup.ts';
import { findChild } from './process/children.ts';
import { outputOwner } from './process/credentials.ts';
import { bootId, isAlive } from './process/identity.ts';
import { connectionsWithin, descriptorLimit } from './process/descriptor-reserve.ts';
import { closeInheritedDescriptors } from './process/descriptors.ts';
import { commandsEnded } from './process/run-command.ts';
import { scan } from './process/scan.ts';
import { sweepsEnded } from './process/sweep.ts';
import { openLedger } from './state/ledger.ts';
import { awaitLock, lockHolder } from './state/lock.ts';
import { isServed } from './state/occupied.ts';
import { keepPresence } from './state/presence.ts';
import { recover } from './state/recovery.ts';
import { removeRuntimeFiles, writeConfigHint, writeRuntimeFiles } from './state/runtime-files.ts';
import { prepareRuntime, runtimePaths } from './state/runtime.ts';
import { takeOver } from './state/takeover.ts';
import { openProjection } from './state/xml/projection.ts';
import { withCron } from './status/cron.ts';
import { inspectPayload, measuredUnit } from './status/inspect.ts';
import { userName } from './status/process-facts.ts';
import { projectedUnit } from './status/projected-unit.ts';
import { recordedJob, withRecordedRuns } from './status/recorded-job.ts';
import { statusSnapshot } from './status/snapshot.ts';

/** The composition root: the only place where machines, ports, state, logs and socket are joined. */
async function serve(options: DaemonOptions, parent: Parent): Promise<void> {
  closeInheritedDescriptors(parent.descriptors);
  const environment = inheritedEnvironment();
  const softNofile = softLimit(process.env['SYSG_NOFILE']);
  delete process.env['SYSG_NOFILE'];
  const refuse = (message: string): never => {
    if (!parent.tell({ event: 'refused', message })) process.stderr.write(`sysg: ${message}\n`);
    parent.noteEnd(1);
    process.exit(1);
  };

  const paths = runtimePaths({ system: options.system, env: process.env });
  const unprepared = prepareRuntime(paths);
  if (unprepared !== null) return refuse(unprepared);
  const hadPid = existsSync(paths.pidFile);
  const { lock, waited } = await awaitLock(paths.lock, () => findLockOwner(paths) !== null, LOCK_MS);
  if (!lock.ok) return refuse(lock.reason);
  // A client that stops everything takes the pid file away at its end.
  if (waited && hadPid && !existsSync(paths.pidFile)) return refuse('everything was stopped while the supervisor was to be started');
  if (await isServed(paths.socket)) return refuse(`${refusals.alreadyRunning(lockHolder(paths.pidFile)).message}: it serves ${paths.socket} without our lock`);

  let configInUse = options.config;
  const readConfig = (asked: string | null): ReadConfig => {
    const path = asked === null ? configInUse : isAbsolute(asked) ? asked : resolve(dirname(configInUse), asked);
    const loaded = loadConfig(path, { env: environment, stateDir: paths.stateDir });
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem).join('\n'), error: wireError(loaded.problems) };
    for (const warning of loaded.config.warnings) log.warn('systemg::config', formatProblem(warning));
    return { ok: true, path, specs: loaded.config.services, metrics: loaded.config.metrics };
  };
  const log = openSupervisorLog({
    file: options.foreground ? null : paths.supervisorLog, level: options.logLevel ?? levelOfRustLog(process.env['RUST_LOG'] ?? '') ?? 'info',
    colour: process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  });
  const onProblem = (text: string): void => log.warn('systemg::supervisor', text);

  const config = readConfig(null);
  if (!config.ok) return refuse(config.problems);
  if (options.service !== null && !config.specs.some(({ name }) => name === options.service)) {
    return refuse(`Service '${options.service}' not found in configuration`);
  }

  const clock = createClock();
  const ledger = openLedger(paths.ledger, { onProblem, bootId: bootId(), now: clock.now });
  if (ledger.unreadable !== null) return refuse(ledger.unreadable);
  const now = () => ({ at: clock.now(), wallMs: Date.now(), bootId: bootId() });
  // A child that ended while its unit had no actor still has its exit code to tell.
  const recovery = { scan, now, isAlive: (identity: ProcessIdentity) => findChild(identity) !== null || isAlive(identity) };
  const taken = takeOver({
    stateDir: paths.stateDir, specs: config.specs, ledger, found: ledger.clean ? [] : await recover(ledger.entries.values(), recovery),
    diedBefore: existsSync(paths.pidFile), environment, uid: process.geteuid?.() ?? 0, now, onProblem,
    onReport: (text) => log.warn('systemg::takeover', text),
  });
  const { departed, adopt } = sortFound(taken.orders, config.specs);
  for (const { record, verdict } of departed) if (verdict !== 'alive') ledger.forget(record.unit);
  const leaving = departed.filter(({ verdict }) => verdict === 'alive').map(({ record }) => departedSpec(record, dirname(config.path)));

  const echo = options.foreground ? makeForegroundEcho({ stderrOnly: options.stderrOnly }) : null;
  const logs = openLogStore({ fifoDir: paths.fifoDir, logDir: paths.logDir, onProblem, ...(echo !== null && { echo: echo.write }) });
  const ownerOf = ({ name, privileges }: ServiceSpec) => outputOwner(name, privileges, options.dropPrivileges);
  const prepareLogs = (specs: readonly ServiceSpec[]): void => {
    echo?.align(specs.map(({ name }) => name));
    logs.prepare(specs.map((spec) => ({ name: spec.name, logs: spec.logs, owner: ownerOf(spec) })));
  };
  prepareLogs([...config.specs, ...leaving]);
  rememberCgroups(config.specs);

  const tickets = openTicketOffice();
  const hooks = openHookQueues({ clock, environment, onProblem });
  const announcements = openAnnouncements({ logs, fifoDir: paths.fifoDir, onProblem, ownerOf });
  const readyBefore = new Set<string>();
  const noteReady = (orders: readonly AdoptOrder[]): void => {
    for (const { record, verdict } of orders) if (verdict === 'alive' && record.state === 'running') readyBefore.add(`${record.generation} ${record.unit}`);
  };
  noteReady(adopt);
  const specOf = (unit: string): ServiceSpec | null => root.getSnapshot().context.units.get(unit)?.spec ?? null;
  const runs = openRunHistory({
    ledger: withRecordedRuns(ledger, taken, config.specs), wallNow: Date.now,
    describe: (unit) => ({ user: specOf(unit)?.privileges.user ?? userName(process.geteuid?.() ?? 0), command: specOf(unit)?.command ?? null }),
  });
  const schedule = openSchedule({ clock, wallNow: Date.now, lastRunWallMs: runs.lastRunWallMs });
  const root = createActor(provideSupervisor({
    clock, ledger, tickets, hooks, schedule, runs, abandon: tickets.abandon,
    process: makeProcessActor({
      now: clock.now, environment, softNofile, dropPrivileges: options.dropPrivileges, onProblem,
      openOutput: (spec, role) => (role === 'main' ? announcements.expect(spec, logs.openChildEnds(spec.name)) : logs.openChildEnds(spec.name)),
    }),
    probe: makeProbeActor({
      clock, environment, dropPrivileges: options.dropPrivileges, onProblem, announcements, wasReady: (unit, generation) => readyBefore.has(`${generation} ${unit}`),
    }),
    lookup: (unit, target) => {
      const entry = ledger.latest(unit);
      const answer = (order: AdoptOrder | null): void => target.send({ type: 'recovered', at: clock.now(), unit, adopt: order });
      void recover(entry === null ? [] : [entry], recovery).then((orders) => {
        noteReady(orders);
        answer(orders[0] ?? null);
      });
    },
  }), {
    input: { specs: [...config.specs, ...leaving], tokenSeed: randomBytes(6).toString('hex'), seed: randomInt(2 ** 31), at: clock.now() },
  });
  const send = (command: SupervisorCommand): void => root.send(command);
  const journal = openJournal({ stateDir: paths.stateDir, onProblem });
  const words = openLastWords((unit) => logs.files(unit)?.stderr ?? null);
  const narrate = makeNarrator(log);
  const write = makeScribe({
    journal, wallNow: Date.now, now: clock.now, lastWords: words.of,
    maxRestarts: (unit) => specOf(unit)?.restart.maxRestarts ?? null,
  });
  const projection = openProjection({
    stateDir: paths.stateDir, ledger, onProblem,
    units: () => views().map((view) => {
      const { name, cron } = view.spec;
      return projectedUnit(view, { job: cron === null ? null : recordedJob(cron.timezone, runs.of(name), Date.now()) });
    }),
  });
  root.on('*', (fact) => {
    projection.changed();
    if (fact.type === 'unit.changed' && fact.facts.state === 'spawning') words.begin(fact.facts.unit);
    narrate(fact);
    write(fact);
    if (fact.type !== 'unit.removed') return;
    announcements.forget(fact.unit);
    words.forget(fact.unit);
    logs.remove(fact.unit);
  });

  const moment = () => ({ monotonicMs: clock.now(), wallMs: Date.now() });
  const views = () => viewAll(root.getSnapshot());
  const sampler = openSampler({ now: clock.now, wallMs: Date.now, onProblem, units: () => views().map(measuredUnit) }, config.metrics);
  const status = () => {
    const [seen, now] = [views(), moment()];
    const snapshot = statusSnapshot(seen, now, sampler.look());
    const dated = { ...snapshot, units: snapshot.units.map((unit) => withLastEvent(unit, journal.lastOf(unit.name))) };
    return withCron(dated, { views: seen, runs: runs.of, samplesBetween: (...span) => sampler.samplesBetween(...span).map(wireSample), wallMs: now.wallMs });
  };
  const route = makeRoute({
    tickets, journal, now: clock.now, send,
    logs: {
      status: () => status(), supervisorLog: paths.supervisorLog,
      file: (unit, stream) => logs.files(unit)?.[stream] ?? existing(findLogFile(paths.logDir, unit, stream)),
      wake: (unit, stream) => (notify) => logs.wake(unit, stream, () => notify()),
    }, snapshot: () => root.getSnapshot(), status,
    inspect: (unit, samples) => inspectPayload(unit, samples, { sampler, views, status }),
    readConfig, isSignal: (name): name is SignalName => Object.hasOwn(constants.signals, name),
    adoptConfig: ({ path, specs, metrics }) => {
      sampler.configure(metrics);
      if (path !== configInUse) {
        configInUse = path;
        note(writeConfigHint(paths, path));
      }
      prepareLogs(specs);
      log.info('systemg::supervisor', `Reloading configuration from ${JSON.stringify(path)}`);
    },
  });
  const note = (problem: string | null): void => {
    if (problem !== null) onProblem(problem);
  };

  // The pid first: a client that finds a socket without a pid file takes it for a leftover.
  note(writeRuntimeFiles(paths, { pid: process.pid, configPath: config.path }));
  const server = await listen({ path: paths.socket, route, onProblem, replace: true, connectionLimit: connectionsWithin(descriptorLimit()) });
  const presence = keepPresence({
    paths, lock, socket: server, onProblem,
    restoreFiles: () => {
      const mended = [ledger.mend(), journal.mend()].includes(true);
      projection.mend();
      if (existsSync(paths.pidFile) && existsSync(paths.configHint)) return mended;
      note(writeRuntimeFiles(paths, { pid: process.pid, configPath: configInUse }));
      return true;
    },
    onReplaced: (reason) => shutdown(`another supervisor has taken over ${paths.stateDir}: ${reason}`, { kind: 'signal', by: null }),
  });
  log.info('systemg::supervisor', `systemg supervisor listening on ${JSON.stringify(paths.socket)}`);
  parent.tell({ event: 'listening', pid: process.pid });

  const ended = new Promise<number>((finish) => {
    root.subscribe({ complete: () => finish(root.getSnapshot().output?.exitCode ?? 0), error: (error) => crash(log, error) });
  });
  root.start();
  const known = new Set(adopt.map(({ record }) => record.unit));
  send({ type: 'boot', at: clock.now(), adopt: [...adopt, ...departed.filter(({ verdict }) => verdict === 'alive')], start: [] });
  if (leaving.length > 0) send({ type: 'reload', at: clock.now(), specs: config.specs });
  const first = options.service !== null
    ? [options.service]
    : config.specs.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  void tickets.open(first, (ticket) => send({ type: 'start', at: clock.now(), ticket, units: first, origin: { kind: 'boot', by: null } })).then((settlements) => {
    const errors = new Map(settlements.map(({ unit, error }) => [unit, error]));
    parent.tell({ event: 'settled', units: [...known, ...errors.keys()].map((name) => settled(name, errors.get(name) ?? null)) });
    parent.hangUp();
  });
  const settled = (name: string, error: string | null): SettledUnit => {
    const view = viewUnit(root.getSnapshot(), name);
    const pid = view?.process?.identity?.pid;
    // It came up, and fell before the others were through.
    const fault = error ?? (view?.phase === 'failed' || view?.phase === 'backoff' ? view.reason : null);
    return { name, phase: view?.phase ?? 'stopped', ...(pid !== undefined && { pid }), ...(fault !== null && { error: fault }) };
  };

  let ending = false;
  const shutdown = (because: string, origin: Trigger): void => {
    if (ending) return;
    ending = true;
    log.info('systemg::supervisor', `Shutting down: ${because}`);
    if (options.foreground) process.stdout.write('systemg is shutting down... terminating child services\n');
    send({ type: 'shutdown', at: clock.now(), ticket: null, exitCode: 0, origin });
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => shutdown(signal, { kind: 'signal', by: signal }));
  process.on('SIGHUP', () => {
    if (hasTerminal() && process.pid !== 1) return shutdown('SIGHUP from the terminal', { kind: 'signal', by: 'SIGHUP' });
    void route({ kind: 'reload', config: null }, nobody).then((answer) => {
      if (answer === null) return;
      if (answer.kind === 'error') log.error('systemg::supervisor', `Reload refused, nothing changed: ${answer.text}`);
      else if (answer.kind === 'message') log.info('systemg::supervisor', answer.text);
    });
  });
  parent.onGone(() => shutdown('the command in the foreground is gone', { kind: 'signal', by: null }));
  if (parent.asked !== null) process.kill(process.pid, parent.asked);

  const exitCode = await ended;
  presence.close();
  sampler.close();
  await server.close();
  await Promise.all([hooks.finish(HOOKS_MS).then(commandsEnded), Promise.race([sweepsEnded(), pause(SWEEP_MS)])]);
  await Promise.race([logs.drain(), pause(DRAIN_MS)]);
  logs.close();
  note(removeEmptyCgroups());
  if (presence.isOurs()) projection.close();
  ledger.markClean();
  ledger.close();
  journal.close();
  if (presence.isOurs()) note(removeRuntimeFiles(paths));
  log.info('systemg::supervisor', `Supervisor ended with exit code ${exitCode}`);
  log.close();
  parent.noteEnd(exitCode);
  presence.release();
  process.exit(exitCode);
}

/** Asks on behalf of a signal: there is no client. */
const nobody: Exchange = { signal: new AbortController().signal, write: () => Promise.resolve(), peerDescriptor: () => null };

/** How long a client may take to end what a dead supervisor left behind. */
const LOCK_MS = 30_000;
/** How long hooks may hold up the end. */
const HOOKS_MS = 5000;
/** How long what escaped from services may take to end; a bit more than the default stop_timeout. */
const SWEEP_MS = 12_000;
/** How long the last output of the services may take to reach the files. */
const DRAIN_MS = 2000;

function sortFound(found: readonly AdoptOrder[], specs: readonly ServiceSpec[]): { departed: readonly AdoptOrder[]; adopt: readonly AdoptOrder[] } {
  const configured = new Set(specs.map(({ name }) => name));
  return {
    departed: found.filter(({ record }) => !configured.has(record.unit)),
    adopt: found.filter(({ record }) => configured.has(record.unit)),
  };
}

/** What services inherit: our environment, with what the launcher set aside put back. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const { SYSG_NODE_EXTRA_CA_CERTS: certificates, ...environment } = process.env;
  delete process.env['SYSG_NODE_EXTRA_CA_CERTS'];
  return certificates === undefined ? environment : { ...environment, NODE_EXTRA_CA_CERTS: certificates };
}

function softLimit(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]+$/.test(text) ? Number(text) : null;
}

/** Whether this process has a controlling terminal: field 7 of proc_pid_stat(5). */
function hasTerminal(): boolean {
  if (process.platform !== 'linux') return process.stdin.isTTY === true;
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[4] !== '0';
}

/** An error of ours: the guardian starts a new daemon, which adopts the services. */
function crash(log: SupervisorLog, error: unknown): never {
  log.error('systemg::supervisor', `Supervisor exited with error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  process.exit(70);
}

function withLastEvent(unit: UnitStatus, seq: number | null): UnitStatus {
  return seq === null ? unit : { ...unit, last_event: seq };
}

function existing(path: string): string | null {
  return existsSync(path) ? path : null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

const parent = findParent(process.env);
serve(parseDaemonOptions(process.argv.slice(2)), parent).catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  if (!parent.tell({ event: 'refused', message: text })) process.stderr.write(`sysg: ${text}\n`);
  parent.noteEnd(1);
  process.exit(1);
});
