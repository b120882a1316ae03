import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ChildRecord, OwnedProcess, UnitRecord } from '../../machines/types.ts';
import { findWhatRuns, recoveryOutside, type Found } from '../../src/daemon/found.ts';
import type { Setting } from '../../src/daemon/setting.ts';
import { keepChild } from '../../src/process/children.ts';
import { bootId } from '../../src/process/boot.ts';
import { identify } from '../../src/process/identity.ts';
import { openLedger, type Ledger } from '../../src/state/ledger.ts';
import { keepChildren } from '../../src/state/notes.ts';
import { specOf } from '../machines/rig.ts';
import { record } from '../state/record.ts';
import { tempDir } from '../temp-dir.ts';

const owned = (pid: number, changes: Partial<OwnedProcess> = {}): OwnedProcess => (
  { generation: 1, role: 'main', token: `t-${pid}`, adopted: false, identity: identify(pid), ...changes }
);
/** Two processes that live as long as the test. */
const [one, other] = [process.pid, process.ppid];
const living = (unit: string, pid: number, changes: Partial<UnitRecord> = {}): UnitRecord => record(unit, { process: owned(pid), ...changes });
const dead = (unit: string): UnitRecord => record(unit, { process: owned(one, { identity: { pid: one, startTime: '1', bootId: bootId() } }) });

/** What is found by a supervisor with the units `web` and `db`, and what its ledger says then. */
async function find(records: readonly UnitRecord[], { isBack = true, children = [], writtenIn = bootId() }: { isBack?: boolean; children?: readonly ChildRecord[]; writtenIn?: string } = {}): Promise<Found & { readonly ledger: Ledger }> {
  const stateDir = tempDir();
  const onProblem = (text: string): never => expect.fail(text);
  const ledger = openLedger(join(stateDir, 'ledger.ndjson'), { onProblem, bootId: writtenIn, now: () => 5 });
  onTestFinished(() => ledger.close());
  for (const each of records) ledger.record(each, false);
  for (const child of children) keepChildren(ledger).recordChild(child);
  // What a supervisor finds was read when its ledger was opened.
  const again = openLedger(join(stateDir, 'ledger.ndjson'), { onProblem, bootId: bootId(), now: () => 5 });
  onTestFinished(() => again.close());
  const setting = { paths: { stateDir }, environment: {}, clock: { now: () => 5 }, secrets: { mask: (text: string) => text }, log: { warn: onProblem }, onProblem } as unknown as Setting;
  const found = await findWhatRuns(setting, again, { path: '/project/sysg.yaml', specs: [specOf({ stopSignal: 'SIGINT' }), specOf({ name: 'db' })] }, isBack);
  return { ...found, ledger: again };
}

const named = (orders: Found['adopt']): readonly string[] => orders.map(({ record: { unit }, verdict }) => `${unit} ${verdict}`);

test('of two records that name one process the one beside the unit counts for nothing, and is forgotten', async () => {
  const { adopt, departed, leaving, ledger } = await find([living('web', one), living('web/candidate', one)]);
  expect([named(adopt), departed, leaving]).toEqual([['web alive'], [], []]);
  expect([ledger.latest('web'), ledger.latest('web/candidate')].map((entry) => entry?.record.unit)).toEqual(['web', undefined]);
});

test('an instance beside its unit with a process of its own is ended as the unit is', async () => {
  const { adopt, departed, leaving } = await find([living('web', one), living('web/candidate', other)]);
  expect([named(adopt), named(departed)]).toEqual([['web alive'], ['web/candidate alive']]);
  expect(leaving).toMatchObject([{ name: 'web/candidate', stopSignal: 'SIGINT' }]);
});

test('a unit that is configured no more is ended where it lives, and forgotten where it does not', async () => {
  const { adopt, departed, leaving, ledger } = await find([dead('web'), living('old', one, { hash: 'of-old' }), dead('older'), dead('older/candidate')]);
  expect([named(adopt), named(departed)]).toEqual([['web dead'], ['old alive']]);
  expect(leaving).toMatchObject([{ name: 'old', hash: 'of-old', projectDir: '/project' }]);
  expect([ledger.latest('web'), ledger.latest('old'), ledger.latest('older'), ledger.latest('older/candidate')].map((entry) => entry?.record.unit)).toEqual(['web', 'old', undefined, undefined]);
});

test('a start by a person forgets what counts no more, and keeps what lives', async () => {
  const { adopt, ledger } = await find([dead('web'), living('db', one, { wanted: 'down' })], { isBack: false });
  expect(named(adopt)).toEqual(['db alive']);
  expect(adopt[0]?.record.wanted).toBe('up');
  expect([ledger.latest('web'), ledger.latest('db')].map((entry) => entry?.record.unit)).toEqual([undefined, 'db']);
});

test('a supervisor that is brought back forgets nothing of a unit that was at rest before the last boot', async () => {
  const { adopt, ledger } = await find([record('db', { process: null, state: 'stopped', wanted: 'down' })], { writtenIn: 'another boot' });
  expect([adopt, ledger.latest('db')?.record.wanted]).toEqual([[], 'down']);
});

test('children go on with the process of their service; those of one that is gone are strays, and no child any more', async () => {
  const child = (id: string, unit: string, token: string): ChildRecord => ({
    id, depth: 1, token: id, identity: identify(other), startedAt: 1,
    order: { unit, generation: 1, token, parent: null, parentPid: one, name: id, argv: ['true'], ttlMs: null, logLevel: null },
  });
  const { children, strays, ledger } = await find([living('web', one), dead('db')], { children: [child('c1', 'web', `t-${one}`), child('c2', 'db', `t-${one}`), child('c3', 'web', 't-before')] });
  expect([children.map(({ id }) => id), strays.map(({ id }) => id)]).toEqual([['c1'], ['c2', 'c3']]);
  expect([...ledger.meta.keys()].filter((key) => key.startsWith('child/'))).toEqual(['child/c1']);
});

test('a child that has ended counts as living until its exit was taken: it has that to report still', () => {
  // Above every pid there is (PID_MAX_LIMIT of the kernel is 4194304).
  const identity = { pid: 5_000_000, startTime: '1', bootId: bootId() };
  const { isAlive } = recoveryOutside({ clock: { now: () => 5 } } as unknown as Setting);
  expect(isAlive(identity)).toBe(false);
  const child = keepChild({ pid: identity.pid, once: () => undefined, unref: () => undefined }, identity, 'token');
  child.end({ code: 0, signal: null });
  expect(isAlive(identity)).toBe(true);
  child.watch(() => undefined);
  child.end({ code: 0, signal: null });
  expect(isAlive(identity)).toBe(false);
});
