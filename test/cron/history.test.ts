import { expect, test } from 'vitest';
import { openRunHistory, type RunHistory } from '../../src/cron/history.ts';

function rig(meta: Map<string, unknown> = new Map()): { readonly history: RunHistory; readonly meta: Map<string, unknown>; readonly lines: readonly string[]; wallMs: number } {
  const state = { wallMs: 1_000_000 };
  const lines: string[] = [];
  const write = (level: string) => (target: string, text: string): void => void lines.push(`${level} ${target}: ${text}`);
  const history = openRunHistory({
    ledger: { meta: new Map(meta), note: (key, value) => void meta.set(key, JSON.parse(JSON.stringify(value))) },
    wallNow: () => state.wallMs, describe: () => ({ user: 'nobody', command: 'true' }), log: { info: write('INFO'), warn: write('WARN') },
  });
  return Object.assign(state, { history, meta, lines });
}

test('an end goes to the run that ended, not to an overlap that came meanwhile, and the log has all three in the words of systemg 0.33.0', () => {
  const { history, lines } = rig();
  const run = { id: 'a.1', instantWallMs: 900_000 };
  history.began('job', run);
  history.running('job', run, 42);
  history.overlapped('job', 960_000);
  history.ended('job', run, { kind: 'failed', exit: { code: 4, signal: null }, reason: 'Process exited with code 4' });
  expect(history.of('job')).toMatchObject([
    { id: 'a.1', pid: 42, status: { Failed: 'Process exited with code 4' }, exitCode: 4, user: 'nobody', command: 'true' },
    { status: 'OverlapError', exitCode: null, pid: null, user: null, command: null, scheduledWallMs: 960_000 },
  ]);
  history.began('job', { id: 'a.2', instantWallMs: null });
  history.ended('job', { id: 'a.2', instantWallMs: null }, { kind: 'success', exit: { code: 0, signal: null } });
  expect(lines).toEqual([
    "INFO systemg::supervisor: Running cron job 'job'", "WARN systemg::cron: Cron job 'job' is scheduled to run but previous execution is still running",
    "WARN systemg::supervisor: Cron job 'job' failed: Process exited with code 4", "INFO systemg::supervisor: Running cron job 'job'",
    "INFO systemg::supervisor: Cron job 'job' completed successfully",
  ]);
});

test('the next supervisor finds the runs, and ends the one that was going on', () => {
  const { history, meta } = rig();
  history.began('job', { id: 'a.1', instantWallMs: 900_000 });
  const later = rig(meta);
  later.history.ended('job', { id: 'another', instantWallMs: null }, { kind: 'failed', exit: null, reason: 'Interrupted by supervisor crash' });
  expect(later.history.of('job')).toMatchObject([{ id: 'a.1', status: { Failed: 'Interrupted by supervisor crash' } }]);
  expect(rig(later.meta).history.of('job')).toEqual(later.history.of('job'));
});

test('runs that were left out are counted beyond those that are kept, and under the next supervisor', () => {
  const { history, meta } = rig();
  for (let instant = 1; instant <= 25; instant += 1) history.overlapped('job', instant * 60_000);
  expect([history.missed('job'), history.missed('other'), history.of('job').length]).toEqual([25, undefined, 10]);
  const later = rig(meta).history;
  later.overlapped('job', 26 * 60_000);
  expect(later.missed('job')).toBe(26);
  // An earlier sysg has left the runs alone.
  meta.delete('missed-runs:job');
  const earlier = rig(meta).history;
  earlier.began('job', { id: 'a.1', instantWallMs: null });
  earlier.overlapped('job', 27 * 60_000);
  expect(earlier.missed('job')).toBe(10);
});

test('a note of the ledger that is no run is left out', () => {
  const { history } = rig(new Map<string, unknown>([['runs:job', [null, 7, { id: 3 }]], ['runs:other', 'x'], ['missed-runs:job', 'x']]));
  expect([history.of('job'), history.missed('job')]).toEqual([[], undefined]);
});

test('of a run that is not known there is no end, and a pid that is known is noted once', () => {
  const { history, meta } = rig();
  const run = { id: 'a.1', instantWallMs: null };
  history.ended('job', run, { kind: 'success', exit: { code: 0, signal: null } });
  expect(history.of('job')).toEqual([]);
  history.began('job', run);
  history.running('job', run, 42);
  const noted = meta.get('runs:job');
  history.running('job', run, 42);
  expect(meta.get('runs:job')).toBe(noted);
});

test('nothing counts as missed up to the latest instant that was run or overlapped', () => {
  const { history } = rig();
  expect(history.lastRunWallMs('job')).toBeNull();
  history.began('job', { id: 'a.1', instantWallMs: 900_000 });
  expect(history.lastRunWallMs('job')).toBe(900_000);
  history.overlapped('job', 960_000);
  expect(history.lastRunWallMs('job')).toBe(960_000);
  history.began('job', { id: 'a.2', instantWallMs: null });
  expect(history.lastRunWallMs('job')).toBe(1_000_000);
});
