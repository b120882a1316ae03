import type { AnyActorRef } from 'xstate';
import type { SchedulePort } from '../../machines/ports.ts';
import type { CronSpec, ScheduleReport } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import { parseCron, type ParsedCron } from './expression.ts';
import { lastInstant, nextInstant } from './instants.ts';

export interface ScheduleOptions {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  /** The wall clock, in milliseconds since 1970. */
  readonly wallNow: () => number;
  /** The instant of the unit's last run under any supervisor; `null` when it never ran. Asked once a unit, at its first watch. */
  readonly lastRunWallMs: (unit: string) => number | null;
}

interface Watch {
  readonly cron: CronSpec;
  readonly expression: ParsedCron;
  readonly passed: PassedTime;
  nextWallMs: number | null;
}

/** The wall clock may be set while the schedule waits for it. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Reports to cron units when they are due: each instant once, also when the clock is set back. Of several instants that passed
 * together (the process was stopped, the machine asleep, the clock set forward) the last one is reported.
 */
export function openSchedule({ clock, wallNow, lastRunWallMs }: ScheduleOptions): SchedulePort {
  const watches = new Map<AnyActorRef, Watch>();
  const unitsSeen = new Set<string>();
  let alarm: { readonly at: number; readonly forget: () => void } | null = null;

  const report = (target: AnyActorRef, fact: ScheduleReport): void => target.send(fact);

  const arm = (instantWallMs: number): void => {
    const at = clock.now() + Math.min(LONGEST_WAIT_MS, Math.max(0, instantWallMs - wallNow()));
    if (alarm !== null && alarm.at <= at) return;
    alarm?.forget();
    alarm = { at, forget: clock.at(at, wake) };
  };

  const wake = (): void => {
    alarm = null;
    const wallMs = wallNow();
    for (const [target, watch] of watches) look(target, watch, wallMs);
    const nearest = [...watches.values()].reduce((least, { nextWallMs }) => Math.min(least, nextWallMs ?? least), Number.POSITIVE_INFINITY);
    if (nearest !== Number.POSITIVE_INFINITY) arm(nearest);
  };

  const look = (target: AnyActorRef, watch: Watch, wallMs: number): void => {
    const { cron, expression, passed, nextWallMs } = watch;
    const wentBack = wallMs < passed.latestMs;
    const isDue = nextWallMs !== null && nextWallMs <= wallMs;
    const last = isDue ? lastInstant(expression, cron.timezone, nextWallMs, wallMs) : null;
    const instantWallMs = isDue && (last === null || passed.endOfPassed(last) !== null) ? nextWallMs : last;
    passed.reach(wallMs, instantWallMs);
    if (!isDue && !wentBack) return;
    const next = upcoming(watch, wallMs);
    watch.nextWallMs = next;
    if (instantWallMs !== null) report(target, { type: 'due', at: clock.now(), instantWallMs });
    if (next !== nextWallMs && watches.get(target) === watch) report(target, { type: 'scheduled', at: clock.now(), nextWallMs: next });
  };

  return {
    watch(target, unit, cron, runGoesOn = false) {
      const wallMs = wallNow();
      const isOwed = cron.catchUp === 'last' || (runGoesOn && cron.overlap !== 'skip');
      const missed = unitsSeen.has(unit) || !isOwed ? null : lastRunWallMs(unit);
      unitsSeen.add(unit);
      const former = watches.get(target);
      const same = former !== undefined && former.cron.expression === cron.expression && former.cron.timezone === cron.timezone;
      const watch: Watch = same ? former : { cron, expression: read(cron), passed: new PassedTime(wallMs), nextWallMs: null };
      watch.nextWallMs ??= upcoming(watch, wallMs);
      watches.set(target, watch);
      if (watch.nextWallMs !== null) arm(watch.nextWallMs);
      const instantWallMs = missed === null ? null : lastInstant(watch.expression, cron.timezone, missed, wallMs);
      report(target, { type: 'scheduled', at: clock.now(), nextWallMs: watch.nextWallMs });
      if (instantWallMs !== null) report(target, { type: 'due', at: clock.now(), instantWallMs });
    },
    unwatch(target) {
      watches.delete(target);
      if (watches.size > 0) return;
      alarm?.forget();
      alarm = null;
    },
  };
}

/** The first instant after `wallMs` that was not reported when the clock showed it before. */
function upcoming({ expression, cron, passed }: Watch, wallMs: number): number | null {
  for (let fromMs = wallMs; ;) {
    const next = nextInstant(expression, cron.timezone, fromMs);
    const end = next === null ? null : passed.endOfPassed(next);
    if (end === null) return next;
    fromMs = end;
  }
}

function read({ expression }: CronSpec): ParsedCron {
  const parsed = parseCron(expression);
  // The configuration with it would have been refused.
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed;
}

interface Span {
  readonly fromMs: number;
  untilMs: number;
}

/** The clock was stopped, or set, when two readings lie further apart: there is one a minute at least. */
const STEADY_MS = 120_000;
const SPANS_KEPT = 16;

/**
 * The readings of the wall clock that have been: a clock that is set back shows some of them again. Spans rather than the
 * highest one, so that a clock that was years ahead for a while leaves no years of silence behind.
 */
class PassedTime {
  #spans: Span[];

  constructor(nowMs: number) {
    this.#spans = [{ fromMs: nowMs, untilMs: nowMs }];
  }

  /** Where the present span ends; a reading below it was shown before, or the clock was set back beyond what has been. */
  get latestMs(): number {
    return this.#spans.at(-1)?.untilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Notes that the clock shows `nowMs`, and that `instantMs` was reported, whatever became of the time before it. */
  reach(nowMs: number, instantMs: number | null): void {
    const span = this.#spans.at(-1);
    const continues = span !== undefined && span.fromMs <= nowMs && nowMs - span.untilMs <= STEADY_MS;
    if (continues) span.untilMs = Math.max(span.untilMs, nowMs);
    else this.#spans = [...this.#spans.slice(1 - SPANS_KEPT), { fromMs: Math.min(nowMs, instantMs ?? nowMs), untilMs: nowMs }];
  }

  /** Where the span ends that this moment lies in; `null`: it has not been yet. */
  endOfPassed(wallMs: number): number | null {
    return this.#spans.find(({ fromMs, untilMs }) => fromMs <= wallMs && wallMs <= untilMs)?.untilMs ?? null;
  }
}
