import type { Children } from '../../machines/children.ts';
import type { stageOf } from '../../machines/supervisor.ts';
import type { ProcessIdentity } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { cronHealth, cronStatus, type CronRun } from '../cron/summary.ts';
import type { MetricSample, OverallHealth, RolloutStatus, StatusSnapshot, UnitMetricsSummary, UnitStatus } from '../wire/payloads.ts';
import type { LiveUnit } from '../metrics/sampler.ts';
import type { Summary } from '../metrics/store.ts';
import { signalNumber } from '../signals.ts';
import { beginLook, healthWith, processFacts, runtimeOf, uptimeOf } from './process-facts.ts';
import { processTree, shownChildren } from './process-tree.ts';

/** Both clocks at one moment: the machines speak in monotonic milliseconds, people in wall time. */
export interface Now { readonly monotonicMs: number; readonly wallMs: number }

/** What is known of units beside what their machines know. */
export interface StatusSources {
  /** What was measured, by unit; empty where nothing can be. */
  readonly live?: ReadonlyMap<string, LiveUnit>;
  readonly children?: Children;
  readonly cron?: CronSources;
  readonly stage?: ReturnType<typeof stageOf>;
  /** Sentences about files that the disk does not take. */
  readonly unwritten?: readonly string[];
  /** What no unit is, as systemg 0.33.0 shows it. */
  readonly orphans?: readonly { readonly name: string; readonly pid: number; readonly members: readonly ProcessIdentity[] }[];
  /** Whether the unit was started from the command line alone. */
  isAdHoc?(unit: string): boolean;
  /** The number of the unit's newest record in the journal. */
  lastEvent?(unit: string): number | null;
}

export interface CronSources {
  /** Newest last. */
  runs(unit: string): readonly CronRun[];
  missed?(unit: string): number | undefined;
  /** Oldest first. */
  samplesBetween(unit: string, fromMs: number, toMs: number, count: number): readonly MetricSample[];
}

/** The answer to Status: ordered by hash, as systemg 0.33.0's is. */
export function statusSnapshot(views: readonly UnitView[], now: Now, sources: StatusSources = {}): StatusSnapshot {
  const look = beginLook();
  const orphans = (sources.orphans ?? []).map(({ name, pid, members }) => orphanStatus({ name, pid, process: members[0] ?? null }, now.wallMs));
  const units = [...views.map((view) => unitStatus(view, now, sources, look)), ...orphans].sort((one, other) => compare(one.hash, other.hash) || compare(one.name, other.name));
  const { stage = 'serving', unwritten = [] } = sources;
  return {
    schema_version: 'status.v1', captured_at: new Date(now.wallMs).toISOString(), overall_health: overallHealth(units), units,
    ...(stage !== 'serving' && { supervisor: stage }),
    ...(unwritten.length > 0 && { unwritten }),
  };
}

/** Services weigh before cron units. */
export function overallHealth(units: readonly Pick<UnitStatus, 'kind' | 'health'>[]): OverallHealth {
  const services = units.filter((unit) => unit.kind !== 'cron');
  const crons = units.filter((unit) => unit.kind === 'cron');
  for (const group of [services, crons]) {
    for (const health of ['failing', 'degraded'] as const) if (group.some((unit) => unit.health === health)) return health;
  }
  return 'healthy';
}

export function unitStatus(view: UnitView, now: Now, { live: measured, children = new Map(), cron: crons, lastEvent, isAdHoc }: StatusSources = {}, look = beginLook()): UnitStatus {
  const { spec } = view;
  const { name } = spec;
  const live = measured?.get(name);
  const identity = view.alive ? (view.process?.identity ?? null) : null;
  const seen = live?.isFresh === true ? live.processes.find(({ pid, startTime }) => pid === identity?.pid && startTime === identity.startTime) : undefined;
  const facts = identity === null ? null : processFacts(identity.pid, identity.startTime, { look, seen: seen ?? null });
  const spawned = children.size === 0 ? [] : shownChildren(children, name, now);
  const tree = identity === null ? [] : processTree(identity.pid, live?.processes ?? [], spawned, look);
  const uptime = uptimeOf(facts, now.wallMs);
  const cron = spec.cron === null || crons === undefined ? null : cronPart(name, spec.cron.timezone, crons, now.wallMs);
  const seq = lastEvent?.(name) ?? null;
  // While a run goes on its process speaks for its health.
  const health = cron === null ? view.health : facts?.state === 'running' ? 'healthy' : cron.health;
  return {
    name,
    hash: spec.hash,
    kind: spec.cron === null ? 'service' : 'cron',
    lifecycle: view.lifecycle,
    health: healthWith(facts, health),
    ...(identity !== null && facts !== null && { process: runtimeOf(identity.pid, facts) }),
    ...(uptime !== null && { uptime }),
    ...(view.exit !== null && { last_exit: exitMetadata(view.exit.code, signalNumber(view.exit.signal)) }),
    ...(cron !== null && { cron: cron.block }),
    ...(live?.summary != null && { metrics: metricsSummary(live.summary) }),
    command: spec.command,
    ...(facts?.commandLine != null && { runtime_command: facts.commandLine }),
    ...(tree.length > 0 && { spawned_children: tree }),
    phase: view.phase,
    wanted: view.wanted,
    ...(spec.check !== null && { ready: view.ready === true }),
    generation: view.generation,
    restarts: view.restarts,
    ...(view.reason !== null && { reason: view.reason }),
    since: wallTime(now.wallMs - (now.monotonicMs - view.since)),
    ...(view.deadline?.kind === 'backoff' && { next_at: wallTime(now.wallMs + (view.deadline.at - now.monotonicMs)) }),
    ...(view.nextWallMs !== null && { next_at: wallTime(view.nextWallMs) }),
    ...((view.deadline?.kind === 'grace' || view.deadline?.kind === 'kill') && { kill_at: wallTime(now.wallMs + (view.deadline.at - now.monotonicMs)) }),
    ...(view.state === 'waiting' && Object.keys(view.held).length > 0 && {
      waits_for: Object.entries(view.held).map(([unit, lost]) => {
        const condition = spec.dependsOn.find(({ service }) => service === unit)?.condition;
        return { unit, ...(lost !== null && { lost }), ...(condition !== undefined && { condition }) };
      }),
    }),
    ...(view.ordered !== null && { ordered: view.ordered }),
    ...(view.rollout !== null && { rollout: rolloutStatus(view.rollout) }),
    ...(seq !== null && { last_event: seq }),
    ...(isAdHoc?.(name) === true && { ad_hoc: true }),
  };
}

/** A process that pid.xml names as a service that nobody knows: its name stands for its hash as with systemg 0.33.0. `process` null: it has ended. */
export function orphanStatus({ name, pid, process }: { readonly name: string; readonly pid: number; readonly process: ProcessIdentity | null }, nowWallMs: number): UnitStatus {
  const facts = process === null ? null : processFacts(process.pid, process.startTime);
  const uptime = uptimeOf(facts, nowWallMs);
  return {
    name, hash: name, kind: 'orphaned', health: healthWith(facts, facts?.state === 'running' ? 'healthy' : 'failing'), process: runtimeOf(process?.pid ?? pid, facts),
    ...(uptime !== null && { uptime }), ...(facts?.commandLine != null && { runtime_command: facts.commandLine }),
  };
}

function cronPart(name: string, timezone: string | null, { runs, missed, samplesBetween }: CronSources, wallMs: number) {
  const history = runs(name);
  const block = cronStatus({ timezone, runs: history, missed: missed?.(name), samplesBetween: (...span) => samplesBetween(name, ...span) }, wallMs);
  return { block, health: cronHealth(history) };
}

function rolloutStatus({ step, place, slots, phase, generation, process }: NonNullable<UnitView['rollout']>): RolloutStatus {
  return {
    step, instance: place, phase, generation, ...(process?.identity != null && { pid: process.identity.pid }), ...(slots !== null && { slots: [slots.from, slots.to] }),
  };
}

function metricsSummary(summary: Summary): UnitMetricsSummary {
  return {
    latest_cpu_percent: summary.latestCpuPercent, average_cpu_percent: Math.round(summary.averageCpuPercent * 100) / 100,
    max_cpu_percent: summary.maxCpuPercent, latest_rss_bytes: summary.latestRssBytes, samples: summary.samples,
    average_rss_bytes: summary.averageRssBytes, max_rss_bytes: summary.maxRssBytes,
  };
}

export function exitMetadata(code: number | null, signal: number | null): NonNullable<UnitStatus['last_exit']> {
  return { ...(code !== null && { exit_code: code }), ...(signal !== null && { signal }) };
}

function wallTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
