import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createClock } from '../../src/clock.ts';
import { openLogger, type Logger, type LoggerOptions, type LoggerRunner } from '../../src/logs/logger.ts';
import type { LogStore } from '../../src/logs/store.ts';
import { runCommand } from '../../src/process/run-command.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { ended, numbered, piped, rig } from './rig.ts';

const clock = createClock();
let runs = 0;
/** Runs the program as the daemon does, without a user of its own. */
const runIn = (cwd: string, definition = ''): LoggerRunner => ({ definition, run: ({ command, input, signal, onComplaint }) => runCommand({
  clock, script: command, cwd, env: { PATH: process.env['PATH'] ?? '', SYSG_INSTANCE: `logger-test.${process.pid}.${(runs += 1)}` }, token: `logger-test.${process.pid}.${runs}`,
  output: 'complaints', input, signal, onComplaint, onProblem: () => undefined, isResident: true,
}) });

interface Held {
  readonly dir: string;
  readonly logger: Logger;
  readonly problems: string[];
  /** What the program did not take. */
  readonly instead: () => string;
  readonly got: () => string;
  /** How often there was room again. */
  readonly rooms: () => number;
}

function held(command: string, options: Partial<LoggerOptions> = {}): Held {
  const dir = tempDir();
  const problems: string[] = [];
  let instead = '';
  let rooms = 0;
  const logger = openLogger({
    command, stream: 'stdout', fifo: join(dir, 'web.stdout.logger'), owner: null, runner: runIn(dir),
    instead: (bytes) => (instead += Buffer.from(bytes).toString()), onRoom: () => (rooms += 1), onProblem: (text) => problems.push(text), ...options,
    waits: { hungMs: 60_000, downMs: 60_000, leastBackoffMs: 20, mostBackoffMs: 50, endMs: 20_000, ...options.waits },
  });
  onTestFinished(() => logger.end());
  return {
    dir, logger, problems, instead: () => instead, rooms: () => rooms,
    got: () => (existsSync(join(dir, 'got')) ? readFileSync(join(dir, 'got'), 'utf8') : ''),
  };
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe('a logger', () => {
  test('gets the stream on its standard input, in the directory given, and ends with the end of it', async () => {
    const { logger, got, instead, problems } = held('cat > got; echo finished >> got');
    logger.push(bytes('one\n'));
    await until('it has it', () => got() === 'one\n');
    logger.push(bytes('two\n'));
    await logger.end();
    expect(got()).toBe('one\ntwo\nfinished\n');
    expect(instead()).toBe('');
    expect(problems).toEqual([]);
  });

  test('that dies is started again, and goes on where it stopped reading', async () => {
    const { logger, got, problems } = held('read -r line; echo "$line" >> got; exit 3');
    for (let line = 1; line <= 3; line += 1) logger.push(bytes(`line ${line}\n`));
    // Each reads one line (read(1) of a shell takes no more from a pipe) and dies.
    await until('three have lived', () => got() === numbered(1, 3));
    expect(problems[0]).toBe('the logger of its stdout exited with status 3; it is started again in 0.02 s');
  });

  test('that cannot be run does not stop the service: the file gets what it does not', async () => {
    const { logger, instead, problems, rooms } = held('exec /nonexistent/logger', { waits: { downMs: 50 } });
    const line = `${'x'.repeat(1023)}\n`;
    let pushed = 0;
    for (; logger.push(bytes(line)); pushed += 1);
    await until('there is room again', () => rooms() > 0);
    expect(problems).toContain('the logger of its stdout does not run; the log file gets what it does not');
    expect(problems.some((problem) => /^the logger of its stdout says: .*nonexistent/.test(problem))).toBe(true);
    for (let line10 = 0; line10 < 10; line10 += 1) expect(logger.push(bytes(line))).toBe(true);
    expect(instead()).toBe(line.repeat(10));
    await logger.end();
    // What waited for it in the pipe and in memory too, in all as much as there was.
    expect(instead().length).toBe((pushed + 1 + 10) * 1024);
  });

  test('that hangs does not either, and gets what comes when it takes again', async () => {
    const { dir, logger, got, instead, problems } = held('while ! [ -e go ]; do sleep 0.02; done; exec cat > got', { waits: { hungMs: 50 } });
    const line = `${'x'.repeat(1023)}\n`;
    let pushed = 1;
    for (; logger.push(bytes(line)); pushed += 1);
    await until('it is taken for hung', () => problems.includes('the logger of its stdout takes nothing; the log file gets what it does not'));
    logger.push(bytes('meanwhile\n'));
    writeFileSync(join(dir, 'go'), '');
    await until('it takes again', () => problems.includes('the logger of its stdout takes its input again; 10 bytes went to the log file'));
    logger.push(bytes('after\n'));
    await logger.end();
    expect(instead()).toBe('meanwhile\n');
    expect(got()).toBe(`${line.repeat(pushed)}after\n`);
  });

  test('that does not end with its input is killed, and what it did not read is in the file', async () => {
    const { logger, instead, problems } = held('exec sleep 600', { waits: { endMs: 100 } });
    logger.push(bytes('unread\n'));
    await logger.end();
    expect(problems).toEqual(['the logger of its stdout did not end within 0.1 s after the end of its input and is killed']);
    expect(instead()).toBe('unread\n');
  });

  test('that ends before the pipe has taken a whole piece: the file gets all of that, and nothing twice', async () => {
    const { logger, instead } = held('exec sleep 0.05');
    const flood = numbered(1, 20_000);
    logger.push(bytes(flood));
    await logger.end();
    expect(instead() === flood).toBe(true);
  });
});

describe('a unit with a logger', () => {
  const logged = { ...piped, logger: 'cat >> got' };
  const withLogger = (store: LogStore, directory: string, logs: typeof piped = logged, definition = ''): void =>
    store.prepare([{ name: 'web', logs, loggerRunner: runIn(directory, definition) }]);

  test('has a line that a process left unfinished ended there before the next process writes', async () => {
    const { store, run, text, directory } = rig();
    withLogger(store, directory, { ...piped, logger: 'cat >> "got-$(basename "$(readlink /proc/self/fd/0)")"' });
    await ended(run('web', "printf 'panic: no disk'; echo whole >&2"));
    await ended(run('web', 'echo started; echo again >&2'));
    await store.end();
    expect(readFileSync(join(directory, 'got-web.stdout.logger'), 'utf8')).toBe('panic: no disk\nstarted\n');
    expect(readFileSync(join(directory, 'got-web.stderr.logger'), 'utf8')).toBe('whole\nagain\n');
    expect(text('web')).toBe('');
  });

  test('has its output there and no file, each stream apart', async () => {
    const { store, run, file, directory, problems } = rig();
    withLogger(store, directory, { ...piped, logger: 'cat >> got; echo end >> got' });
    const woken: string[] = [];
    store.wake('web', 'stdout', (written) => woken.push(Buffer.from(written ?? []).toString()));
    await ended(run('web', 'echo one; echo two; echo three >&2'));
    await store.end();
    expect(readFileSync(join(directory, 'got'), 'utf8').split('\n').sort()).toEqual(['', 'end', 'end', 'one', 'three', 'two']);
    expect(existsSync(file('web'))).toBe(false);
    expect(woken.join('')).toBe('one\ntwo\n');
    expect(problems).toEqual([]);
  });

  test('loses nothing in a flood through a logger that ends in the middle of it', async () => {
    const { store, run, text, directory } = rig();
    withLogger(store, directory, { ...piped, logger: 'head -c 200000 >> got' });
    await ended(run('web', 'i=0; while [ $i -lt 6 ]; do yes "0123456789 round $i" | head -n 3000; i=$((i+1)); done'));
    await store.end();
    const expected = Array.from({ length: 6 }, (_, round) => `0123456789 round ${round}\n`.repeat(3000)).join('');
    expect(readFileSync(join(directory, 'got'), 'utf8') + text('web') === expected).toBe(true);
  });

  test('whose logger takes nothing has its output in its file', async () => {
    const { store, run, text, directory } = rig();
    withLogger(store, directory, { ...piped, logger: 'exit 1' });
    await ended(run('web', 'echo kept'));
    await store.end();
    expect(text('web')).toBe('kept\n');
  });

  test('whose logger can be given nothing has its output in its file, and that is said', async () => {
    const { store, run, text, directory, fifoDir, problems } = rig();
    mkdirSync(join(fifoDir, 'web.stdout.logger', 'in the way'), { recursive: true });
    withLogger(store, directory);
    await ended(run('web', 'echo kept'));
    await store.end();
    expect([text('web'), problems]).toEqual(['kept\n', [expect.stringMatching(/^web: the logger of its stdout cannot be given anything: .*; the log file gets it instead$/)]]);
  });

  test('whose logger is taken away writes to its file from its next start on', async () => {
    const { store, run, text, directory } = rig();
    withLogger(store, directory);
    await ended(run('web', 'echo one'));
    await store.drain();
    withLogger(store, directory, piped);
    await ended(run('web', 'echo two'));
    await store.drain();
    expect(text('web')).toBe('two\n');
    await until('the logger had the rest', () => existsSync(join(directory, 'got')) && readFileSync(join(directory, 'got'), 'utf8') === 'one\n');
  });

  test('that writes its file itself from its next start on has no logger any more', async () => {
    const { store, run, text, directory } = rig();
    withLogger(store, directory, { ...piped, logger: 'cat >> got; echo end >> got' });
    await ended(run('web', 'echo one'));
    await store.drain();
    withLogger(store, directory, { ...piped, via: 'file' });
    await ended(run('web', 'echo two'));
    expect(text('web')).toBe('two\n');
    await until('both loggers have ended', () => existsSync(join(directory, 'got')) && readFileSync(join(directory, 'got'), 'utf8').split('\n').filter((line) => line === 'end').length === 2);
  });

  test('whose environment changed has another logger from its next start on, and the same one while nothing changed', async () => {
    const { store, run, directory } = rig();
    // The old one takes its time to end: the FIFO of the new one is in the place of its own by then.
    const logs = { ...piped, logger: 'echo "$$" >> pids; while read -r line; do echo "$line" >> got; [ "$line" = die ] && exit 1; done; sleep 0.2' };
    const pids = (): string[] => (existsSync(join(directory, 'pids')) ? readFileSync(join(directory, 'pids'), 'utf8').trim().split('\n') : []);
    withLogger(store, directory, logs);
    await ended(run('web', 'echo one'));
    withLogger(store, directory, logs);
    await ended(run('web', 'echo two'));
    await until('one for each stream', () => pids().length === 2);
    withLogger(store, directory, logs, 'changed');
    await ended(run('web', 'echo three'));
    await until('another for each', () => pids().length === 4);
    await until('the old ones have ended', () => pids().slice(0, 2).every((pid) => !existsSync(`/proc/${pid}`)));
    await ended(run('web', 'echo die'));
    await until('what died is started again', () => pids().length === 5);
    await store.end();
    expect(readFileSync(join(directory, 'got'), 'utf8').split('\n').sort()).toEqual(['', 'die', 'one', 'three', 'two']);
  });

  test('that writes while its logger is ended: the next supervisor\'s logger gets that, and no file', async () => {
    const { store, reopen, run, text, directory } = rig();
    const logs = { ...piped, logger: 'cat >> got; sleep 0.3' };
    const got = (): string => (existsSync(join(directory, 'got')) ? readFileSync(join(directory, 'got'), 'utf8') : '');
    withLogger(store, directory, logs);
    const service = run('web', 'echo one; while [ ! -e go ]; do sleep 0.01; done; echo two; exec sleep 60', store, directory);
    await until('the logger has the first line', () => got() === 'one\n');
    const ending = store.end();
    writeFileSync(join(directory, 'go'), '');
    await ending;
    const next = reopen();
    withLogger(next, directory, logs);
    await until('the next logger has the second line', () => got() === 'one\ntwo\n');
    service.kill('SIGKILL');
    await next.end();
    expect(text('web')).toBe('');
  });

  test('that is removed: its logger gets the rest and ends', async () => {
    const { store, run, directory } = rig();
    withLogger(store, directory, { ...piped, logger: 'cat >> got; echo end >> got' });
    await ended(run('web', 'echo last words'));
    store.remove('web');
    await store.end();
    expect(readFileSync(join(directory, 'got'), 'utf8')).toMatch(/^(end\n)?last words\n(end\n)?end\n$|^last words\nend\nend\n$/);
  });
});
