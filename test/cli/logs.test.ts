import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeCompressor } from '../../src/logs/compress.ts';
import { fifoPath, loggerFifo } from '../../src/logs/names.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { preciseTime } from '../../src/words.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg, type Ran } from './rig.ts';

const begin = Date.UTC(2026, 0, 31, 12);

// The clocks stand still: a duration before now is exact.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: begin }));
afterEach(() => void vi.useRealTimers());

interface Logs {
  readonly dir: string;
  write(file: string, atMs: number, text: string): void;
  run(...argv: readonly string[]): Promise<Ran>;
  /** On a terminal of 60 columns. */
  onTerminal(color: boolean, ...argv: readonly string[]): Promise<Ran>;
}

function withLogs(): Logs {
  const home = tempDir();
  const dir = join(home, '.local/share/systemg/logs');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  api: {command: a}\n  db: {command: b}\n');
  const problems = (text: string): never => {
    throw new Error(text);
  };
  const writers = new Map<string, LogWriter>();
  return {
    dir,
    write(file, atMs, text) {
      vi.advanceTimersByTime(begin + atMs - Date.now());
      const made = writers.get(file) ?? new LogWriter(join(dir, file), {
        rotation: { sizeBytes: 1e6, keep: 1, compress: false }, owner: null, compressor: makeCompressor(problems), onProblem: problems, timed: true,
      });
      writers.set(file, made);
      made.write(Buffer.from(text));
    },
    run: (...argv) => sysg(['logs', '-c', join(home, 'sysg.yaml'), ...argv], { env: { HOME: home } }),
    onTerminal: (color, ...argv) => sysg(['logs', '-c', join(home, 'sysg.yaml'), ...argv], { env: { HOME: home }, columns: 60, color }),
  };
}

function sample(): Logs {
  const logs = withLogs();
  logs.write('api_stdout.log', 0, 'listening\n');
  logs.write('db_stdout.log', 60_000, 'checkpoint\n');
  logs.write('api_stderr.log', 61_000, 'error: no route\r\n');
  logs.write('api_stdout.log', 120_000, 'GET /\n');
  logs.write('db_stdout.log', 180_000, 'error: disk\n');
  logs.write('api_stdout.log', 240_000, 'GET /a\n');
  vi.advanceTimersByTime(60_000);
  return logs;
}

describe('several logs', () => {
  test.each([[[]], [['--since', '1h']], [['--json']]])('-n counts the lines of a unit, of both its streams together %j', async (more) => {
    const logs = sample();
    const lines = async (...argv: string[]): Promise<number> => (await logs.run('--no-follow', ...argv, ...more)).stdout.split('\n').length - 1;
    expect([await lines('-s', 'api', '-n', '1'), await lines('-s', 'api', '-n', '2'), await lines('-n', '2'), await lines('-n', '9')]).toEqual([1, 2, 4, 6]);
    const { stdout } = await logs.run('--no-follow', '-s', 'api', '-n', '3', ...more);
    expect(stdout).toMatch(/no route[^]*GET \/[^a][^]*GET \/a/);
    expect(stdout).not.toContain('listening');
  });

  test('are merged in the order of their times, each line behind whose it is', async () => {
    expect(await sample().run('-k', 'stdout')).toEqual({
      exitCode: 0, stdout: 'api | listening\ndb  | checkpoint\napi | GET /\ndb  | error: disk\napi | GET /a\n', stderr: '',
    });
  });

  test('of both streams say which', async () => {
    const logs = sample();
    expect((await logs.run('-k', 'all', '--grep', 'error')).stdout).toBe('api stderr | error: no route\ndb  stdout | error: disk\n');
    expect((await logs.run('-k', 'all', '-s', 'api', '-l', '2')).stdout).toBe('stdout | GET /\nstdout | GET /a\n');
  });
});

describe('both streams', () => {
  test('are shown unless one is chosen, in the order of time', async () => {
    const logs = sample();
    expect((await logs.run('-s', 'api')).stdout).toBe('stdout | listening\nstderr | error: no route\nstdout | GET /\nstdout | GET /a\n');
    expect((await logs.run('-s', 'api', '-k', 'stderr')).stdout).toBe('error: no route\r\n');
  });

  test('with --timestamps have the local time of each line, and a dash where it is not known', async () => {
    const logs = sample();
    writeFileSync(join(logs.dir, 'db_stderr.log'), 'old\n');
    const local = (atMs: number): string => preciseTime(new Date(begin + atMs).toISOString());
    expect((await logs.run('-t', '-l', '1', '-k', 'stderr')).stdout).toBe(`${'-'.padEnd(23)} db  | old\n${local(61_000)} api | error: no route\n`);
    expect((await logs.run('--timestamps', '-s', 'api', '-k', 'stdout', '-l', '1')).stdout).toBe(`${local(240_000)} GET /a\n`);
  });
});

describe('on a terminal', () => {
  const wild = '\u001b[2J\u001b]0;title\u0007\u001b[31mred\n';

  test('one log is shown without what could steer the terminal; its colours end with their line, or go with NO_COLOR', async () => {
    const logs = withLogs();
    logs.write('api_stdout.log', 0, wild);
    const shown = (ran: Ran): string => ran.stdout.split('\n').slice(5).join('\n');
    expect(shown(await logs.onTerminal(true, '-s', 'api', '-k', 'stdout'))).toBe('\u001b[31mred\u001b[0m\n');
    expect(shown(await logs.onTerminal(true, '-s', 'api', '-k', 'stdout', '--grep', 'red'))).toBe('\u001b[31mred\u001b[0m\n');
    expect(shown(await logs.onTerminal(false, '-s', 'api', '-k', 'stdout'))).toBe('red\n');
    expect(shown(await logs.onTerminal(true, '-s', 'api', '-k', 'stdout', '--no-color'))).toBe('red\n');
    expect(shown(await logs.onTerminal(true, '-s', 'api', '-k', 'stdout', '--raw'))).toBe(wild);
    expect((await logs.run('-s', 'api', '-k', 'stdout')).stdout).toBe(wild);
  });

  test('each service has a colour of its own, stderr is red, and nothing is coloured elsewhere', async () => {
    const logs = sample();
    const { stdout } = await logs.onTerminal(true, '-l', '3');
    expect(stdout).toContain('\u001b[36mapi\u001b[39m \u001b[36mstdout\u001b[39m \u001b[36m|\u001b[39m GET /a\n');
    expect(stdout).toContain('\u001b[36mapi\u001b[39m \u001b[31mstderr\u001b[39m \u001b[36m|\u001b[39m error: no route\n');
    expect(stdout).toContain('\u001b[33mdb\u001b[39m  \u001b[33mstdout\u001b[39m \u001b[33m|\u001b[39m error: disk\n');
    expect((await logs.onTerminal(false, '-l', '3')).stdout).toBe((await logs.run('-l', '3')).stdout);
  });
});

describe('where nothing is to be shown', () => {
  const said = async (logs: Logs, ...argv: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await logs.run(...argv);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    return stderr;
  };

  test('the other stream is named', async () => {
    const logs = withLogs();
    logs.write('api_stderr.log', 0, 'oops\n');
    expect(await said(logs, '-s', 'api', '-k', 'stdout')).toMatch(/^sysg: nothing was written to stdout\nsysg: not asked for: the stderr log of api holds 5B, last written .*-k all\n$/);
  });

  test('lines that do not fit are named, in rotated files too, and the stream that was not looked at', async () => {
    const logs = sample();
    writeFileSync(join(logs.dir, 'api_stdout.log.1'), 'older\n');
    const text = await said(logs, '-s', 'api', '-k', 'stdout', '--grep', 'no route', '--since', '1d');
    expect(text).toMatch(/no line fits --since 1d and --grep no route: the stdout log of api holds 29B in 2 files, last written/);
    expect(text).toContain('not asked for: the stderr log of api holds 17B');
  });

  test('what others wrote is named, and files that somebody else has put away', async () => {
    const logs = withLogs();
    logs.write('db_stdout.log', 0, 'checkpoint\n');
    writeFileSync(join(logs.dir, 'api_stdout.log'), '');
    writeFileSync(join(logs.dir, 'api_stdout.log-20260130'), 'yesterday\n');
    expect(await said(logs, '-s', 'api')).toBe([
      'api has empty log files: nothing was written, or they were emptied since',
      `not read, since they were not put away by sysg: ${join(logs.dir, 'api_stdout.log-20260130')}`, 'others have written something: db',
    ].map((line) => `sysg: ${line}\n`).join(''));
  });

  test('what is in the place of a log and no file is named, and the other logs are shown', async () => {
    const logs = withLogs();
    logs.write('api_stderr.log', 0, 'oops\n');
    mkdirSync(join(logs.dir, 'api_stdout.log'));
    const { exitCode, stdout, stderr } = await logs.run('api', '--no-follow');
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0, stdout: 'stderr | oops\n', stderr: `sysg: warning: ${join(logs.dir, 'api_stdout.log')}: expected a file, found a directory\n`,
    });
  });

  test('nothing in the place of logs counts as what they hold', async () => {
    const logs = withLogs();
    for (const name of ['api_stdout.log', 'api_stderr.log']) mkdirSync(join(logs.dir, name));
    expect((await logs.run('api', '--no-follow')).stderr).toMatch(/found a directory\n.*found a directory\nsysg: api has no log files/);
  });

  test('of a service with a logger it is said that this takes what it writes, and nothing else', async () => {
    const logs = withLogs();
    const fifos = join(logs.dir, '../fifo');
    mkdirSync(fifos);
    for (const stream of ['stdout', 'stderr'] as const) writeFileSync(loggerFifo(fifoPath(fifos, 'api', stream)), '');
    expect(await said(logs, '-s', 'api')).toBe('sysg: warning: the stdout and stderr of api go to a logger; here is only what that did not take\n');
  });

  test('it is said that a service was never started', async () => {
    expect(await said(withLogs(), '-s', 'api')).toBe('sysg: api has no log files: it was never started, or they were removed\n');
    expect(await said(withLogs(), '-s', 'api', '-l', '0')).toBe('');
  });
});

describe('--since and --until', () => {
  test('take durations before now and times, both ends included', async () => {
    const logs = sample();
    expect((await logs.run('-s', 'api', '-k', 'stdout', '--since', '3m')).stdout).toBe('GET /\nGET /a\n');
    expect((await logs.run('-s', 'api', '-k', 'stdout', '--until', '3m')).stdout).toBe('listening\nGET /\n');
    expect((await logs.run('-k', 'stdout', '--since', '2026-01-31T12:01:00Z', '--until', '2026-01-31T13:03:00+01:00')).stdout)
      .toBe('db  | checkpoint\napi | GET /\ndb  | error: disk\n');
  });

  test.each([['--no-follow'], ['--until', '1m'], ['--stream', '1s'], ['--purge']])('that are to be followed are refused with %s', async (...argv) => {
    const logs = withLogs();
    logs.write('api_stdout.log', 0, 'kept\n');
    expect(await logs.run('-f', ...argv)).toMatchObject({ exitCode: 2, stdout: '', stderr: expect.stringContaining(`--follow and ${argv[0]} exclude each other`) });
    expect(readFileSync(join(logs.dir, 'api_stdout.log'), 'utf8')).toBe('kept\n');
  });

  test('show all lines of that time, and with -l the last of them', async () => {
    const logs = withLogs();
    for (let line = 0; line < 120; line += 1) logs.write('api_stdout.log', line * 1000, `line ${line}\n`);
    const lines = async (...argv: string[]): Promise<string[]> => (await logs.run('-s', 'api', '-k', 'stdout', ...argv)).stdout.trimEnd().split('\n');
    expect(await lines()).toHaveLength(50);
    expect(await lines('--since', '1h')).toHaveLength(120);
    expect(await lines('--since', '1h', '-l', '2')).toEqual(['line 118', 'line 119']);
    expect(await lines('--until', '2026-01-31T12:00:09Z', '-l', '2')).toEqual(['line 8', 'line 9']);
    expect(await lines('--grep', '7$', '-l', '2')).toEqual(['line 107', 'line 117']);
  });

  test('of lines whose time nobody knows show them, and say so', async () => {
    const logs = withLogs();
    writeFileSync(join(logs.dir, 'api_stdout.log'), 'one\ntwo\n');
    expect(await logs.run('-s', 'api', '-k', 'stdout', '--since', '1m')).toEqual({
      exitCode: 0, stdout: 'one\ntwo\n', stderr: 'sysg: warning: 2 lines of api (stdout) may be of another time: when they were written is not known\n',
    });
  });

  test.each([
    [['--since', 'tomorrow'], '--since: expected a duration before now such as 10m, or a time such as 2026-01-31T12:00:00Z, got "tomorrow"'],
    [['--until', '2026-02-31T00:00:00Z'], '--until: expected a duration before now such as 10m, or a time such as 2026-01-31T12:00:00Z, got "2026-02-31T00:00:00Z"'],
    [['--since', 'apple 1'], 'got "apple 1"'],
    [['--since', '1m', '--until', '2m'], '--since 1m is after --until 2m: nothing can be between them'],
    [['--grep', 'a('], '--grep: expected a regular expression, got "a(" (/a(/: Unterminated group)'],
  ])('%j is refused', async (argv, problem) => {
    const ran = await withLogs().run(...argv);
    expect(ran.exitCode).toBe(2);
    expect(ran.stderr).toContain(problem);
  });
});

describe('--json', () => {
  test('is one object a line, with null for what is not known', async () => {
    const logs = sample();
    writeFileSync(join(logs.dir, 'db_stderr.log'), 'raw \xff\n', 'latin1');
    const { stdout } = await logs.run('-k', 'stderr', '--json');
    expect(stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([
      { at: null, unit: 'db', stream: 'stderr', line: 'raw \uFFFD' },
      { at: '2026-01-31T12:01:01.000Z', unit: 'api', stream: 'stderr', line: 'error: no route' },
    ]);
  });

  test("of the supervisor's own log has the times, levels and modules of its records", async () => {
    const logs = withLogs();
    writeFileSync(join(logs.dir, 'supervisor.log'), [
      '2026-01-31T11:00:00.000001Z  INFO systemg::daemon: Starting service: api',
      '2026-01-31T11:58:00.123456Z  WARN systemg::daemon: Service \'api\' failed (exit 1). Restarting...', '',
    ].join('\n'));
    const { stdout } = await logs.run('-k', 'supervisor', '--json', '--since', '5m');
    expect(JSON.parse(stdout)).toEqual({
      at: '2026-01-31T11:58:00.123Z', unit: null, stream: 'supervisor', level: 'warn', module: 'systemg::daemon',
      line: '2026-01-31T11:58:00.123456Z  WARN systemg::daemon: Service \'api\' failed (exit 1). Restarting...',
    });
  });
});

test.each(['--no-follow', '--json', '--lines=3'])('of a unit whose log is a link to itself are none, and no error (%s)', async (flag) => {
  const logs = withLogs();
  symlinkSync('api_stdout.log', join(logs.dir, 'api_stdout.log'));
  expect(await logs.run('api', flag)).toEqual({ exitCode: 0, stdout: '', stderr: 'sysg: api has no log files: it was never started, or they were removed\n' });
});

describe('--purge', () => {
  test('never touches what a symbolic link leads to, or a file outside of the log directory', async () => {
    const logs = withLogs();
    const secret = join(logs.dir, '../secret_stdout.log');
    writeFileSync(secret, 'mine');
    symlinkSync(secret, join(logs.dir, 'api_stdout.log'));
    expect((await logs.run('--purge', '-s', 'api')).exitCode).toBe(0);
    expect(readFileSync(secret, 'utf8')).toBe('mine');
    expect(readFileSync(join(logs.dir, 'api_stdout.log'), 'utf8')).toBe('');
    symlinkSync(secret, join(logs.dir, 'old_stdout.log'));
    expect((await logs.run('--purge')).exitCode).toBe(0);
    expect(readFileSync(secret, 'utf8')).toBe('mine');
    expect(await logs.run('--purge', '-s', '../secret')).toMatchObject({ exitCode: 1, stderr: "sysg: Service '../secret' not found in configuration\n" });
    expect(await logs.run('-k', 'stdout', '-s', '../secret')).toMatchObject({ exitCode: 1, stdout: '' });
    expect(readFileSync(secret, 'utf8')).toBe('mine');
  });

  test('empties what has an index: its times go with it', async () => {
    const logs = sample();
    expect((await logs.run('--purge')).exitCode).toBe(0);
    expect(await logs.run('-k', 'stdout', '--json')).toEqual({ exitCode: 0, stdout: '', stderr: expect.stringContaining('api has empty log files') as unknown });
    logs.write('api_stdout.log', 400_000, 'new\n');
    expect((await logs.run('-k', 'stdout', '--json')).stdout).toBe('{"at":"2026-01-31T12:06:40.000Z","unit":"api","stream":"stdout","line":"new"}\n');
  });
});

test("the supervisor's own log, where it has none, is said to be on its terminal", async () => {
  const { exitCode, stdout, stderr } = await withLogs().run('-k', 'supervisor');
  expect(exitCode).toBe(0);
  expect(stdout).toBe('');
  expect(stderr).toContain('a supervisor in the foreground writes its records to its terminal');
});
