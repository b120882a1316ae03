import { setTimeout as pause } from 'node:timers/promises';
import { defaultMetrics, type MetricsSpec } from '../metrics-spec.ts';
import { ticksToMs, uptimeMs } from '../process/boot.ts';
import { consumption, type Owed } from './consumption.ts';
import { makeObserver, reportingPass, type Member, type Membership, type Observer, type Origin } from './observer.ts';
import { openSpillover, type Spillover } from './spillover.ts';
import { openSampleStore, wireSample, type Sample, type Summary } from './store.ts';

export interface MeasuredUnit {
  readonly name: string;
  readonly hash: string;
  /** Its processes: one, or two during a replacement. Empty: nothing to measure. */
  readonly origins: readonly Origin[];
}

/** One process of a unit, as it was seen just now. */
export interface LiveProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTime: string;
  /** One letter, as in `ProcessStat`. */
  readonly state: string;
  readonly startedAtMs: number;
  /** Its own, on average since the sample before, or since it began. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

export interface LiveUnit {
  /** Its processes were seen in this very look, not up to 50 ms ago for another who asked. */
  readonly isFresh?: boolean;
  /** `null`: never measured, or it has no process. */
  readonly summary: Summary | null;
  /** Living, leaders included. */
  readonly processes: readonly LiveProcess[];
}

/** Measures the units while somebody wants to know. */
export type Sampler = ReturnType<typeof openSampler>;

export interface SamplerOutside {
  /** Milliseconds of the monotonic clock. */
  now(): number;
  wallMs(): number;
  /** The very same list as before only while the units are the same. */
  units(): readonly MeasuredUnit[];
  onProblem(text: string): void;
  /** Calls back after so many milliseconds; returns what forgets it. */
  wait?(ms: number, wake: () => void): () => void;
  readonly observer?: Observer;
}

export function openSampler(outside: SamplerOutside, spec: MetricsSpec | null) {
  const { now, wallMs, wait = waitUnreferenced, observer = makeObserver() } = outside;
  let settings = spec ?? defaultMetrics;
  let permanent = spec !== null;
  let askedUntil = Number.NEGATIVE_INFINITY;
  let cancel: (() => void) | null = null;
  let spillover: Spillover | null = null;
  let latestPass: Pass | null = null;
  let hashes: ReadonlyMap<string, string> = new Map();
  /** The units for which others were forgotten last. */
  let known: readonly MeasuredUnit[] | null = null;
  let dueAt = now();
  const measured = new Map<string, Measured>();
  const observe = reportingPass(observer, 'processes', outside.onProblem);
  const store = openSampleStore(settings, (unit, sample) => spillover?.push(JSON.stringify({ unit_hash: hashes.get(unit) ?? unit, sample: wireSample(sample) })));

  const openSpill = (): void => {
    const { spilloverPath: directory, spilloverMaxBytes: maxBytes, spilloverSegmentBytes: segmentBytes } = settings;
    spillover = directory === null || maxBytes === 0 ? null : openSpillover({ directory, maxBytes, segmentBytes }, outside.onProblem);
  };
  const isWanted = (): boolean => permanent || now() < askedUntil;

  const isDue = (unit: string, leastAgeMs: number): boolean => now() - (measured.get(unit)?.at ?? Number.NEGATIVE_INFINITY) >= leastAgeMs;
  /** One look at /proc for everyone who asks within a moment; whole at units whose last sample is at least so old, or that have none. */
  const pass = (leastAgeMs: number): Pass => {
    const units = outside.units();
    const due = new Set(units.flatMap(({ name }) => (isDue(name, leastAgeMs) ? [name] : [])));
    if (latestPass !== null && now() - latestPass.at < SHARED_MS && units.every((unit) => isCovered(unit, due, latestPass))) return latestPass;
    hashes = new Map(units.map(({ name, hash }) => [name, hash]));
    const members = observe(new Map(units.map(({ name, origins }) => [name, origins])), (unit) => due.has(unit));
    latestPass = { at: now(), atWallMs: wallMs(), upMs: uptimeMs(), members, due };
    return latestPass;
  };

  const takeSample = (unit: string, { at, atWallMs, upMs }: Pass, members: ReadonlyMap<number, Member>): void => {
    const living = [...members.values()].filter(({ zombie }) => !zombie);
    if (living.length === 0) return void measured.delete(unit);
    const before = measured.get(unit);
    const used = consumption(before?.members ?? new Map<number, Member>(), members, before?.owed);
    const elapsedMs = before === undefined ? Math.max(...living.map((member) => ageMs(member, upMs))) : at - before.at;
    const io = { readBytes: (before?.readBytes ?? 0) + used.readBytes, writtenBytes: (before?.writtenBytes ?? 0) + used.writtenBytes };
    const cpuOf = new Map(living.map((member) => [member.stat.pid, ownCpuPercent(member, before, { at, upMs })]));
    measured.set(unit, { at, members, owed: used.owed, cpuOf, ...io });
    store.add(unit, {
      atMs: atWallMs, cpuPercent: percent(used.cpuTicks, elapsedMs), rssBytes: living.reduce((sum, { usage }) => sum + usage.rssBytes, 0), ...io,
    });
  };
  /** Of the units that were due when the pass was made, unless it has served for that already. */
  const sampleOlder = (seen: Pass, leastAgeMs: number): void => {
    for (const unit of seen.due) {
      const members = seen.members.get(unit);
      const last = measured.get(unit)?.at ?? Number.NEGATIVE_INFINITY;
      if (members !== undefined && seen.at - last >= leastAgeMs) takeSample(unit, seen, members);
    }
  };
  const forgetOthers = (): void => {
    const units = outside.units();
    if (units === known) return;
    known = units;
    const names = new Set(units.map(({ name }) => name));
    store.forgetAllBut(names);
    for (const unit of measured.keys()) if (!names.has(unit)) measured.delete(unit);
  };

  const tick = (): void => {
    cancel = null;
    if (!isWanted()) return observer.rest();
    forgetOthers();
    // Of a shorter span than that a tick of the kernel's clock would be too large a part.
    const leastAgeMs = settings.sampleIntervalMs / 2;
    sampleOlder(pass(leastAgeMs), leastAgeMs);
    spillover?.flush();
    arm();
  };
  const arm = (): void => {
    if (cancel !== null || !isWanted()) return;
    dueAt += settings.sampleIntervalMs;
    if (dueAt <= now()) dueAt = now() + settings.sampleIntervalMs;
    cancel = wait(dueAt - now(), tick);
  };
  const ask = (): void => {
    askedUntil = now() + ASKED_MS;
    arm();
  };

  const look = (): ReadonlyMap<string, LiveUnit> => {
    ask();
    // The timer does it as long as it runs.
    const leastAgeMs = settings.sampleIntervalMs * 1.5;
    const before = latestPass;
    const seen = pass(leastAgeMs);
    sampleOlder(seen, leastAgeMs);
    return new Map([...seen.members].map(([unit, members]) => [unit, { ...liveUnit(unit, members, seen), isFresh: seen !== before }]));
  };
  const liveUnit = (unit: string, members: ReadonlyMap<number, Member>, { atWallMs, upMs }: Pass): LiveUnit => {
    const before = measured.get(unit);
    const living = [...members.values()].filter(({ zombie }) => !zombie);
    return {
      summary: store.summary(unit),
      processes: living.map((member) => ({
        pid: member.stat.pid, parentPid: member.stat.ppid, startTime: member.stat.startTime, state: member.stat.state, startedAtMs: atWallMs - upMs + startMs(member),
        cpuPercent: before?.cpuOf.get(member.stat.pid) ?? percent(member.usage.ownTicks, ageMs(member, upMs)), rssBytes: member.usage.rssBytes,
      })),
    };
  };

  openSpill();
  arm();
  return {
    /** What is running now, with the samples so far; goes on sampling for ten seconds. */
    look,
    /** The newest `count` samples of a unit, oldest first. When there are none of late it takes two, 100 ms apart. */
    async inspect(unit: string, count: number): Promise<readonly Sample[]> {
      const latest = measured.get(unit);
      const isFresh = latest !== undefined && now() - latest.at < 2 * settings.sampleIntervalMs;
      const isMeasured = look().get(unit)?.processes.length ?? 0;
      if (!isFresh && isMeasured > 0) {
        await pause(FIRST_PAUSE_MS);
        const seen = pass(FIRST_PAUSE_MS / 2);
        const members = seen.members.get(unit);
        const before = measured.get(unit)?.at;
        if (members !== undefined && seen.due.has(unit) && before !== undefined && seen.at - before >= FIRST_PAUSE_MS / 2) takeSample(unit, seen, members);
      }
      return store.newest(unit, count);
    },
    /** The samples of one run, for its record. */
    samplesBetween: (unit: string, fromMs: number, toMs: number, count: number): readonly Sample[] => store.between(unit, fromMs, toMs, count),
    /** `null`: only while somebody asks. What is kept stays, within the new limits. */
    configure(specNow: MetricsSpec | null): void {
      permanent = specNow !== null;
      settings = specNow ?? defaultMetrics;
      store.setLimits(settings);
      spillover?.flush();
      spillover?.close();
      openSpill();
      cancel?.();
      cancel = null;
      dueAt = now();
      arm();
    },
    close(): void {
      cancel?.();
      askedUntil = Number.NEGATIVE_INFINITY;
      permanent = false;
      observer.rest();
      spillover?.flush();
      spillover?.close();
    },
  };
}

/** How long a question keeps the sampling up. */
const ASKED_MS = 10_000;
const SHARED_MS = 50;
const FIRST_PAUSE_MS = 100;

interface Pass {
  readonly at: number;
  readonly atWallMs: number;
  /** Since boot: read once, since a look at a thousand units asks for it as often. */
  readonly upMs: number;
  readonly members: Membership;
  /** Units of which all was read that a sample needs. */
  readonly due: ReadonlySet<string>;
}

interface Measured {
  readonly at: number;
  readonly members: ReadonlyMap<number, Member>;
  readonly owed: Owed;
  readonly cpuOf: ReadonlyMap<number, number>;
  readonly readBytes: number;
  readonly writtenBytes: number;
}

function isCovered({ name, origins }: MeasuredUnit, due: ReadonlySet<string>, latest: Pass | null): boolean {
  const own = latest?.members.get(name);
  if (due.has(name) && latest?.due.has(name) !== true) return false;
  return own !== undefined && origins.every(({ leader }) => own.get(leader.pid)?.stat.startTime === leader.startTime);
}

function ownCpuPercent(member: Member, before: Measured | undefined, { at, upMs }: Pick<Pass, 'at' | 'upMs'>): number {
  const earlier = before?.members.get(member.stat.pid);
  if (before === undefined || earlier?.stat.startTime !== member.stat.startTime) return percent(member.usage.ownTicks, ageMs(member, upMs));
  return percent(member.usage.ownTicks - earlier.usage.ownTicks, at - before.at);
}

/** Of one core, to two decimals: a clock tick is a hundredth of a second. */
function percent(ticks: number, elapsedMs: number): number {
  return elapsedMs <= 0 ? 0 : Math.round((ticksToMs(ticks) / elapsedMs) * 10_000) / 100;
}

/** Since boot, by the clock that runs on while the machine is suspended, as the kernel's start times do. */
function startMs({ stat }: Member): number {
  return ticksToMs(Number(stat.startTime));
}

/** At least one tick: start times are rounded down to ticks. */
function ageMs(member: Member, upMs: number): number {
  return Math.max(ticksToMs(1), upMs - startMs(member));
}

export function waitUnreferenced(ms: number, wake: () => void): () => void {
  const timer = setTimeout(wake, ms).unref();
  return () => clearTimeout(timer);
}
