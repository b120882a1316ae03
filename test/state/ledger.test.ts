import fs, { appendFileSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync, truncateSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeLine } from '../../src/state/ledger-lines.ts';
import { readLedger } from '../../src/state/ledger-read.ts';
import { openReserve, readReserve } from '../../src/state/ledger-reserve.ts';
import { openLedger, type Ledger } from '../../src/state/ledger.ts';
import { record } from './record.ts';
import { canMount, smallDisk } from './small-disk.ts';
import { tempDir } from '../temp-dir.ts';

function rig(path = join(tempDir(), 'ledger.ndjson')): { path: string; problems: string[]; open: (now?: () => number) => Ledger } {
  const problems: string[] = [];
  return { path, problems, open: (now = () => 42.5) => openLedger(path, { onProblem: (text) => problems.push(text), bootId: 'boot-1', now, wallNow: () => 1_700_000_000_000 }) };
}

describe('what was recorded is read back', () => {
  test('the last record of a unit wins, a forgotten unit is gone, stamps and notes stay', () => {
    const { open, problems, path } = rig();
    const first = open();
    expect([first.clean, first.entries.size]).toEqual([true, 0]);
    first.record(record('web'), true);
    first.record(record('db', { exit: { code: null, signal: 'SIGKILL' }, deadline: { kind: 'backoff', at: 77 } }), false);
    first.record(record('web', { state: 'backoff', restarts: 3, failures: [1.5, 2] }), false);
    first.record(record('old'), false);
    first.forget('old');
    first.note('config', '/etc/x.yaml');
    first.note('slots', { web: 'blue' });
    expect(first.latest('web')?.record.restarts).toBe(3);
    expect(first.entries.size).toBe(0);
    first.close();

    const second = open();
    expect([...second.entries.keys()]).toEqual(['web', 'db']);
    expect(second.entries.get('web')?.record).toEqual(record('web', { state: 'backoff', restarts: 3, failures: [1.5, 2] }));
    expect(second.entries.get('db')?.record.exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(second.entries.get('web')?.written).toEqual({ at: 42.5, wallMs: 1_700_000_000_000, bootId: 'boot-1' });
    expect(second.meta).toEqual(new Map<string, unknown>([['form', 1], ['config', '/etc/x.yaml'], ['slots', { web: 'blue' }]]));
    expect(second.clean).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    second.close();
    expect(problems).toEqual([]);
  });

  test('names with any character survive', () => {
    const { open } = rig();
    const names = ['__proto__', 'a "b"\n', 'ünïcode 🎉', 'unit x', 'note y'];
    const first = open();
    for (const name of names) first.record(record(name), false);
    first.close();
    expect([...open().entries.keys()]).toEqual(names);
  });

  test('clean holds only while nothing was recorded after it', () => {
    const { open } = rig();
    const first = open();
    first.record(record('web'), false);
    first.markClean();
    first.close();
    const second = open();
    expect(second.clean).toBe(true);
    second.note('pid', 1);
    second.close();
    expect(open().clean).toBe(false);
  });
});

describe('damage', () => {
  test('a torn last line is dropped, and the next record stands on its own line', () => {
    const { open, path, problems } = rig();
    const first = open();
    first.record(record('web'), false);
    first.close();
    const whole = readFileSync(path, 'utf8');
    for (const torn of ['{"at":1,"wall":2,"bo', '\0\0\0\0', `${whole.slice(0, -2)}`]) {
      writeFileSync(path, whole + torn);
      const again = open();
      expect([...again.entries.keys()]).toEqual(['web']);
      again.record(record('db'), false);
      again.close();
      expect([...open().entries.keys()]).toEqual(['web', 'db']);
    }
    expect(problems).toEqual([]);
  });

  test('a whole last line that only lacks its newline counts', () => {
    const { open, path } = rig();
    const first = open();
    first.record(record('web'), false);
    first.close();
    writeFileSync(path, readFileSync(path, 'utf8').trimEnd());
    const second = open();
    second.record(record('db'), false);
    second.close();
    expect([...open().entries.keys()]).toEqual(['web', 'db']);
  });

  test('damaged lines in the middle are set aside, the rest is used and the file is sound again', () => {
    const { open, path, problems } = rig();
    const first = open();
    first.record(record('web'), false);
    first.close();
    appendFileSync(path, 'rubbish\n');
    appendFileSync(path, `${JSON.stringify({ at: 1, wall: 2, boot: 'b', record: { ...record('bad'), generation: 'many' } })}\n`);
    appendFileSync(path, `${JSON.stringify({ at: 1, wall: 2, boot: 'b', record: record('db') })}\n`);
    const damaged = readFileSync(path);
    const second = open();
    expect([...second.entries.keys()]).toEqual(['web', 'db']);
    second.record(record('web', { restarts: 9 }), false);
    second.close();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('2 damaged lines (line 3: ');
    expect(readFileSync(`${path}.corrupt-1`)).toEqual(damaged);
    const third = open();
    expect(third.entries.get('web')?.record.restarts).toBe(9);
    expect(problems).toHaveLength(1);
    third.close();
  });

  test('a damaged file that was written anew, and could not be opened behind that, stays as it was written', () => {
    const { open, path, problems } = rig();
    const line = (unit: string): string => `${JSON.stringify({ at: 1, wall: 2, boot: 'b', record: record(unit) })}\n`;
    writeFileSync(path, `${line('web')}?\n${line('db')}`);
    const original = fs.openSync;
    const opening = vi.spyOn(fs, 'openSync').mockImplementation((name, flags, mode) => {
      const appends = name === path && typeof flags === 'number' && (flags & fs.constants.O_APPEND) !== 0;
      if (appends && !readFileSync(path, 'utf8').includes('?')) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
      return original(name, flags, mode);
    });
    const mend = (): void => {
      opening.mockRestore();
      syncBuiltinESMExports();
    };
    onTestFinished(mend);
    syncBuiltinESMExports();
    const second = open();
    mend();
    second.record(record('job'), false);
    second.close();
    expect([...open().entries.keys()]).toEqual(['web', 'db', 'job']);
    expect(problems).toEqual([expect.stringContaining('1 damaged line ('), expect.stringContaining('cannot be compacted: EMFILE')]);
  });

  test('the sentence names the field, what was expected and what was found', () => {
    const { open, path, problems } = rig();
    const bad = { ...record('bad'), process: { generation: 1, role: 'boss', token: 't', identity: null, adopted: false } };
    writeFileSync(path, `${JSON.stringify({ at: 1, wall: 2, boot: 'b', record: bad })}\n{}\n`);
    open();
    expect(problems[0]).toContain('line 1: record.process.role: expected one of main, skip, pre_start, found "boss"');
  });

  test.each([
    ['{"wall":2,"boot":"b","forget":"web"}', 'missing field `at`'], ['{"at":1,"wall":2,"boot":"b","forget":5}', 'forget: expected a string, found 5'],
    ['{"at":1,"wall":2,"boot":"b","note":null}', 'note: expected a string, found null'],
    ['{"at":1,"wall":2,"boot":"b","end":"dirty"}', 'expected a record, forget, note, forget_note or end'], ['', 'line 1: '],
  ])('the line %j alone is damaged', (line, reason) => {
    const { open, path, problems } = rig();
    const whole = open();
    whole.record(record('web'), false);
    whole.close();
    writeFileSync(path, `${line}\n${readFileSync(path, 'utf8')}`);
    const { entries, clean } = open();
    expect([[...entries.keys()], clean]).toEqual([['web'], false]);
    expect(problems).toEqual([expect.stringContaining('1 damaged line (line 1: ')]);
    expect(problems[0]).toContain(reason);
  });

  test.each(['', '{"at":1,"wall":2,"bo'])('a ledger that a crash has left at %j is none that was damaged', (text) => {
    const { open, path, problems } = rig();
    writeFileSync(path, text);
    expect(open().entries.size).toBe(0);
    expect(problems).toEqual([]);
  });

  test('zeroes in the place of every line are damage', () => {
    const { open, path, problems } = rig();
    writeFileSync(path, '\0'.repeat(100));
    expect(open().clean).toBe(false);
    expect(problems).toEqual([expect.stringContaining('1 damaged line (line 1: zeroes)')]);
  });

  test('a record of a version whose units could be parting is one of a unit that is stopped', () => {
    const { open, path, problems } = rig();
    writeFileSync(path, `${JSON.stringify({ at: 1, wall: 2, boot: 'b', record: { ...record('web'), state: 'parting', process: null } })}\n`);
    expect(open().entries.get('web')?.record.state).toBe('stopped');
    expect(problems).toEqual([]);
  });

  test('at most three damaged copies are kept, the newest ones', () => {
    const { open, path } = rig();
    for (let round = 1; round <= 5; round += 1) {
      writeFileSync(path, `rubbish ${round}\n${'{}'}\n`);
      open().close();
    }
    const copies = readdirSync(join(path, '..')).filter((name) => name.includes('corrupt')).sort();
    expect(copies).toEqual(['ledger.ndjson.corrupt-3', 'ledger.ndjson.corrupt-4', 'ledger.ndjson.corrupt-5']);
    expect(readFileSync(`${path}.corrupt-5`, 'utf8')).toContain('rubbish 5');
  });

  test('a ledger that cannot be read is said to be so and is left alone', () => {
    const { open, path } = rig();
    mkdirSync(path);
    const ledger = open();
    expect(ledger.unreadable).toMatch(/ledger\.ndjson: cannot be read: EISDIR/);
    expect(ledger.clean).toBe(false);
    ledger.record(record('web'), true);
    ledger.close();
    expect(statSync(path).isDirectory()).toBe(true);
  });
});

describe('size', () => {
  test('it is compacted when it has outgrown what lives in it, and loses nothing', () => {
    const { open, path } = rig();
    const ledger = open();
    for (let round = 0; round < 2000; round += 1) ledger.record(record(`unit-${round % 5}`, { restarts: round }), false);
    ledger.note('config', '/x');
    expect(statSync(path).size).toBeLessThan(256 * 1024 + 10 * 1024);
    ledger.markClean();
    ledger.close();
    const again = open();
    expect([...again.entries.values()].map(({ record: kept }) => kept.restarts).sort()).toEqual([1995, 1996, 1997, 1998, 1999]);
    expect(again.meta.get('config')).toBe('/x');
    expect(again.clean).toBe(true);
    expect(readdirSync(join(path, '..'))).toEqual(['ledger.ndjson', 'ledger.ndjson.reserve']);
  });

  test('a clean end survives the compaction that it causes', () => {
    const { open, path } = rig();
    const ledger = open();
    ledger.record(record('web'), false);
    while (statSync(path).size < 257 * 1024) ledger.record(record('web'), false);
    for (;;) {
      const before = statSync(path).size;
      ledger.markClean();
      if (statSync(path).size < before) break;
    }
    ledger.close();
    expect(open().clean).toBe(true);
  });
});

describe('a failing disk', () => {
  test('records wait while the file cannot be opened, reported once, and are written with the next change', () => {
    const directory = join(tempDir(), 'later');
    const { open, path, problems } = rig(join(directory, 'ledger.ndjson'));
    const ledger = open();
    ledger.record(record('web'), true);
    ledger.record(record('db'), false);
    ledger.record(record('web', { restarts: 2 }), false);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('cannot be written: ENOENT');
    mkdirSync(directory);
    ledger.note('pid', 7);
    ledger.close();
    expect(existsSync(path)).toBe(true);
    const again = open();
    expect(again.entries.get('web')?.record.restarts).toBe(2);
    expect([...again.entries.keys()].sort()).toEqual(['db', 'web']);
    again.close();
  });

  test('they are tried again within a minute without a change', () => {
    vi.useFakeTimers();
    try {
      const directory = join(tempDir(), 'later');
      const { open, path } = rig(join(directory, 'ledger.ndjson'));
      const ledger = open();
      ledger.record(record('web'), true);
      vi.advanceTimersByTime(60_000);
      expect(existsSync(path)).toBe(false);
      mkdirSync(directory);
      vi.advanceTimersByTime(60_000);
      expect(readFileSync(path, 'utf8')).toContain('"unit":"web"');
      ledger.close();
    } finally {
      vi.useRealTimers();
    }
  });

  test('clean that could not be written is not written behind a later record', () => {
    const directory = join(tempDir(), 'later');
    const { open } = rig(join(directory, 'ledger.ndjson'));
    const ledger = open();
    ledger.markClean();
    ledger.record(record('web'), false);
    mkdirSync(directory);
    ledger.close();
    expect(open().clean).toBe(false);
  });

  test.runIf(canMount)('a full disk never tears a line: what fitted stays readable, the rest follows when there is room', () => {
    const disk = smallDisk(64);
    if (disk === null) throw new Error('the disk could not be mounted');
    const { open, path, problems } = rig(join(disk, 'ledger.ndjson'));
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(48 * 1024));
    const ledger = open();
    for (let round = 0; round < 60; round += 1) ledger.record(record(`unit-${round}`), round % 7 === 0);
    expect(problems).toHaveLength(1);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    rmSync(join(disk, 'ballast'));
    ledger.record(record('unit-60'), false);
    ledger.close();
    const again = open();
    expect(again.entries.size).toBe(61);
    expect(problems).toHaveLength(1);
    again.close();
  });

  test.runIf(canMount)('what was asked for by hand is recorded on a full disk too, survives kill -9, and goes to the ledger when there is room', () => {
    const disk = smallDisk(256);
    if (disk === null) throw new Error('the disk could not be mounted');
    const { open, path } = rig(join(disk, 'ledger.ndjson'));
    const ledger = open();
    ledger.record(record('web'), false);
    ledger.record(record('db'), false);
    fill(join(disk, 'ballast'));
    // What is left of the ledger's own last page.
    for (let note = 0; note < 20; note += 1) ledger.note(`n${note}`, 'x'.repeat(500));
    ledger.record(record('web', { wanted: 'down', state: 'stopping' }), true);
    ledger.record(record('web', { wanted: 'down', state: 'stopped', process: null }), false);
    expect(readFileSync(path, 'utf8')).not.toContain('"wanted":"down"');

    const successor = open();
    expect(successor.entries.get('web')?.record).toMatchObject({ wanted: 'down', state: 'stopped' });
    expect(successor.entries.get('db')?.record).toMatchObject({ wanted: 'up' });
    expect(successor.clean).toBe(false);

    rmSync(join(disk, 'ballast'));
    successor.record(record('db', { restarts: 1 }), false);
    successor.close();
    expect(readFileSync(path, 'utf8')).toContain('"wanted":"down"');
    expect(readFileSync(`${path}.reserve`, 'utf8').trim()).toBe('');
    expect(open().entries.get('web')?.record).toMatchObject({ wanted: 'down' });
  });

  test.runIf(canMount)('what changes by itself is kept on a full disk too; of more than the reserve holds, what was asked for by hand and the newest', () => {
    const disk = smallDisk(512);
    if (disk === null) throw new Error('the disk could not be mounted');
    const { open, path } = rig(join(disk, 'ledger.ndjson'));
    const ledger = open();
    ledger.note('large', 'x'.repeat(60_000));
    fill(join(disk, 'ballast'));
    for (let note = 0; note < 20; note += 1) ledger.note(`n${note}`, 'x'.repeat(500));
    ledger.record(record('web', { wanted: 'down' }), true);
    ledger.markClean();
    for (const generation of [4, 5, 6]) ledger.record(record('new', { generation }), false);
    const successor = open();
    expect(successor.entries.get('new')?.record.generation).toBe(6);
    expect(successor.entries.get('web')?.record.wanted).toBe('down');
    expect(successor.clean).toBe(false);

    for (let note = 0; note < 40; note += 1) ledger.note(`more ${note}`, 'y'.repeat(4000));
    const third = open();
    expect(third.entries.get('web')?.record.wanted).toBe('down');
    expect(third.meta.get('more 39')).toContain('y');
    expect(third.meta.has('more 1')).toBe(false);
    expect(third.meta.get('large')).toContain('x');

    rmSync(join(disk, 'ballast'));
    third.record(record('db'), false);
    third.close();
    const sound = open();
    expect(sound.entries.get('web')?.record.wanted).toBe('down');
    expect(sound.clean).toBe(false);
    expect(readFileSync(`${path}.reserve`, 'utf8').trim()).toBe('');
  });

  test('a reserve that somebody has removed is made again, and the new one holds what comes then', () => {
    const path = join(tempDir(), 'ledger.ndjson');
    const reserve = openReserve(path);
    onTestFinished(() => reserve.close());
    const line = encodeLine({ fact: { kind: 'forget', unit: 'web' }, written: { at: 1, wallMs: 2, bootId: 'b' } });
    const kept = (): unknown => [reserve.keep([{ line, durable: true }]), readReserve(path).map(encodeLine)];
    reserve.clear();
    expect(kept()).toEqual([true, [line]]);
    rmSync(`${path}.reserve`);
    reserve.clear();
    expect(readReserve(path)).toEqual([]);
    expect(kept()).toEqual([true, [line]]);
  });

  test('of two lines about one thing in the reserve the last holds, and stands behind an end in order that came between', () => {
    const { open, path } = rig();
    const first = open();
    first.record(record('db'), true);
    first.close();
    const line = (fact: object, at: number): string => `${JSON.stringify({ at, wall: 1_700_000_000_000 + at, boot: 'boot-1', ...fact })}\n`;
    const lines = [line({ record: record('web', { generation: 1 }) }, 50), line({ end: 'clean' }, 51), line({ record: record('web', { generation: 2 }) }, 52)];
    writeFileSync(`${path}.reserve`, lines.join('').padEnd(128 * 1024, '\n'));
    const second = open();
    expect(second.entries.get('web')?.record.generation).toBe(2);
    second.close();
    expect(open().clean).toBe(false);
    expect(open().entries.get('web')?.record.generation).toBe(2);
  });

  test('an older word in the reserve takes nothing back that the ledger says', () => {
    const { open, path } = rig();
    const first = open();
    first.record(record('web', { wanted: 'down' }), true);
    first.close();
    const stale = readFileSync(path, 'utf8').replace('"at":42.5', '"at":41').replace('"wanted":"down"', '"wanted":"up"').replace(/,"crc":"[0-9a-f]+"/, '');
    writeFileSync(`${path}.reserve`, stale.padEnd(128 * 1024, '\n'));
    expect(open().entries.get('web')?.record).toMatchObject({ wanted: 'down' });
  });

  test.each([[1_700_000_000_001, 'up'], [1_699_999_999_999, 'down']] as const)('of two boots the clock on the wall says which word is older: reserve at %i', (wall, wanted) => {
    const { open, path } = rig();
    const first = open();
    first.record(record('web', { wanted: 'down' }), true);
    first.close();
    // The other clock begins anew with a boot.
    const at = wanted === 'up' ? 1 : 1000;
    writeFileSync(`${path}.reserve`, `${JSON.stringify({ at, wall, boot: 'boot-2', record: record('web') })}\n`.padEnd(128 * 1024, '\n'));
    expect(open().entries.get('web')?.record).toMatchObject({ wanted });
  });
});

test('a reader that is not its owner keeps no copy of a damaged ledger', () => {
  const directory = tempDir();
  const path = join(directory, 'ledger.ndjson');
  writeFileSync(path, 'rubbish\n');
  const problems: string[] = [];
  readLedger(path, { onProblem: (text) => problems.push(text), quarantine: false });
  expect(problems).toEqual([expect.stringContaining('1 damaged line')]);
  expect(readdirSync(directory)).toEqual(['ledger.ndjson']);
});
test('a line in which a bit has changed is damaged, though it is JSON still; the line before it counts', () => {
  const { open, path, problems } = rig();
  const ledger = open();
  ledger.record(record('web', { restarts: 1 }), true);
  ledger.record(record('web', { restarts: 2 }), true);
  ledger.close();
  writeFileSync(path, readFileSync(path, 'utf8').replace('"restarts":2', '"restarts":3'));
  expect(open().entries.get('web')?.record).toMatchObject({ restarts: 1 });
  expect(problems).toEqual([expect.stringContaining('1 damaged line (line 3: crc: expected the checksum')]);
});

test('what one event orders durably is synced once, after it; what the disk refuses then is written anew, and nothing else is synced', async () => {
  const { open, path, problems } = rig();
  const ledger = open();
  const linesOf = (unit: string): number => readFileSync(path, 'utf8').split('\n').filter((line) => line.includes(`"unit":"${unit}"`)).length;
  ledger.record(record('first'), true);
  await Promise.resolve();

  const sync = vi.spyOn(fs, 'fsyncSync');
  syncBuiltinESMExports();
  onTestFinished(() => {
    sync.mockRestore();
    syncBuiltinESMExports();
  });
  ledger.record(record('web'), false);
  await Promise.resolve();
  expect(sync).toHaveBeenCalledTimes(0);
  ledger.record(record('one'), true);
  ledger.record(record('other'), true);
  expect([sync.mock.calls.length, linesOf('one'), linesOf('other')]).toEqual([0, 1, 1]);
  await Promise.resolve();
  expect(sync).toHaveBeenCalledTimes(1);
  ledger.record(record('one', { restarts: 2 }), true);
  await Promise.resolve();
  expect([sync.mock.calls.length, linesOf('other')]).toEqual([2, 1]);

  sync.mockImplementationOnce(() => {
    throw new Error('EIO: i/o error, fsync');
  });
  ledger.record(record('db'), true);
  await Promise.resolve();
  expect(problems).toEqual([expect.stringContaining(`${path}: cannot be written: EIO: i/o error, fsync; it is tried again`)]);
  expect([ledger.unwritten, linesOf('db')]).toEqual([problems[0], 1]);
  ledger.mend();
  await Promise.resolve();
  expect([ledger.unwritten, linesOf('db'), linesOf('other')]).toEqual([null, 2, 1]);
  sync.mockClear();
  ledger.record(record('last'), true);
  ledger.close();
  expect(sync).toHaveBeenCalledTimes(1);
});

test('a ledger that somebody removed is written again as a whole', () => {
  const { open, path } = rig();
  const ledger = open();
  ledger.record(record('web'), true);
  ledger.note('config', '/x.yaml');
  expect(ledger.mend()).toBe(false);
  rmSync(path);
  expect([ledger.mend(), ledger.mend()]).toEqual([true, false]);
  ledger.record(record('db'), false);
  const again = open();
  expect([[...again.entries.keys()], again.meta.get('config')]).toEqual([['web', 'db'], '/x.yaml']);
});

test('the next record of a ledger that somebody removed writes the whole of it again', () => {
  const { open, path, problems } = rig();
  const ledger = open(clock());
  ledger.record(record('web'), true);
  rmSync(path);
  ledger.record(record('db'), false);
  expect([...open().entries.keys()]).toEqual(['web', 'db']);
  expect(problems).toEqual([`${path}: was removed, replaced or changed by somebody and has been written again`]);
});

test.each([0, 30])('a ledger that somebody has cut to %i bytes is whole again at the next look, and with the next record', (bytes) => {
  for (const renew of [(ledger: Ledger) => ledger.mend(), (ledger: Ledger) => ledger.record(record('db'), false)]) {
    const { open, path } = rig();
    const ledger = open(clock());
    ledger.record(record('web'), true);
    truncateSync(path, bytes);
    renew(ledger);
    expect([open().entries.has('web'), open().unreadable, ledger.mend()]).toEqual([true, null, false]);
  }
});

test('what cannot be put back in the place of something else is whole when that is gone', async () => {
  const { open, path } = rig();
  const ledger = open(clock());
  ledger.record(record('web'), true);
  rmSync(path);
  mkdirSync(join(path, 'within'), { recursive: true });
  expect(ledger.mend()).toBe(false);
  ledger.record(record('db'), true);
  rmSync(path, { recursive: true });
  ledger.record(record('cache'), false);
  await Promise.resolve();
  expect([...open().entries.keys()]).toEqual(['web', 'db', 'cache']);
});

/** A clock on which a second passes between two looks at it. */
function clock(): () => number {
  let at = 0;
  return () => (at += 1000);
}

function fill(path: string): void {
  const descriptor = openSync(path, 'w');
  try {
    for (const size of [4096, 512]) {
      for (;;) if (writeSync(descriptor, Buffer.alloc(size)) < size) break;
    }
  } catch {
    // ENOSPC: it is full.
  } finally {
    closeSync(descriptor);
  }
}
