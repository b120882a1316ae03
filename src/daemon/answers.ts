import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { ProcessIdentity } from '../../machines/types.ts';
import { stageOf } from '../../machines/supervisor.ts';
import { configuredSpecs, type UnitView } from '../../machines/view.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import type { Route } from '../control/connection.ts';
import type { StatusSnapshot } from '../wire/payloads.ts';
import type { Request } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';
import type { AdHocPort } from '../control/outside.ts';
import { makeRoute } from '../control/route.ts';
import { masked } from '../masked.ts';
import { droppedOutput } from '../logs/gap.ts';
import { findLogFile } from '../logs/names.ts';
import { openSampler, type MeasuredUnit } from '../metrics/sampler.ts';
import { wireSample } from '../metrics/store.ts';
import { textOf } from '../errors.ts';
import { interpreter } from '../interpreter.ts';
import { isAlive } from '../process/identity.ts';
import { scan } from '../process/scan.ts';
import { isSignal } from '../signals.ts';
import { watchedChildren } from '../spawned/memory.ts';
import { inspectPayload, measuredUnit } from '../status/inspect.ts';
import { statusSnapshot } from '../status/snapshot.ts';
import type { Configuration } from './configuration.ts';
import { streamLogs } from './log-stream.ts';
import type { Ledger } from '../state/ledger.ts';
import { startObstacle } from '../state/runtime.ts';
import type { Outputs } from './outputs.ts';
import { findCaller } from './own-commands.ts';
import type { Records } from './records.ts';
import type { DaemonSetting } from './setting.ts';
import { routeOrphans, withoutOrphans } from './orphan-route.ts';
import { openPeers } from './peers.ts';
import { makeSpawn } from './spawn-answer.ts';
import type { Units } from './units.ts';
import { watch } from './watch-stream.ts';

/** What clients are answered with. */
export type Answers = ReturnType<typeof openAnswers>;

export function openAnswers(setting: DaemonSetting, metrics: MetricsSpec | null, configuration: Configuration, ledger: Ledger, units: Units, outputs: Outputs, records: Records) {
  const { clock, log, parent, paths, secrets, onProblem } = setting;
  const { root, tickets, runs, send, views, slotsOf } = units;
  const { journal, childMemory, projection, orphans } = records;
  const snapshot = () => root.getSnapshot();
  /** Of the units without children, as long as they are the same: the very same list says so. */
  let latest: { readonly of: readonly UnitView[]; readonly measured: readonly MeasuredUnit[] } | null = null;
  const measuredUnits = (): readonly MeasuredUnit[] => {
    const [of, children] = [views(), watchedChildren(snapshot().context.children)];
    if (children.length > 0) return of.map((view) => measuredUnit(view, children));
    if (latest?.of !== of) latest = { of, measured: of.map((view) => measuredUnit(view)) };
    return latest.measured;
  };
  const sampler = openSampler({ now: clock.now, wallMs: Date.now, onProblem, units: measuredUnits }, metrics);
  const status = (): StatusSnapshot => statusSnapshot(views(), { monotonicMs: clock.now(), wallMs: Date.now() }, {
    live: sampler.look(), stage: stageOf(snapshot()), children: snapshot().context.children, lastEvent: journal.lastOf,
    orphans: orphans.living(), isAdHoc: configuration.adHoc.has, unwritten: [ledger.unwritten ?? [], journal.unwritten ?? [], projection.unwritten, setting.files.unwritten, droppedOutput() ?? []].flat(),
    cron: { runs: runs.of, missed: runs.missed, samplesBetween: (...span) => sampler.samplesBetween(...span).map(wireSample) },
  });
  const peers = openPeers();
  let handOver = (): void => undefined;
  const handedOver = new Promise<'handed over'>((finish) => {
    // The answer goes out first.
    handOver = () => setImmediate(finish, 'handed over');
  });
  const addUnit: AdHocPort['add'] = (order) => {
    const added = configuration.adHoc.add(order);
    if (added.ok && !added.isKnown) outputs.prepare([...configuredSpecs(snapshot()), added.spec]);
    return added;
  };
  const answer = routeOrphans(orphans, makeRoute({
    tickets, now: clock.now, send, snapshot, status,
    history: (request) => journal.query(request),
    watch: (request, exchange) => watch(request, exchange, journal, () => masked(status(), secrets.mask)),
    logs: (request, exchange) => streamLogs(request, exchange, {
      status, supervisorLog: paths.supervisorLog,
      file: (unit, stream) => outputs.logs.files(unit)?.[stream] ?? existing(findLogFile(paths.logDir, unit, stream)),
      wake: (unit, stream) => (notify) => outputs.logs.wake(unit, stream, notify),
    }),
    callerOf: (exchange) => findCaller({ views, scan, peer: () => peers.of(exchange) }),
    askerOf: peers.asker, record: records.request,
    inspect: (unit, samples) => inspectPayload(unit, samples, { sampler, views, status }),
    handOver: () => {
      const guardian = parent.guardian();
      if (guardian !== 'lives') {
        const [why, advice] = guardian === 'gone' ? ['has lost its guardian', 'sysg doctor says how to get both back while services go on'] : ['runs in the foreground', 'end it there and start it again'];
        return `this supervisor (pid ${process.pid}) ${why}: nobody would start it again; ${advice}`;
      }
      const next = configuration.read(null);
      if (!next.ok) return next.error;
      const gone = interpreter.supervisor.find((word) => isAbsolute(word) && !existsSync(word));
      const obstacle = gone === undefined ? startObstacle(paths, onProblem) : `${gone} is gone: sysg was removed, or installed elsewhere`;
      if (obstacle !== null) return `this supervisor goes on, since no other one could begin: ${obstacle}`;
      handOver();
      return null;
    },
    spawn: makeSpawn({ tickets, now: clock.now, send, scan, snapshot, usedBytes: childMemory.usedBytes, peerOf: peers.of }),
    readConfig: (asked) => withoutOrphans(orphans, configuration.read(asked)), summon: configuration.summon, adHoc: { ...configuration.adHoc, add: addUnit }, slots: slotsOf, isSignal, signalObstacle,
    adoptConfig: (config) => {
      sampler.configure(config.metrics);
      configuration.use(config, ledger);
      outputs.prepare(config.specs);
      log.info('systemg::supervisor', `Reloading configuration from ${JSON.stringify(config.path)}`);
    },
  }), async ({ service }, exchange) => records.request({ command: 'stop', unit: service, asker: await peers.asker(exchange) }));
  const reported = new Set<number>();
  const route: Route = async (request, exchange) => {
    // Whether a child may be had is decided by what the client is a part of.
    const stranger = request.kind === 'spawn' ? null : peers.stranger(exchange);
    if (stranger !== null) return refuseStranger(stranger);
    const response = await answer(request, exchange);
    if (!QUERIES.has(request.kind)) projection.flush();
    // The journal was masked when it was written.
    return response === null || request.kind === 'reveal' || response.kind === 'history' ? response : masked(response, secrets.mask);
  };
  const refuseStranger = (uid: number): Response => {
    if (!reported.has(uid)) onProblem(`${paths.socket}: uid ${uid} was refused; the socket and its directory must be open to their owner alone`);
    reported.add(uid);
    return { kind: 'error', text: `uid ${uid} may not ask this supervisor: expected uid ${process.geteuid?.()}, whose it is, or root` };
  };
  return {
    route, sampler,
    /** Settled when a client has asked for another supervisor in the place of this one. */
    handedOver,
  };
}

/** Who is not our child is looked at before a signal, for which a descriptor may be missing. */
function signalObstacle(process: ProcessIdentity): string | null {
  try {
    return isAlive(process) ? null : 'it has just ended';
  } catch (error) {
    return `it cannot be looked at: ${textOf(error)}`;
  }
}

/** Requests that change nothing. */
const QUERIES: ReadonlySet<Request['kind']> = new Set(['status', 'reveal', 'inspect', 'logs', 'history', 'watch', 'plan']);

function existing(path: string): string | null {
  return existsSync(path) ? path : null;
}
