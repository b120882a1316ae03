import type { AnyActorRef } from 'xstate';
import { createActor, fromCallback } from 'xstate';
import type { CronSpec, ScheduleReport } from '../../machines/types.ts';
import type { Clock } from '../../src/clock.ts';

/** Both clocks of a machine, moved by hand. */
export interface VirtualTime {
  readonly clock: Pick<Clock, 'now' | 'at'>;
  wallNow(): number;
  /** Lets time pass, waking each waiter when it wants to be woken. */
  pass(ms: number): void;
  /** Sets the wall clock, forward or back. */
  setWall(byMs: number): void;
  /** Nobody is woken; what was to happen happens late. */
  freeze(ms: number): void;
  /** How long until each thing that is to happen. */
  pending(): readonly number[];
}

export function makeVirtualTime(start: string): VirtualTime {
  let now = 5000;
  let shift = Date.parse(start) - now;
  let entries: readonly { readonly at: number; readonly fire: () => void }[] = [];
  const pass = (ms: number): void => {
    const until = now + ms;
    for (;;) {
      const next = entries.reduce<(typeof entries)[number] | null>((soonest, entry) => (soonest === null || entry.at < soonest.at ? entry : soonest), null);
      if (next === null || next.at > until) break;
      now = Math.max(now, next.at);
      entries = entries.filter((entry) => entry !== next);
      next.fire();
    }
    now = until;
  };
  return {
    clock: {
      now: () => now,
      at: (at, fire) => {
        const entry = { at, fire };
        entries = [...entries, entry];
        return () => {
          entries = entries.filter((other) => other !== entry);
        };
      },
    },
    wallNow: () => now + shift,
    pass,
    setWall: (byMs) => {
      shift += byMs;
    },
    freeze: (ms) => {
      now += ms;
      pass(0);
    },
    pending: () => entries.map(({ at }) => at - now),
  };
}

export interface Listener {
  readonly ref: AnyActorRef;
  /** `due 03-08 07:00:00` or `next …`, of UTC. */
  readonly heard: string[];
  dues(): readonly string[];
}

/** An actor that writes down what the schedule reports; `react` sees each report first. */
export function makeListener(react: (report: ScheduleReport) => void = () => undefined): Listener {
  const heard: string[] = [];
  const moment = (wallMs: number | null): string => (wallMs === null ? 'never' : new Date(wallMs).toISOString().slice(5, 19).replace('T', ' '));
  const ref = createActor(fromCallback<ScheduleReport>(({ receive }) => {
    receive((report) => {
      heard.push(report.type === 'due' ? `due ${moment(report.instantWallMs)}` : `next ${moment(report.nextWallMs)}`);
      react(report);
    });
  })).start();
  return { ref, heard, dues: () => heard.filter((words) => words.startsWith('due ')).map((words) => words.slice(4)) };
}

export function cronOf(expression: string, changes: Partial<CronSpec> = {}): CronSpec {
  return { expression, timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none', ...changes };
}
