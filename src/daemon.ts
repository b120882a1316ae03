import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';
import { createActor } from 'xstate';
import { provideSupervisor } from '../machines/supervisor.ts';
import type { Child } from '../machines/spawning.ts';
import type { AdoptOrder, ChildFacts, ProcessIdentity, ServiceSpec, SignalName, SupervisorCommand, Trigger } from '../machines/types.ts';
import { viewAll, viewUnit } from '../machines/view.ts';
import { openAnnouncements } from './actors/checks/announcements.ts';
import { createClock } from './actors/clock.ts';
import { openHookQueues } from './actors/hooks.ts';
import { makeLoggerRunner } from './actors/loggers.ts';
import { makeProbeActor } from './actors/probe.ts';
import { makeProcessActor } from './actors/process.ts';
import { formatProblem, loadConfig, wireError } from './config/load.ts';
import type { UnitStatus } from './control/payloads.ts';
import { makeRoute, type ReadConfig } from './control/route.ts';
import { makeSpawn } from './control/spawn.ts';
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
import { openChildLogs } from './logs/child-logs.ts';
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
import { peerOf } from './process/peer.ts';
import { commandsEnded } from './process/run-command.ts';
import { scan } from './process/scan.ts';
import { endStray } from './spawned/end-stray.ts';
import { openMemoryWatch, watchedChildren } from './spawned/memory.ts';
import { makeMemoryEnforcer } from './spawned/memory-enforcer.ts';
import { openRoster } from './spawned/roster.ts';
import { recordedChildren, shownChildren } from './spawned/shown.ts';
import { forgetChild, noteChild, recoverChildren } from './state/child-notes.ts';
import { sweepsEnded } from './process/sweep.ts';
import { keepSwitches, openSwitches } from './rollout/open-switches.ts';
import { readSlots } from './rollout/slot-file.ts';
import { makeRolloutTaskActor } from './rollout/task.ts';
import { asideSpec, isAside, withoutDoubles } from './state/asides.ts';
import { forgetConfig, keepConfig, lastConfig } from './state/last-config.ts';
import { openLedger } from './state/ledger.ts';
import { awaitLock, lockHolder } from './state/lock.ts';
import { isServed } from './state/occupied.ts';
import { keepPresence } from './state/presence.ts';
import { recover } from './state/recovery.ts';
import { removeRuntimeFiles, writeConfigHint, writeRuntimeFiles } from './state/runtime-files.ts';
import { prepareRuntime, runtimePaths } from './state/runtime.ts';
import { takeOver } from './state/takeover.ts';
import { noteTokenSeed } from './state/token-seeds.ts';
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

  // The guardian knows the file of the first start only.
  const last = parent.again ? lastConfig(paths.stateDir) : null;
  let configInUse = last?.path ?? options.config;
  const readConfig = (asked: string | null): ReadConfig => {
    const path = asked === null ? configInUse : isAbsolute(asked) ? asked : resolve(dirname(configInUse), asked);
    const loaded = loadConfig(path, { env: environment, stateDir: paths.stateDir });
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem).join('\n'), error: wireError(loaded.problems) };
    for (const warning of loaded.config.warnings) log.warn('systemg::config', formatProblem(warning));
    return { ok: true, path, specs: loaded.config.services, metrics: loaded.config.metrics };
  };
  const echo = options.foreground ? makeForegroundEcho({ stderrOnly: options.stderrOnly }) : null;
  const log = openSupervisorLog({
    file: options.foreground ? null : paths.supervisorLog, level: options.logLevel ?? levelOfRustLog(process.env['RUST_LOG'] ?? '') ?? 'info',
    colour: process.stderr.isTTY && (process.env['NO_COLOR'] ?? '') === '', ...(echo !== null && { print: echo.print }),
  });
  const onProblem = (text: string): void => log.warn('systemg::supervisor', text);

  const found = readConfig(null);
  // Services wait for somebody to look after them: a file that is being edited must not keep that from happening.
  if (!found.ok && last !== null) log.error('systemg::config', `${found.problems}\nThe configuration is broken; the one that was in use goes on until a reload`);
  const config: ReadConfig = found.ok || last === null ? found : { ok: true, ...last };
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
  const { departed, adopt } = sortFound(withoutDoubles(taken.orders), config.specs);
  for (const { record, verdict } of departed) if (verdict !== 'alive') ledger.forget(record.unit);
  for (const record of taken.children) noteChild(ledger, record);
  const foundChildren = await recoverChildren(ledger.meta, taken.orders, { ...recovery, onProblem });
  for (const id of [...foundChildren.gone, ...foundChildren.stray.map((record) => record.id)]) forgetChild(ledger, id);
  const leaving = departed.filter(({ verdict }) => verdict === 'alive').map(({ record }) => asideSpec(record.unit, config.specs) ?? departedSpec(record, dirname(config.path)));
  const slotsOf = (specs: readonly ServiceSpec[]) => readSlots(specs, paths.stateDir, onProblem);

  const logs = openLogStore({ fifoDir: paths.fifoDir, logDir: paths.logDir, onProblem, ...(echo !== null && { echo: echo.write }) });
  const ownerOf = ({ name, privileges }: ServiceSpec) => outputOwner(name, privileges, options.dropPrivileges);
  const loggerOutside = { environment, dropPrivileges: options.dropPrivileges, onProblem };
  const prepareLogs = (specs: readonly ServiceSpec[]): void => {
    echo?.align(specs.map(({ name }) => name));
    logs.prepare(specs.map((spec) => ({ name: spec.name, logs: spec.logs, owner: ownerOf(spec), loggerRunner: makeLoggerRunner(spec, loggerOutside) })));
  };
  prepareLogs([...config.specs, ...leaving.filter(({ name }) => !isAside(name))]);
  const childLogs = openChildLogs({ fifoDir: paths.fifoDir, logDir: paths.logDir, onProblem, ...(echo !== null && { echo: echo.write }) });
  const attachChild = ({ record: { id, order }, spec }: Pick<Child, 'record' | 'spec'>, pid: number): void => {
    childLogs.attach({ id, unit: order.unit, name: order.name, pid, logs: spec.logs, owner: ownerOf(spec) });
  };
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
    children: { recordChild: (record) => noteChild(ledger, record), forgetChild: (child) => forgetChild(ledger, child) },
    process: makeProcessActor({
      now: clock.now, environment, softNofile, dropPrivileges: options.dropPrivileges, onProblem,
      openOutput: (spec, role, token) => {
        if (role === 'child') return childLogs.openEnds(token, ownerOf(spec));
        return role === 'main' ? announcements.expect(spec, logs.openChildEnds(spec.name)) : logs.openChildEnds(spec.name);
      },
    }),
    probe: makeProbeActor({
      clock, environment, dropPrivileges: options.dropPrivileges, onProblem, announcements, wasReady: (unit, generation) => readyBefore.has(`${generation} ${unit}`),
    }),
    switches: keepSwitches(ledger),
    rolloutTask: makeRolloutTaskActor({
      clock, environment, dropPrivileges: options.dropPrivileges, onProblem, stateDir: paths.stateDir,
      lastWords: async (unit) => {
        await logs.drain(unit);
        return words.of(unit, WORDS_OF_CANDIDATE);
      },
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
    input: {
      specs: [...config.specs, ...leaving], tokenSeed: noteTokenSeed(ledger), seed: randomInt(2 ** 31), at: clock.now(), slots: slotsOf(config.specs),
    },
  });
  const send = (command: SupervisorCommand): void => root.send(command);
  const journal = openJournal({ stateDir: paths.stateDir, onProblem });
  const words = openLastWords((unit) => logs.files(unit)?.stderr ?? null);
  const roster = openRoster(() => root.getSnapshot().context.children);
  const childOf = roster.of;
  const narrate = makeNarrator(log, childOf);
  const write = makeScribe({
    journal, wallNow: Date.now, now: clock.now, lastWords: words.of,
    maxRestarts: (unit) => specOf(unit)?.restart.maxRestarts ?? null, childOf,
  });
  const projection = openProjection({
    stateDir: paths.stateDir, ledger, onProblem,
    units: () => views().map((view) => {
      const { name, cron } = view.spec;
      return projectedUnit(view, {
        job: cron === null ? null : recordedJob(cron.timezone, runs.of(name), Date.now()),
        spawned: recordedChildren(shownChildren(root.getSnapshot().context.children, name, moment()), view.spec.hash),
      });
    }),
  });
  root.on('*', (fact) => {
    projection.changed();
    if (fact.type === 'unit.changed' && fact.facts.state === 'spawning') words.begin(fact.facts.unit);
    if (fact.type === 'child.changed') followChild(fact.facts);
    narrate(fact);
    write(fact);
    if (fact.type !== 'unit.removed' || isAside(fact.unit)) return;
    announcements.forget(fact.unit);
    words.forget(fact.unit);
    logs.remove(fact.unit);
  });

  const childMemory = openMemoryWatch({
    now: clock.now, onProblem, limitOf: (unit) => specOf(unit)?.spawn?.totalMemoryBytes ?? null,
    children: () => watchedChildren(root.getSnapshot().context.children),
    act: (unit, verdict, limitBytes) => enforceMemory({ unit, verdict, limitBytes }),
  });
  const enforceMemory = makeMemoryEnforcer({
    journal, log, send, now: clock.now, wallNow: Date.now, childOf,
    exceed: (unit, reason) => {
      const { ref, facts } = root.getSnapshot().context.units.get(unit) ?? {};
      if (ref != null && facts !== undefined) ref.send({ type: 'limit.exceeded', at: clock.now(), generation: facts.generation, reason });
    },
  });
  const followChild = ({ child: id, state, identity }: ChildFacts): void => {
    roster.see(id);
    const child = childOf(id);
    if (child !== null && state === 'living' && identity !== null) attachChild(child, identity.pid);
    if (state === 'gone') childLogs.release(id);
    setImmediate(childMemory.changed);
  };
  const moment = () => ({ monotonicMs: clock.now(), wallMs: Date.now() });
  const views = () => viewAll(root.getSnapshot());
  const measuredUnits = () => {
    const children = watchedChildren(root.getSnapshot().context.children);
    return views().map((view) => measuredUnit(view, children));
  };
  const sampler = openSampler({ now: clock.now, wallMs: Date.now, onProblem, units: () => measuredUnits() }, config.metrics);
  const status = () => {
    const [seen, now] = [views(), moment()];
    const snapshot = statusSnapshot(seen, now, sampler.look(), root.getSnapshot().context.children);
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
    handOver: () => {
      if (!parent.startsAgain) return `this supervisor (pid ${process.pid}) runs in the foreground: nobody would start it again`;
      const next = readConfig(null);
      if (!next.ok) return next.error;
      handOver();
      return null;
    },
    spawn: makeSpawn({
      tickets, now: clock.now, send, scan, snapshot: () => root.getSnapshot(), usedBytes: childMemory.usedBytes,
      peerOf: (exchange) => peerOf(() => exchange.peerDescriptor()),
    }),
    readConfig, slots: slotsOf, isSignal: (name): name is SignalName => Object.hasOwn(constants.signals, name),
    adoptConfig: ({ path, specs, metrics }) => {
      sampler.configure(metrics);
      note(keepConfig(paths.stateDir, { path, specs, metrics }));
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
  note(keepConfig(paths.stateDir, config));

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

  let handOver = (): void => undefined;
  const handedOver = new Promise<'handed over'>((finish) => {
    handOver = () => setImmediate(finish, 'handed over');
  });
  const ended = new Promise<number>((finish) => {
    root.subscribe({ complete: () => finish(root.getSnapshot().output?.exitCode ?? 0), error: (error) => crash(log, error) });
  });
  root.start();
  const known = new Set(adopt.map(({ record }) => record.unit));
  send({
    type: 'boot', at: clock.now(), adopt: [...adopt, ...departed.filter(({ verdict }) => verdict === 'alive')], start: [],
    switches: openSwitches(ledger, onProblem), children: [...foundChildren.adopt, ...taken.children].map((record) => ({ record, alive: true })),
  });
  for (const [id, child] of root.getSnapshot().context.children) {
    roster.see(id);
    if (child.facts.identity !== null) attachChild(child, child.facts.identity.pid);
  }
  childLogs.prune();
  childMemory.changed();
  for (const record of foundChildren.stray) endStray(record, onProblem);
  if (leaving.length > 0) send({ type: 'reload', at: clock.now(), specs: config.specs });
  // What was stopped by hand stays so when the supervisor alone begins again.
  const first = options.service !== null
    ? [options.service].filter((name) => !parent.again || !known.has(name))
    : config.specs.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  void tickets.open(first, (ticket) => send({ type: 'start', at: clock.now(), ticket, units: first, origin: { kind: 'boot', by: null } })).then((settlements) => {
    const errors = new Map(settlements.map(({ unit, error }) => [unit, error]));
    parent.tell({ event: 'settled', units: [...known, ...errors.keys()].map((name) => settled(name, errors.get(name) ?? null)) });
    parent.hangUp();
  });
  const settled = (name: string, error: string | null): SettledUnit => {
    const view = viewUnit(root.getSnapshot(), name);
    const pid = view?.process?.identity?.pid;
    // It came up, and fell before the others were through; or it was left down for fear of a second copy.
    const fell = view?.phase === 'failed' || view?.phase === 'backoff' ? view.reason : null;
    const leftDown = view?.phase === 'stopped' ? taken.leftDown.get(name) : undefined;
    const fault = error ?? fell ?? leftDown ?? null;
    return { name, phase: view?.phase ?? 'stopped', ...(pid !== undefined && { pid }), ...(fault !== null && { error: fault }) };
  };

  let ending = false;
  const shutdown = (because: string, origin: Trigger): void => {
    if (ending) return;
    ending = true;
    log.info('systemg::supervisor', `Shutting down: ${because}`);
    echo?.say('systemg is shutting down... terminating child services');
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

  const outcome = await Promise.race([ended, handedOver]);
  presence.close();
  sampler.close();
  childMemory.close();
  // Hooks and escapees may hold up the end for seconds: to others the services are stopped now.
  if (presence.isOurs()) projection.close();
  await server.close();
  if (outcome === 'handed over') {
    log.info('systemg::supervisor', 'Making way for a new supervisor; services go on');
    await hooks.finish(HOOKS_MS);
    // Loggers are its successor's to start: ours get what they have coming, and end.
    await logs.end();
    ledger.close();
    journal.close();
    log.close();
    process.exit(HANDED_OVER);
  }
  const exitCode = outcome;
  await Promise.all([hooks.finish(HOOKS_MS).then(commandsEnded), Promise.race([sweepsEnded(), pause(SWEEP_MS)])]);
  await Promise.race([logs.drain(), pause(DRAIN_MS)]);
  await logs.end();
  childLogs.drain();
  childLogs.close();
  note(removeEmptyCgroups());
  ledger.markClean();
  ledger.close();
  journal.close();
  if (presence.isOurs()) {
    note(removeRuntimeFiles(paths));
    forgetConfig(paths.stateDir);
  }
  log.info('systemg::supervisor', `Supervisor ended with exit code ${exitCode}`);
  log.close();
  echo?.end();
  parent.noteEnd(exitCode);
  presence.release();
  process.exit(exitCode);
}

/** Asks on behalf of a signal: there is no client. */
const nobody: Exchange = { signal: new AbortController().signal, write: () => Promise.resolve(), peerDescriptor: () => null };

/** Lines of a failed candidate in which its address is looked for: as many as systemg 0.33.0 looks at. */
const WORDS_OF_CANDIDATE = 50;
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
