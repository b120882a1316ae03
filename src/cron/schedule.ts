import type { AnyActorRef } from 'xstate';
import type { SchedulePort } from '../../machines/ports.ts';
import type { CronSpec, ScheduleReport } from '../../machines/types.ts';
import type { Clock } from '../actors/clock.ts';
import { parseCron, type ParsedCron } from '../config/cron-expression.ts';
import { lastInstant, nextInstant } from './instants.ts';
import { PassedTime } from './passed.ts';

export interface ScheduleOptions {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  /** The wall clock, in milliseconds since 1970. */
  readonly wallNow: () => number;
  /** The instant of the unit's last run, whoever supervised it; `null` when it never ran. Asked once a unit, at its first watch. */
  readonly lastRunWallMs: (unit: string) => number | null;
}

interface Watch {
  readonly target: AnyActorRef;
  readonly cron: CronSpec;
  readonly expression: ParsedCron;
  readonly passed: PassedTime;
  nextWallMs: number | null;
}

/** The wall clock may be set while we wait for it. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Tells cron units when they are due. An instant is told once, also when the clock is set back. Of several that passed
 * together (the process was stopped, the machine asleep, the clock set forward) the last one is told.
 */
export function openSchedule({ clock, wallNow, lastRunWallMs }: ScheduleOptions): SchedulePort {
  const watches = new Map<AnyActorRef, Watch>();
  const unitsSeen = new Set<string>();
  let forgetTimer: (() => void) | null = null;
  let wakesAt = Number.POSITIVE_INFINITY;

  const tell = (target: AnyActorRef, report: ScheduleReport): void => target.send(report);

  const arm = (instantWallMs: number): void => {
    const wakeAt = clock.now() + Math.min(LONGEST_WAIT_MS, Math.max(0, instantWallMs - wallNow()));
    if (forgetTimer !== null && wakesAt <= wakeAt) return;
    disarm();
    wakesAt = wakeAt;
    forgetTimer = clock.at(wakeAt, wake);
  };

  const disarm = (): void => {
    forgetTimer?.();
    forgetTimer = null;
    wakesAt = Number.POSITIVE_INFINITY;
  };

  const wake = (): void => {
    forgetTimer = null;
    wakesAt = Number.POSITIVE_INFINITY;
    const wallMs = wallNow();
    for (const watch of watches.values()) look(watch, wallMs);
    const nearest = [...watches.values()].reduce((least, { nextWallMs }) => Math.min(least, nextWallMs ?? least), Number.POSITIVE_INFINITY);
    if (nearest !== Number.POSITIVE_INFINITY) arm(nearest);
  };

  const look = (watch: Watch, wallMs: number): void => {
    const { target, cron, expression, passed, nextWallMs } = watch;
    const wentBack = wallMs < passed.latestMs;
    const isDue = nextWallMs !== null && nextWallMs <= wallMs;
    const last = isDue ? lastInstant(expression, cron.timezone, nextWallMs, wallMs) : null;
    const instantWallMs = isDue && (last === null || passed.endOfPassed(last) !== null) ? nextWallMs : last;
    passed.reach(wallMs, instantWallMs);
    if (!isDue && !wentBack) return;
    const next = upcoming(watch, wallMs);
    watch.nextWallMs = next;
    if (instantWallMs !== null) tell(target, { type: 'due', at: clock.now(), instantWallMs });
    if (next !== nextWallMs && watches.get(target) === watch) tell(target, { type: 'scheduled', at: clock.now(), nextWallMs: next });
  };

  return {
    watch(target, unit, cron) {
      const wallMs = wallNow();
      const missed = unitsSeen.has(unit) || cron.catchUp === 'none' ? null : lastRunWallMs(unit);
      unitsSeen.add(unit);
      const former = watches.get(target);
      const same = former !== undefined && former.cron.expression === cron.expression && former.cron.timezone === cron.timezone;
      const watch: Watch = same ? former : { target, cron, expression: read(cron), passed: new PassedTime(wallMs), nextWallMs: null };
      watch.nextWallMs ??= upcoming(watch, wallMs);
      watches.set(target, watch);
      if (watch.nextWallMs !== null) arm(watch.nextWallMs);
      const instantWallMs = missed === null ? null : lastInstant(watch.expression, cron.timezone, missed, wallMs);
      tell(target, { type: 'scheduled', at: clock.now(), nextWallMs: watch.nextWallMs });
      if (instantWallMs !== null) tell(target, { type: 'due', at: clock.now(), instantWallMs });
    },
    unwatch(target) {
      watches.delete(target);
      if (watches.size === 0) disarm();
    },
  };
}

/** The first instant after `wallMs` that was not told when the clock showed it before. */
function upcoming({ expression, cron, passed }: Watch, wallMs: number): number | null {
  let next = nextInstant(expression, cron.timezone, wallMs);
  for (let end = next === null ? null : passed.endOfPassed(next); end !== null && next !== null; end = next === null ? null : passed.endOfPassed(next)) {
    next = nextInstant(expression, cron.timezone, end);
  }
  return next;
}

function read({ expression }: CronSpec): ParsedCron {
  const parsed = parseCron(expression);
  // The configuration with it would have been refused.
  if (!parsed.ok) throw new Error(`Invalid cron expression '${expression}': ${parsed.problem}`);
  return parsed;
}
