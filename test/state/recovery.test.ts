import { describe, expect, test } from 'vitest';
import type { RecoveryVerdict, ServiceSpec, UnitRecord } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import type { LedgerEntry } from '../../src/state/ledger-lines.ts';
import { asideSpec, isAside, recover, whatCounts, withoutDoubles, type RecoveryOutside, type ScannedRow } from '../../src/state/recovery.ts';
import { record } from './record.ts';

const now = { at: 10_000, wallMs: 1_000_000, bootId: 'boot-1' };
const identity = { pid: 100, startTime: '555', bootId: 'boot-1' };

function entry(changes: Partial<UnitRecord> = {}, bootId = 'boot-1'): LedgerEntry {
  return { record: record('web', changes), written: { at: 5000, wallMs: 995_000, bootId } };
}

function row(pid: number, changes: Partial<ScannedRow> = {}): ScannedRow {
  return { pid, pgrp: pid, state: 'S', startTime: '555', tokens: ['t-web'], ...changes };
}

/** A kernel that shows one table after another and the last one for ever. */
function kernel(...tables: readonly (readonly ScannedRow[])[]): RecoveryOutside & { scans: number } {
  const outside = {
    scans: 0,
    scan: async () => {
      const table = tables[Math.min(outside.scans, tables.length - 1)] ?? [];
      outside.scans += 1;
      return new Map(table.map((one) => [one.pid, one]));
    },
    isAlive: (asked: { pid: number; startTime: string; bootId: string }) => asked.bootId === 'boot-1'
      && (tables.at(-1) ?? []).some((one) => one.pid === asked.pid && one.startTime === asked.startTime && one.state !== 'Z'),
    now: () => now,
    secondLookMs: 0,
  };
  return outside;
}

async function verdict(of: LedgerEntry, outside: RecoveryOutside): Promise<string | undefined> {
  return (await recover([of], outside))[0]?.verdict;
}

const intent = { generation: 2, role: 'main', token: 't-web', identity: null, adopted: false } as const;

describe('a recorded process', () => {
  test('lives when pid, start time, boot and token are its own, which one scan shows', async () => {
    const outside = kernel([row(100)]);
    expect(await verdict(entry(), outside)).toBe('alive');
    expect(outside.scans).toBe(1);
  });
  test('is dead when its pid is gone', async () => {
    expect(await verdict(entry(), kernel([]))).toBe('dead');
  });
  test('is dead when its pid belongs to a process that started at another time', async () => {
    expect(await verdict(entry(), kernel([row(100, { startTime: '556', tokens: [] })]))).toBe('dead');
  });
  test('is dead as a zombie', async () => {
    expect(await verdict(entry(), kernel([row(100, { state: 'Z', tokens: [] })]))).toBe('dead');
  });
  test('is another one when its environment holds the token of somebody else only', async () => {
    expect(await verdict(entry(), kernel([row(100, { tokens: ['t-other'] })]))).toBe('dead');
  });
  test('lives though it holds the token of what started it, when it was taken over from the files', async () => {
    const taken = entry({ process: { generation: 1, role: 'main', token: 'taken-0123456789ab', adopted: true, identity } });
    expect(await verdict(taken, kernel([row(100, { tokens: ['another.1.1'] })]))).toBe('alive');
  });
  test('lives though its environment cannot be read or was cleared by itself', async () => {
    expect(await verdict(entry(), kernel([row(100, { tokens: null })]))).toBe('alive');
    expect(await verdict(entry(), kernel([row(100, { tokens: [] })]))).toBe('alive');
  });
  test('lives as long as its exit code is to be reported, though another process has its pid by now', async () => {
    const outside = kernel([row(100, { startTime: '9', tokens: ['t-other'] })]);
    expect(await verdict(entry(), { ...outside, isAlive: () => true })).toBe('alive');
  });
  test('whose leader ended counts as alive while a process that it started lives', async () => {
    expect(await verdict(entry(), kernel([row(300, { startTime: '600' })]))).toBe('alive');
  });
  test('of another boot is dead, whatever has its pid and token now, and costs no scan', async () => {
    const outside = kernel([row(100)]);
    const owned = { ...intent, identity: { ...identity, bootId: 'boot-0' } };
    expect(await verdict(entry({ process: owned }, 'boot-0'), outside)).toBe('dead');
    expect(outside.scans).toBe(0);
  });
  test('a record without a process rests, and costs no scan', async () => {
    const outside = kernel([row(100)]);
    expect(await verdict(entry({ process: null, state: 'stopped' }), outside)).toBe('rest');
    expect(outside.scans).toBe(0);
  });
});

describe('an ordered start of which nothing more is known', () => {
  test('was not carried out when two scans find no holder of its token', async () => {
    const outside = kernel([row(7, { tokens: ['t-other'] })]);
    expect(await verdict(entry({ process: intent, state: 'spawning' }), outside)).toBe('unborn');
    expect(outside.scans).toBe(2);
  });
  test('is found by the second scan when the first came too early', async () => {
    const [order] = await recover([entry({ process: intent })], kernel([], [row(200, { startTime: '777' })]));
    expect(order?.verdict).toBe('alive');
    expect(order?.record.process?.identity).toEqual({ pid: 200, startTime: '777', bootId: 'boot-1' });
  });
  test('is the holder that leads its own group, not a child of it', async () => {
    const [order] = await recover([entry({ process: intent })], kernel([row(90, { pgrp: 200, startTime: '500' }), row(200)]));
    expect(order?.record.process?.identity?.pid).toBe(200);
  });
  test('is the oldest holder where its leader has ended', async () => {
    const rows = [row(95, { pgrp: 200, startTime: '1000' }), row(92, { pgrp: 200, startTime: '999' }), row(91, { pgrp: 200, startTime: '999' })];
    const [order] = await recover([entry({ process: intent })], kernel(rows));
    expect(order?.record.process?.identity?.pid).toBe(91);
  });
  test('is not a zombie', async () => {
    expect(await verdict(entry({ process: intent }), kernel([row(200, { state: 'Z' })]))).toBe('unborn');
  });
  test('of another boot is not looked for, beside a process of this one either', async () => {
    const outside = kernel([row(200)]);
    expect(await verdict(entry({ process: intent }, 'boot-0'), outside)).toBe('unborn');
    expect(outside.scans).toBe(0);
    const orders = await recover([entry({ process: { ...intent, identity: { ...identity, pid: 200 } } }), entry({ process: intent }, 'boot-0')], outside);
    expect(orders.map((order) => order.verdict)).toEqual(['alive', 'unborn']);
    expect(outside.scans).toBe(1);
  });
  test('the second scan leaves the verdicts of the others alone', async () => {
    const other = { record: record('db', { process: { ...intent, token: 't-db', identity } }), written: entry().written };
    const orders = await recover([other, entry({ process: intent })], kernel([row(100, { tokens: ['t-db'] })]));
    expect(orders.map((order) => [order.record.unit, order.verdict])).toEqual([['db', 'alive'], ['web', 'unborn']]);
  });
});

describe('a process whose start the disk did not take', () => {
  const owned = { generation: 1, role: 'main', token: 'seed.4.1', identity, adopted: false } as const;

  test('is its unit\'s: the one of the latest generation, of which the leader is taken', async () => {
    const rows = [row(300, { tokens: ['seed.4.2'] }), row(401, { pgrp: 400, startTime: '1', tokens: ['seed.4.10'] }), row(400, { tokens: ['seed.4.10'] })];
    const [order] = await recover([entry({ process: owned })], kernel(rows));
    expect(order?.verdict).toBe('alive');
    expect(order?.record).toMatchObject({ state: 'running', generation: 10, process: { generation: 10, token: 'seed.4.10', identity: { pid: 400 } } });
  });
  test('is not one of another unit, of an earlier generation, of a step of preparation, or a zombie', async () => {
    const tokens = ['seed.5.2', 'seed.41.2', 'seed.4.0', 'seed.4.2.skip'];
    const rows = [...tokens.map((token, index) => row(300 + index, { tokens: [token] })), row(500, { state: 'Z', tokens: ['seed.4.2'] })];
    expect(await verdict(entry({ process: owned }), kernel(rows))).toBe('dead');
  });
});

describe('what counts for a start', () => {
  const once = { instants: 'x' } as unknown as ServiceSpec['cron'];
  const specs = [specOf({ name: 'web' }), specOf({ name: 'nightly', cron: once })];
  let leaderLives = true;
  const start = (isBack: boolean, verdict: RecoveryVerdict, changes: Partial<UnitRecord> = {}, written = 'boot-1') => {
    const found = { record: record('web', changes), written: { at: 5000, wallMs: 995_000, bootId: written } };
    return whatCounts([{ record: found.record, verdict }], { isBack, isAlive: () => leaderLives, entries: new Map([[found.record.unit, found]]), specs, now });
  };
  const resting: Partial<UnitRecord>[] = [
    { state: 'stopped', wanted: 'down', process: null }, { state: 'stopped', outcome: 'completed', process: null }, { state: 'failed', process: null },
    { state: 'backoff', process: null, deadline: { kind: 'backoff', at: 9e9 } },
  ];
  test.each(resting)('by a person: nothing of a unit that rests: %o', (changes) => {
    expect(start(false, 'rest', changes)).toEqual([]);
  });
  test.each(['dead', 'unborn'] as const)('by a person: nothing of a process that is %s, so that no unknown end is judged', (verdict) => {
    expect(start(false, verdict)).toEqual([]);
  });
  test('by a person: what lives is adopted and wanted; what was being ended comes back', () => {
    expect(start(false, 'alive')).toMatchObject([{ verdict: 'alive', record: { wanted: 'up', cause: null } }]);
    expect(start(false, 'alive', { wanted: 'down', state: 'stopping', cause: 'command', streak: 4, failures: [1] }))
      .toMatchObject([{ verdict: 'alive', record: { wanted: 'up', cause: 'restart', streak: 0, failures: [] } }]);
  });
  test('by a person: where only leftovers live they are ended, and the unit starts after that', () => {
    leaderLives = false;
    expect(start(false, 'alive', { state: 'running' })).toMatchObject([{ verdict: 'alive', record: { wanted: 'up', state: 'stopping', cause: 'restart' } }]);
    leaderLives = true;
  });
  test('by a person: what lives of a unit that the file has no more stays as it was recorded, to be ended', () => {
    const changes = { unit: 'gone', wanted: 'down', streak: 4 } as const;
    expect(start(false, 'alive', changes)).toEqual([{ verdict: 'alive', record: record('web', changes) }]);
  });
  test('by a person: a run of a cron unit that nobody saw end is closed, and the unit wanted', () => {
    expect(start(false, 'dead', { unit: 'nightly', wanted: 'down' })).toMatchObject([{ verdict: 'dead', record: { unit: 'nightly', wanted: 'up' } }]);
    expect(start(false, 'rest', { unit: 'nightly', wanted: 'down', process: null })).toEqual([]);
  });
  test.each([...resting.map((changes) => ['rest', changes] as const), ['dead', {}] as const])('by the guardian: all of this boot: %s %o', (verdict, changes) => {
    expect(start(true, verdict, changes)).toEqual([{ verdict, record: record('web', changes) }]);
  });
  test.each(['rest', 'dead', 'unborn'] as const)('by the guardian: nothing of another boot that is %s', (verdict) => {
    expect(start(true, verdict, {}, 'boot-0')).toEqual([]);
  });
});

describe('an instance beside its unit', () => {
  const order = (unit: string, token: string | null) => ({
    record: record(unit, token === null ? { process: null } : { process: { ...intent, token } }), verdict: 'alive' as const,
  });

  test('is the unit\'s where both records name one process', () => {
    const orders = [order('web/candidate', 't-1'), order('web', 't-1')];
    expect(withoutDoubles(orders)).toEqual([orders[1]]);
  });
  test('stays where it has a process of its own, or another unit beside itself has the same', () => {
    const orders = [order('web', 't-1'), order('web/candidate', 't-2'), order('db/old', 't-2'), order('db', null)];
    expect(withoutDoubles(orders)).toEqual(orders);
    expect(orders.map(({ record: { unit } }) => isAside(unit))).toEqual([false, true, true, false]);
  });
  test('is ended as its unit is, and nothing starts or checks it', () => {
    const specs = [specOf({ name: 'db' }), specOf({ name: 'web', stopSignal: 'SIGINT', dependsOn: [{ service: 'db', condition: 'started', onRestart: 'restart' }], essential: true })];
    expect(asideSpec('web/candidate', specs)).toEqual({ ...specs[1], name: 'web/candidate', check: null, hooks: [], dependsOn: [], essential: false, cron: null, spawn: null });
    expect(asideSpec('gone/old', specs)).toBeNull();
  });
});
