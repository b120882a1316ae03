import { spawnSync } from 'node:child_process';
import fs, { chmodSync, closeSync, existsSync, fstatSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCompressor } from '../../src/logs/compress.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import * as tools from '../../src/process/tools.ts';
import { withoutTools } from '../process/missing-tools.ts';
import { startProgram } from '../state/node-program.ts';
import { canMount, smallDisk } from '../state/small-disk.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { descriptorsOf, ended, everything, numbered, piped, rig } from './rig.ts';

const holdStore = join(import.meta.dirname, 'fixtures/hold-store.ts');

describe('from a process to its files', () => {
  test('both streams arrive as they were written, bytes that are no text included', async () => {
    const { store, run, file, text } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    const child = run('web', String.raw`printf 'a\r\n\000\377'; printf 'oops' >&2`);
    await ended(child);
    await store.drain();
    expect(readFileSync(file('web'))).toEqual(Buffer.from([0x61, 0x0d, 0x0a, 0x00, 0xff]));
    expect(text('web', 'stderr')).toBe('oops');
    expect(statSync(file('web')).mode & 0o777).toBe(0o640);
  });

  test('a script may open its own stdout and stderr again without losing what was there', async () => {
    const { store, run, text } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo one; echo two > /dev/stdout; echo three > /proc/self/fd/1; echo err > /dev/stderr'));
    await store.drain('web');
    expect(text('web')).toBe('one\ntwo\nthree\n');
    expect(text('web', 'stderr')).toBe('err\n');
  });

  test('a directory of FIFOs that somebody has removed is made again for the next process', async () => {
    const { store, run, text, fifoDir, problems } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    rmSync(fifoDir, { recursive: true });
    await ended(run('web', 'echo one'));
    store.drain();
    expect([text('web'), problems]).toEqual(['one\n', []]);
  });

  test.each(['pipe', 'file'] as const)('all directories of a project that somebody has removed are made again for the next process (via: %s), and no home', async (via) => {
    const home = join(tempDir(), 'home');
    const [whole, share] = [join(home, '.local/share/systemg'), join(home, '.local/share')];
    const { store, run, text, problems } = rig({}, join(whole, 'projects/shop'));
    store.prepare([{ name: 'web', logs: { ...piped, via } }]);
    rmSync(whole, { recursive: true });
    await ended(run('web', 'echo one'));
    store.drain();
    expect([text('web'), problems]).toEqual(['one\n', []]);
    rmSync(share, { recursive: true });
    await ended(run('web', 'echo two'));
    store.drain();
    expect([existsSync(share), problems.join()]).toEqual([false, expect.stringContaining('ENOENT')]);
  });

  test('a new process writes to a log that has its name, where somebody has just removed the one before', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo one'));
    store.drain();
    rmSync(file('web'));
    await ended(run('web', 'echo two'));
    store.drain();
    expect(text('web')).toBe('two\n');
  });

  test('a line that a process left unfinished is ended before the next process writes, also by another supervisor, and only then', async () => {
    const { store, run, text, reopen, file } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', "printf 'panic: no disk'; echo whole >&2"));
    store.drain();
    expect(text('web')).toBe('panic: no disk');
    await ended(run('web', "echo started; printf 'half'"));
    store.drain();
    expect(text('web')).toBe('panic: no disk\nstarted\nhalf');
    store.close();
    const next = reopen();
    next.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo third', next));
    next.drain();
    expect(text('web')).toBe('panic: no disk\nstarted\nhalf\nthird\n');
    expect(text('web', 'stderr')).toBe('whole\n');
    truncateSync(file('web'));
    await ended(run('web', 'echo fourth', next));
    next.drain();
    expect(text('web')).toBe('fourth\n');
  });

  test('followers are woken, until they leave', async () => {
    const { store, run } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    let woken = 0;
    const leave = store.wake('web', 'stdout', () => (woken += 1));
    await ended(run('web', 'echo one'));
    await until('the follower is woken', () => woken > 0);
    leave();
    const before = woken;
    await ended(run('web', 'echo two'));
    await store.drain();
    expect(woken).toBe(before);
  });

  test('a follower or echo that throws is reported and harms nobody', async () => {
    const { store, run, text, problems } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    store.wake('web', 'stdout', () => {
      throw new Error('broken pipe');
    });
    await ended(run('web', 'echo one'));
    await until('it was told', () => problems.some((problem) => problem.includes('a listener failed: broken pipe')));
    expect(text('web')).toBe('one\n');
  });

  test('lines are echoed whole, the last one at the end if nobody ends it', async () => {
    const lines: string[] = [];
    const { store, run } = rig({ echo: (unit, stream, line) => lines.push(`${unit} ${stream} ${line}`) });
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', String.raw`printf 'half'; printf ' line\r\nnext\nrest'; printf 'bad \377\n' >&2`));
    await store.drain();
    expect(lines.sort()).toEqual(['web stderr bad �', 'web stdout half line', 'web stdout next']);
    store.close();
    expect(lines.at(-1)).toBe('web stdout rest');
  });
});

describe('FIFOs', () => {
  test('a log file that cannot be made is said when a process starts, which runs all the same', async () => {
    const { store, run, file, problems } = rig();
    mkdirSync(file('web'), { recursive: true });
    store.prepare([{ name: 'web', logs: piped }]);
    const running = run('web', 'echo lost');
    expect(problems).toEqual([expect.stringContaining(`${file('web')}: cannot be created: `)]);
    await ended(running);
    expect(running.exitCode).toBe(0);
  });

  test('a thousand units are prepared with one subprocess', () => {
    const spy = vi.spyOn(tools, 'runTool');
    const { store, fifoDir, problems } = rig();
    store.prepare(Array.from({ length: 1000 }, (_, index) => ({ name: `unit-${index}`, logs: piped })));
    expect(spy.mock.calls.filter(([tool]) => tool === 'mkfifo')).toHaveLength(1);
    spy.mockRestore();
    expect(readdirSync(fifoDir)).toHaveLength(2000);
    expect(problems).toEqual([]);
    const ends = store.openChildEnds('unit-999');
    expect(lstatSync(join(fifoDir, 'unit-999.stdout')).isFIFO()).toBe(true);
    expect(lstatSync(join(fifoDir, 'unit-999.stdout')).mode & 0o777).toBe(0o600);
    closeSync(ends.stdout);
    closeSync(ends.stderr);
  });

  test.each([['-m 777'], ['a b\n"c"'], ['ünï 🎉'], ['x'.repeat(255)], ['..x']])('a unit may be called %j', async (name) => {
    const { store, run, problems } = rig();
    store.prepare([{ name, logs: piped }]);
    await ended(run(name, 'echo hello'));
    await store.drain();
    expect(readFileSync(store.files(name)?.stdout ?? '', 'utf8')).toBe('hello\n');
    expect(problems).toEqual([]);
  });

  test('what is no FIFO, and one that is open to others, is put right', async () => {
    const { store, fifoDir, run, text } = rig();
    writeFileSync(join(fifoDir, 'web.stdout'), 'a file');
    spawnSync('mkfifo', [join(fifoDir, 'web.stderr')]);
    chmodSync(join(fifoDir, 'web.stderr'), 0o666);
    store.prepare([{ name: 'web', logs: piped }]);
    expect(lstatSync(join(fifoDir, 'web.stderr')).mode & 0o777).toBe(0o600);
    await ended(run('web', 'echo fine'));
    await store.drain();
    expect(text('web')).toBe('fine\n');
  });

  test('one that vanished under a running supervisor is made anew for the next process, the old process is still heard', async () => {
    const { store, fifoDir, run, text } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    const old = run('web', 'echo ready; while ! [ -e ../go ]; do sleep 0.02; done; echo from old');
    await until('the old process printed', () => text('web').includes('ready'));
    rmSync(join(fifoDir, 'web.stdout'));
    rmSync(join(fifoDir, 'web.stderr'));
    await ended(run('web', 'echo from new'));
    old.kill('SIGKILL');
    await store.drain();
    expect(text('web')).toBe('ready\nfrom new\n');
  });

  test('without mkfifo the output is lost, the process is not, and both are said', () => {
    const { store, problems } = rig();
    withoutTools();
    store.prepare([{ name: 'web', logs: piped }]);
    const ends = store.openChildEnds('web');
    expect(writeSync(ends.stdout, 'x')).toBe(1);
    closeSync(ends.stdout);
    closeSync(ends.stderr);
    expect(problems).toContain('output needs the program mkfifo, which was not found on PATH: install coreutils');
    expect(problems).toContain('stdout of web is lost: output needs the program mkfifo, which was not found on PATH: install coreutils');
  });

  test('FIFOs that nobody holds go when a supervisor begins, the ones in use stay', async () => {
    const first = rig();
    first.store.prepare([{ name: 'gone', logs: piped }, { name: 'lives', logs: piped }]);
    const child = first.run('lives', 'echo up; exec sleep 60');
    await until('it is up', () => first.text('lives') === 'up\n');
    first.store.close();
    first.reopen();
    expect(readdirSync(first.fifoDir).sort()).toEqual(['lives.stderr', 'lives.stdout']);
    child.kill('SIGKILL');
  });

  test('a removed unit leaves its log and no FIFO', async () => {
    const { store, run, text, fifoDir } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo last words'));
    store.remove('web');
    expect(text('web')).toBe('last words\n');
    expect(readdirSync(fifoDir)).toEqual([]);
    expect(store.files('web')).toBeNull();
    expect(() => store.openChildEnds('web')).toThrow('no log channels were prepared for the unit "web"');
  });
});

describe('the supervisor dies, the services do not', () => {
  test('what is written while nobody reads waits for the next supervisor, nothing lost or doubled', async () => {
    const { store, run, reopen, text, directory } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    const child = run('web', `i=1; while [ $i -le 300 ]; do echo "line $i"; i=$((i+1)); [ $i -eq 100 ] && { touch ${directory}/half; while ! [ -e ${directory}/go ]; do sleep 0.02; done; }; done; exec sleep 60`);
    await until('the first lines were read', () => existsSync(join(directory, 'half')) && text('web') === numbered(1, 99));
    store.close();
    writeFileSync(join(directory, 'go'), '');
    const next = reopen();
    next.prepare([{ name: 'web', logs: piped }]);
    await until('all lines arrived', () => text('web').endsWith('line 300\n'));
    expect(text('web')).toBe(numbered(1, 300));
    child.kill('SIGKILL');
    await ended(child);
  });

  test('kill -9 of the supervisor: the service gets no SIGPIPE and every line is there once', async () => {
    const directory = tempDir();
    const script = `i=1; while [ $i -le 400 ]; do echo "line $i"; i=$((i+1)); [ $i -eq 200 ] && while ! [ -e ${directory}/go ]; do sleep 0.02; done; done; echo end; exec sleep 60`;
    const holder = startProgram(holdStore, directory, [directory, script]);
    await until('the service started', () => holder.output().includes('pid '));
    const pid = Number(/pid ([0-9]+)/.exec(holder.output())?.[1]);
    const log = join(directory, 'logs/web_stdout.log');
    // Not in the middle of a write: what it has read and not written yet dies with it.
    await until('the first half arrived', () => existsSync(log) && readFileSync(log, 'utf8') === numbered(1, 199));
    holder.kill('SIGKILL');
    await ended(holder);
    writeFileSync(join(directory, 'go'), '');
    const { store, text } = rig({}, directory);
    store.prepare([{ name: 'web', logs: piped }]);
    await until('the last line arrived', () => text('web').endsWith('end\n'));
    expect(() => process.kill(pid, 0)).not.toThrow();
    process.kill(pid, 'SIGKILL');
    expect(text('web')).toBe(`${numbered(1, 400)}end\n`);
  });
});

describe('a flood', () => {
  test("does not keep another unit's line, nor the supervisor's own timers, from coming", async () => {
    const small = { ...piped, rotate: { sizeBytes: 4 * 1024 * 1024, keep: 1, compress: false } };
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'flood', logs: small }, { name: 'quiet', logs: piped }]);
    const flood = run('flood', 'exec yes "a flood of lines that never ends"');
    await until('the flood is on', () => existsSync(`${file('flood')}.1`));
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    await ended(run('quiet', 'echo heard'));
    await until('the quiet line arrived', () => text('quiet') === 'heard\n' && turns >= 5);
    clearInterval(timer);
    flood.kill('SIGKILL');
    await ended(flood);
    await store.drain();
    expect(text('flood')).toMatch(/^(a flood of lines that never ends\n)+/);
  });

  test('draining a pipe that is written to without end comes to an end', async () => {
    const { store, run, file } = rig();
    store.prepare([{ name: 'flood', logs: piped }]);
    const flood = run('flood', 'exec yes');
    await until('the flood is on', () => existsSync(file('flood')) && statSync(file('flood')).size > 0);
    await store.drain();
    expect(statSync(file('flood')).size).toBeGreaterThan(0);
    flood.kill('SIGKILL');
    await ended(flood);
  });
});

test('what is left of the output of a unit that is removed is written, and nothing of it stays open', async () => {
  const { store, text, file, fifoDir } = rig();
  store.prepare([{ name: 'web', logs: piped }]);
  const { stdout, stderr } = store.openChildEnds('web');
  writeSync(stdout, 'the rest');
  store.remove('web');
  closeSync(stdout);
  closeSync(stderr);
  expect([text('web'), readdirSync(fifoDir), store.files('web')]).toEqual(['the rest', [], null]);
  if (process.platform !== 'linux') return;
  const open = (): number => [file('web'), ...['stdout', 'stderr'].map((stream) => `${join(fifoDir, `web.${stream}`)} (deleted)`)].map(descriptorsOf).reduce((sum, count) => sum + count);
  await until('nothing is open', () => open() === 0);
});

describe('other hands on the files', () => {
  test('an emptied file is filled from its beginning', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo one'));
    await store.drain();
    truncateSync(file('web'));
    await ended(run('web', 'echo two'));
    await store.drain();
    expect(text('web')).toBe('two\n');
  });

  test('a moved or removed file is made anew within about a second', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    const child = run('web', 'i=0; while :; do echo "tick $i"; i=$((i+1)); sleep 0.05; done');
    await until('it ticks', () => text('web').includes('tick 1\n'));
    renameSync(file('web'), `${file('web')}.moved`);
    await until('a new file appears', () => text('web').includes('tick'));
    child.kill('SIGKILL');
    await ended(child);
    await store.drain();
    const all = readFileSync(`${file('web')}.moved`, 'utf8') + text('web');
    expect(all).toBe(all.split('\n').slice(0, -1).map((_, index) => `tick ${index}\n`).join(''));
  });

  test("the file of a name that means the same is used, unless it is another unit's own", async () => {
    const { store, run, logDir } = rig();
    mkdirSync(logDir);
    writeFileSync(join(logDir, 'arb_rs_stdout.log'), 'before\n');
    store.prepare([{ name: 'arb-rs', logs: piped }]);
    await ended(run('arb-rs', 'echo after'));
    await store.drain();
    expect(readFileSync(join(logDir, 'arb_rs_stdout.log'), 'utf8')).toBe('before\nafter\n');

    writeFileSync(join(logDir, 'a_b_stdout.log'), '');
    store.prepare([{ name: 'a-b', logs: piped }, { name: 'a_b', logs: piped }]);
    expect(store.files('a-b')?.stdout).toBe(join(logDir, 'a-b_stdout.log'));
    expect(store.files('a_b')?.stdout).toBe(join(logDir, 'a_b_stdout.log'));
  });
});

test('another size to rotate at counts from the next preparation on, for what the same process goes on to write', async () => {
  const { store, run, file, directory } = rig();
  store.prepare([{ name: 'web', logs: piped }]);
  const writing = run('web', 'echo first; until [ -e more ]; do sleep 0.01; done; yes 123456789 | head -n 300', store, directory);
  await until('the first line is there', () => existsSync(file('web')));
  store.prepare([{ name: 'web', logs: { ...piped, rotate: { sizeBytes: 1000, keep: 9, compress: false } } }]);
  writeFileSync(join(directory, 'more'), '');
  await ended(writing);
  store.drain();
  expect([existsSync(`${file('web')}.1`), everything(file('web'))]).toEqual([true, `first\n${'123456789\n'.repeat(300)}`]);
});

describe('a unit that writes its file itself', () => {
  const direct = { ...piped, via: 'file', rotate: { sizeBytes: 1000, keep: 2, compress: false } } as const;

  test('has its followers woken now and then, until they leave: nobody says when it has written', () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { store } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    const woken: unknown[] = [];
    const leave = store.wake('web', 'stdout', (written) => void woken.push(written));
    vi.advanceTimersByTime(1000);
    expect(new Set(woken)).toEqual(new Set([undefined]));
    const { length } = woken;
    leave();
    vi.advanceTimersByTime(1000);
    expect(woken).toHaveLength(length);
    store.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  test('gets the file, appending, and no FIFO', async () => {
    const { store, run, text, fifoDir } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    await ended(run('web', 'printf one'));
    await ended(run('web', 'echo two'));
    await ended(run('web', 'echo three'));
    expect(text('web')).toBe('one\ntwo\nthree\n');
    expect(readdirSync(fifoDir)).toEqual([]);
  });

  test.runIf(process.platform === 'linux')('from its next start on: the supervisor keeps no descriptor of the file, which would hold its room when somebody removes it', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo one'));
    store.drain();
    expect(descriptorsOf(file('web'))).toBe(1);
    store.prepare([{ name: 'web', logs: direct }]);
    await ended(run('web', 'echo two'));
    expect([descriptorsOf(file('web')), text('web')]).toEqual([0, 'one\ntwo\n']);
  });

  test('finds a fresh file at its start when the old one is full, which is compressed where that is said', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: direct }, { name: 'zip', logs: { ...direct, rotate: { ...direct.rotate, compress: true } } }]);
    for (const unit of ['web', 'zip']) await ended(run(unit, 'yes 123456789 | head -n 100'));
    for (const unit of ['web', 'zip']) await ended(run(unit, 'echo fresh'));
    expect([text('web'), text('zip')]).toEqual(['fresh\n', 'fresh\n']);
    // One after the other.
    await until('the later one is compressed', () => existsSync(`${file('zip')}.1.gz`));
    expect(statSync(`${file('web')}.1`).size).toBe(1000);
  });

  test('has what a rotation moved that was killed in the middle of it', () => {
    const { store, file, text } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    mkdirSync(dirname(file('web')));
    writeFileSync(`${file('web')}.1`, 'one\ntw');
    writeFileSync(`${file('web')}.next`, 'tw');
    const { stdout, stderr } = store.openChildEnds('web');
    closeSync(stdout);
    closeSync(stderr);
    expect([readFileSync(`${file('web')}.1`, 'utf8'), text('web')]).toEqual(['one\n', 'tw\n']);
  });

  test('has its output where its file can neither be put away nor have its last line ended, and both are said', async () => {
    const { store, run, text, file, problems } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    await ended(run('web', "head -c 1000 /dev/zero | tr '\\0' x"));
    mkdirSync(join(`${file('web')}.1`, 'in the way'), { recursive: true });
    vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw new Error('ENOSPC: no space left on device, write');
    });
    syncBuiltinESMExports();
    onTestFinished(putBackFs);
    const { stdout, stderr } = store.openChildEnds('web');
    putBackFs();
    writeSync(stdout, 'said');
    closeSync(stdout);
    closeSync(stderr);
    expect(text('web')).toBe(`${'x'.repeat(1000)}said`);
    expect(problems).toEqual([
      expect.stringMatching(/web_stdout\.log: cannot be rotated, and grows on: E/), expect.stringMatching(/web_stdout\.log: its last line cannot be ended: ENOSPC/),
    ]);
  });

  test('is refused where not even /dev/null can be opened for its second stream, and the end of the first is not left open', () => {
    const { store, problems, file } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    mkdirSync(file('web', 'stderr'), { recursive: true });
    const { openSync } = fs;
    const opened: number[] = [];
    vi.spyOn(fs, 'openSync').mockImplementation((path, flags, mode) => {
      if (path === '/dev/null') throw new Error('EMFILE: too many open files');
      return opened[opened.push(openSync(path, flags, mode)) - 1] ?? -1;
    });
    syncBuiltinESMExports();
    onTestFinished(putBackFs);
    expect(() => store.openChildEnds('web')).toThrow('EMFILE');
    expect(problems).toEqual([expect.stringContaining('stderr of web is lost')]);
    for (const descriptor of opened) expect(() => fstatSync(descriptor)).toThrow('EBADF');
  });

  test('is copied and emptied above four times its size while it runs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { store, run, file, text, problems } = rig();
      store.prepare([{ name: 'web', logs: direct }, { name: 'zip', logs: { ...direct, rotate: { ...direct.rotate, compress: true } } }, { name: 'odd', logs: direct }, { name: 'full', logs: direct }]);
      await ended(run('full', 'yes 123456789 | head -n 400'));
      for (const unit of ['web', 'zip', 'odd']) await ended(run(unit, 'yes 123456789 | head -n 500'));
      // Nothing can be copied to where this is.
      mkdirSync(join(`${file('odd')}.1`, 'in the way'), { recursive: true });
      vi.advanceTimersByTime(10_000);
      await until('it is emptied', () => statSync(file('web')).size === 0);
      await until('the other is compressed', () => existsSync(`${file('zip')}.1.gz`));
      await until('what cannot be done is said', () => problems.some((problem) => problem.startsWith(`${file('odd')}: cannot be rotated: `)));
      expect(statSync(`${file('web')}.1`).size).toBe(5000);
      await ended(run('web', 'echo more'));
      expect(text('web')).toBe('more\n');
      // Each of these begins behind that of the odd one before it.
      for (let round = 0; round < 3; round += 1) {
        truncateSync(file('web'), 5000);
        vi.advanceTimersByTime(10_000);
        await until('it is emptied again', () => statSync(file('web')).size === 0);
      }
      expect([problems.length, statSync(file('full')).size]).toEqual([1, 4000]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is copied once where that takes longer than the time until the next look', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { store, run, file } = rig();
    store.prepare([{ name: 'web', logs: direct }]);
    await ended(run('web', 'yes 123456789 | head -n 500'));
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const { copyFile } = fsPromises;
    const copying = vi.spyOn(fsPromises, 'copyFile').mockImplementation((...files) => gate.then(() => copyFile(...files)));
    syncBuiltinESMExports();
    onTestFinished(putBackFs);
    vi.advanceTimersByTime(30_000);
    expect(copying).toHaveBeenCalledTimes(1);
    go();
    await until('it is emptied', () => statSync(file('web')).size === 0);
    expect([statSync(`${file('web')}.1`).size, existsSync(`${file('web')}.2`)]).toEqual([5000, false]);
    // The next one is not held up by that.
    truncateSync(file('web'), 5000);
    await until('it is copied again', () => {
      vi.advanceTimersByTime(10_000);
      return existsSync(`${file('web')}.2`);
    });
  });
});

describe.runIf(canMount)('a full disk', () => {
  const yes = 'yes 0123456789abcdef | head -n 60000';
  const logs = { ...piped, rotate: { sizeBytes: 64 * 1024, keep: 9, compress: false } };

  test('oldest archives are given up first: the service goes on and the newest output stays', async () => {
    const disk = smallDisk(256);
    if (disk === null) throw new Error('the disk could not be mounted');
    const { store, run, problems } = rig({ logDir: join(disk, 'logs') });
    store.prepare([{ name: 'web', logs }]);
    const { stdout = '', stderr = '' } = store.files('web') ?? {};
    const child = run('web', `${yes}; echo the newest; echo end >&2; exec sleep 60`);
    await until('all was taken', () => existsSync(stderr) && readFileSync(stderr, 'utf8') === 'end\n');
    await store.drain();
    expect(problems).toEqual([]);
    expect(everything(stdout)).toMatch(/^(0123456789abcdef\n){1000,}the newest\n$/);
    child.kill('SIGKILL');
    await ended(child);
  });

  test('without any: the loss is counted and reported once, and writing goes on when there is room', async () => {
    const disk = smallDisk(64);
    if (disk === null) throw new Error('the disk could not be mounted');
    const { store, run, problems } = rig({ logDir: join(disk, 'logs') });
    store.prepare([{ name: 'web', logs }]);
    const { stdout = '' } = store.files('web') ?? {};
    await ended(run('web', 'echo before'));
    await store.drain();
    spawnSync('sh', ['-c', `cat /dev/zero > ${join(disk, 'ballast')}`]);
    await ended(run('web', yes));
    await store.drain();
    expect(problems.filter((problem) => problem.includes('output is dropped until it can'))).toHaveLength(1);
    rmSync(join(disk, 'ballast'));
    await ended(run('web', 'echo room again'));
    await store.drain();
    expect(readFileSync(stdout, 'utf8')).toMatch(/^before\n[0-9a-f\n]*room again\n$/);
    const [, dropped] = /: is written again; ([0-9]+) bytes were dropped$/.exec(problems.at(-1) ?? '') ?? [];
    expect(Number(dropped)).toBeGreaterThan(60_000 * 17 - 8192);
  });

  test('a log without archives of its own has the oldest of those beside it given up, and nothing else', () => {
    const disk = smallDisk(64);
    if (disk === null) throw new Error('the disk could not be mounted');
    const problems: string[] = [];
    const open = (name: string): LogWriter => new LogWriter(join(disk, name), {
      rotation: { sizeBytes: 8192, keep: 9, compress: false }, owner: null, compressor: makeCompressor(() => undefined), onProblem: (text) => problems.push(text),
    });
    const line = Buffer.from(`${'x'.repeat(1023)}\n`);
    const [web, db] = [open('web_stdout.log'), open('db_stdout.log')];
    for (let number = 0; number < 20; number += 1) for (const writer of [web, db]) writer.write(line);
    // Of them all this one is the oldest, and the file of a person is older still.
    utimesSync(`${db.path}.2`, 1000, 1000);
    writeFileSync(join(disk, 'notes.log.1'), 'mine');
    utimesSync(join(disk, 'notes.log.1'), 1, 1);
    spawnSync('sh', ['-c', `cat /dev/zero > ${join(disk, 'ballast')}`]);
    const errors = open('web_stderr.log');
    errors.write(Buffer.from('end\n'));
    expect([readFileSync(errors.path, 'utf8'), problems]).toEqual(['end\n', []]);
    expect(readdirSync(disk).sort()).toEqual(['ballast', 'db_stdout.log', 'db_stdout.log.1', 'notes.log.1', 'web_stderr.log', 'web_stdout.log', 'web_stdout.log.1', 'web_stdout.log.2']);
    for (const writer of [web, db, errors]) writer.close();
  });

  test('only the line that was cut is torn: it gets its end, and what comes after the loss begins with a whole line', () => {
    const disk = smallDisk(16);
    if (disk === null) throw new Error('the disk could not be mounted');
    const file = join(disk, 'web.log');
    const writer = new LogWriter(file, { rotation: { sizeBytes: 1e9, keep: 0, compress: false }, owner: null, compressor: makeCompressor(() => undefined), onProblem: () => undefined });
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8192));
    const line = Buffer.from(`${'x'.repeat(99)}\n`);
    for (let number = 0; number < 100; number += 1) writer.write(line);
    // In the middle of a line when there is room again.
    writer.write(line.subarray(0, 40));
    rmSync(ballast);
    writer.write(line.subarray(40));
    writer.write(Buffer.from('whole again\n'));
    writer.close();
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.slice(-2)).toEqual(['whole again', '']);
    expect(lines.slice(0, -2).filter((text) => text.length !== 99)).toHaveLength(1);
  });
});

function putBackFs(): void {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
}
