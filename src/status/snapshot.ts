import type { Children } from '../../machines/children.ts';
import type { UnitView } from '../../machines/view.ts';
import type { OverallHealth, RolloutStatus, StatusSnapshot, UnitMetricsSummary, UnitStatus } from '../wire/payloads.ts';
import type { LiveUnit } from '../metrics/sampler.ts';
import type { Summary } from '../metrics/store.ts';
import { signalNumber } from '../signals.ts';
import { ago, processFacts } from './process-facts.ts';
import { processTree, shownChildren, type ShownChild } from './process-tree.ts';

/** Both clocks at one moment: the machines speak in monotonic milliseconds, people in wall time. */
export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** What was measured, by unit; empty where nothing can be. */
export type LiveUnits = ReadonlyMap<string, LiveUnit>;

/** The answer to Status: ordered by hash, as systemg 0.33.0's is. */
export function statusSnapshot(views: readonly UnitView[], now: Now, live: LiveUnits = new Map(), children: Children = new Map()): StatusSnapshot {
  const units = views.map((view) => unitStatus(view, now, live.get(view.spec.name), children.size === 0 ? [] : shownChildren(children, view.spec.name, now))).sort((one, other) => compare(one.hash, other.hash) || compare(one.name, other.name));
  return { schema_version: 'status.v1', captured_at: new Date(now.wallMs).toISOString(), overall_health: overallHealth(units), units };
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

export function unitStatus(view: UnitView, now: Now, live?: LiveUnit, spawned: readonly ShownChild[] = []): UnitStatus {
  const { spec } = view;
  const identity = view.alive ? (view.process?.identity ?? null) : null;
  const facts = identity === null ? null : processFacts(identity.pid, identity.startTime);
  const children = identity === null ? [] : processTree(identity.pid, live?.processes ?? [], spawned);
  const seconds = facts?.uptimeMs == null ? null : Math.floor(facts.uptimeMs / 1000);
  return {
    name: spec.name,
    hash: spec.hash,
    kind: spec.cron === null ? 'service' : 'cron',
    lifecycle: view.lifecycle,
    health: view.health,
    ...(identity !== null && facts !== null && { process: { pid: identity.pid, state: facts.state, user: facts.user } }),
    ...(facts?.state === 'running' && facts.uptimeMs !== null && seconds !== null && {
      uptime: { seconds, human: ago(seconds), started_at: wallTime(now.wallMs - facts.uptimeMs) },
    }),
    ...(view.exit !== null && { last_exit: exitMetadata(view.exit) }),
    ...(live?.summary != null && { metrics: metricsSummary(live.summary) }),
    command: spec.command,
    ...(facts?.commandLine != null && { runtime_command: facts.commandLine }),
    ...(children.length > 0 && { spawned_children: children }),
    phase: view.phase,
    wanted: view.wanted,
    ...(spec.check !== null && { ready: view.ready === true }),
    generation: view.generation,
    restarts: view.restarts,
    since: wallTime(now.wallMs - (now.monotonicMs - view.since)),
    ...(view.deadline?.kind === 'backoff' && { next_at: wallTime(now.wallMs + (view.deadline.at - now.monotonicMs)) }),
    ...(view.nextWallMs !== null && { next_at: wallTime(view.nextWallMs) }),
    ...(view.state === 'waiting' && Object.keys(view.held).length > 0 && {
      waits_for: Object.entries(view.held).map(([unit, lost]) => ({ unit, ...(lost !== null && { lost }) })),
    }),
    ...(view.rollout !== null && { rollout: rolloutStatus(view.rollout) }),
  };
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

function exitMetadata(exit: NonNullable<UnitView['exit']>): { exit_code?: number; signal?: number } {
  const signal = signalNumber(exit.signal);
  return { ...(exit.code !== null && { exit_code: exit.code }), ...(signal !== null && { signal }) };
}

function wallTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
