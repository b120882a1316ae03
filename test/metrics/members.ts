import type { Member } from '../../src/metrics/observer.ts';

export interface Given {
  readonly pid: number;
  readonly ppid?: number;
  readonly startTime?: string;
  readonly own?: number;
  readonly reaped?: number;
  readonly rss?: number;
  readonly read?: number;
  readonly written?: number;
  readonly zombie?: boolean;
}

/** Members by pid, as an observer gives them. */
export function members(...given: readonly Given[]): ReadonlyMap<number, Member> {
  return new Map(given.map((one) => [one.pid, {
    stat: { pid: one.pid, ppid: one.ppid ?? 1, pgrp: one.pid, session: one.pid, state: one.zombie === true ? 'Z' : 'S', startTime: one.startTime ?? '100' },
    usage: {
      ownTicks: one.own ?? 0, reapedTicks: one.reaped ?? 0, rssBytes: one.rss ?? 0,
      io: one.read === undefined && one.written === undefined ? null : { readBytes: one.read ?? 0, writtenBytes: one.written ?? 0 },
    },
    zombie: one.zombie === true,
  }]));
}
