import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { kill } from '../kill.ts';
import { bin, makeHome, soon, type Home } from './rig.ts';

const ask = (service: string | null, lines: number, kind = 'stdout', follow = false): string => JSON.stringify({ Logs: { service, lines, kind, follow } });

describe('Logs on the socket, as 0.33.0 sends them', () => {
  test('a banner and exactly the last lines; both files for another kind; a sentence for an unknown unit', async () => {
    const home = makeHome('version: "1"\nservices:\n  talker: {command: "exec $PROGRAMS/prints-lines 30"}\n  off: {command: "$PROGRAMS/forever", skip: true}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('all was said', () => home.log('talker').includes('ready'));
    const pid = (await home.unit('talker')).process?.pid;
    const answer = await home.exchange(ask('talker', 3));
    const [, top, title, bottom] = answer.split('\n');
    expect([top, bottom]).toEqual([`┌${'─'.repeat(98)}┐`, `└${'─'.repeat(98)}┘`]);
    expect(title?.replaceAll(/[│ ]+/g, ' ').trim()).toBe(`talker [pid ${pid}]`);
    expect(answer.split('\n').slice(5)).toEqual(['line 29', 'line 30', `ready ${pid}`, '']);
    expect((await home.exchange(ask('talker', 1, 'any'))).endsWith(`==> talker stdout <==\nready ${pid}\n\n==> talker stderr <==\nerror line 30\n`)).toBe(true);
    expect(await home.exchange(ask('nope', 5))).toBe("Service 'nope' not found\n");
    const all = await home.exchange(ask(null, 1));
    expect(all.indexOf('Running Services')).toBeLessThan(all.indexOf('talker [pid'));
    expect(all.indexOf('Offline Services')).toBeLessThan(all.indexOf('off [offline]'));
    expect(await home.exchange(ask(null, 5, 'supervisor'))).toContain('systemg supervisor listening on');
  });

  test('following brings what comes and ends with the client', async () => {
    const home = makeHome('version: "1"\nservices:\n  slow: {command: "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    let text = '';
    const socket = connect(join(home.state, 'control.sock'));
    onTestFinished(() => void socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.write(`${ask('slow', 0, 'stdout', true)}\n`);
    const numbers = (): number[] => [...text.matchAll(/^line ([0-9]+)$/gm)].map(([, number]) => Number(number));
    await soon('ten lines came', () => numbers().length >= 10);
    const seen = numbers();
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
  });
});

// Lines of a hundred bytes: a file of 4 KiB is full in a second.
const ticker = 'pad=$(printf %090d 0); i=0; while :; do i=$((i+1)); echo "$pad line $i"; sleep 0.02; done';

/** What a command that goes on has printed so far. */
function printed(home: Home, ...args: readonly string[]): { readonly child: ChildProcess; text(): string } {
  const child = home.open(...args);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, text: () => text };
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/line ([0-9]+)(?=[\n"])/g)].map(([, number]) => Number(number));
}

/** What is in an archive; it may be compressed while it is looked at. */
function archive(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return gunzipSync(readFileSync(`${path}.gz`)).toString();
  }
}

function inARow(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => number === (numbers[0] ?? 0) + index);
}

describe('sysg logs', () => {
  test('--since, then what comes: over rotations, several units in the order of time, no line lost or doubled', async () => {
    const rotate = 'logs: {rotate: {size: 4096, keep: 50}}';
    const home = makeHome(`version: "1"\nservices:\n  one: {command: '${ticker}', ${rotate}}\n  two: {command: '${ticker}', ${rotate}}\n`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('some was said', () => ['one', 'two'].every((unit) => Math.max(...numbersIn(home.log(unit))) >= 50));
    const follower = printed(home, 'logs', '-k', 'stdout', '--since', '1h', '--json');
    const records = (): { at: string; unit: string; stream: string; line: string }[] =>
      follower.text().split('\n').slice(0, -1).map((line) => JSON.parse(line) as { at: string; unit: string; stream: string; line: string });
    await soon('it was rotated twice meanwhile', () => existsSync(join(home.state, 'logs/one_stdout.log.2.gz')), 60_000);
    const goal = Math.max(...numbersIn(follower.text())) + 50;
    await soon('what came since is there', () => Math.max(...numbersIn(follower.text())) > goal);
    follower.child.kill('SIGKILL');
    const seen = records();
    for (const unit of ['one', 'two']) {
      const numbers = seen.filter((record) => record.unit === unit).map(({ line }) => Number(line.replace(/^.* /, '')));
      expect(numbers[0]).toBe(1);
      expect(inARow(numbers)).toBe(true);
    }
    // What was there at the beginning is merged exactly; the index has one mark in 100 ms.
    const times = seen.slice(0, 80).map(({ at }) => at);
    expect(times).toEqual(times.toSorted());
    expect(Object.keys(seen[0] ?? {})).toEqual(['at', 'unit', 'stream', 'line']);
  });

  test('--purge while it runs: what was is gone, its times and archives too, and followers go on', async () => {
    const home = makeHome(`version: "1"\nservices:\n  one: {command: '${ticker}', logs: {rotate: {size: 4096, keep: 3}}}\n`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('it was rotated', () => existsSync(join(home.state, 'logs/one_stdout.log.1.gz')), 60_000);
    const follower = printed(home, 'logs', '-s', 'one', '-k', 'stdout', '-l', '1');
    const asked = printed(home, 'logs', '-f', '-s', 'one', '-k', 'stdout', '-l', '1');
    await soon('it follows', () => numbersIn(follower.text()).length > 5);
    await soon('so does the one that was asked to', () => numbersIn(asked.text()).length > 5);
    const last = Math.max(...numbersIn(follower.text()));
    expect(await home.sysg('logs', '-s', 'one', '--purge')).toMatchObject({ code: 0, stdout: '' });
    // The service goes on, so that there may be an archive again, of what came after.
    const archived = readdirSync(join(home.state, 'logs')).flatMap((name) => /^one_stdout\.log\.[0-9]+(?=$|\.gz$|\.times$)/.exec(name)?.[0] ?? []);
    expect(archived.flatMap((name) => numbersIn(archive(join(home.state, 'logs', name)))).filter((number) => number < last)).toEqual([]);
    await soon('what comes is followed', () => Math.max(...numbersIn(follower.text())) > last + 20);
    const { stdout } = await home.sysg('logs', '-s', 'one', '-k', 'stdout', '--since', '1h', '--json', '--no-follow');
    const numbers = numbersIn(stdout);
    expect(numbers[0]).toBeGreaterThan(last - 1);
    expect(inARow(numbers)).toBe(true);
    expect(stdout).not.toContain('"at":null');
  });

  test('without names, and by a pattern, follow what a reload and a command add, from its first line on', async () => {
    const says = (word: string): string => `{command: 'echo first ${word}; while :; do echo ${word}; sleep 0.1; done'}`;
    const home = makeHome(`version: "1"\nservices:\n  one: ${says('one')}\n`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const [all, some] = [printed(home, 'logs', '-f', '-n', '1'), printed(home, 'logs', '-f', '[o]*', '-n', '1')];
    await soon('both follow', () => all.text().includes('stdout | one\n') && some.text().includes('stdout | one\n'));
    home.configure(`version: "1"\nservices:\n  two: ${says('two')}\n  other: ${says('other')}\n`);
    await home.sysg('reload');
    await home.sysg('start', '--name', 'three', '--', 'sh', '-c', 'echo of the command; exec sleep 600');
    await soon('all new ones are there', () => ['two', 'other', 'three'].every((name) => new RegExp(`^${name} +stdout \\| `, 'm').test(all.text())));
    await soon('the pattern takes those that it fits', () => some.text().includes('other stdout | other\n'));
    expect(all.text().match(/^\w+ +stdout \| (first .*|of .*)$/gm)?.map((line) => line.replace(/ +/, ' ')).sort()).toEqual([
      'other stdout | first other', 'three stdout | of the command', 'two stdout | first two',
    ]);
    expect(some.text()).not.toMatch(/two|three/);
    // The next supervisor has read another file meanwhile.
    home.configure(`version: "1"\nservices:\n  four: ${says('four')}\n`);
    await home.sysg('restart', '--supervisor');
    await soon('so are those of the next supervisor', () => /^four +stdout \| first four\n/m.test(all.text()));
  });

  test('of the supervisor itself: its level is chosen at its start', async () => {
    const home = makeHome('version: "1"\nservices:\n  one: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config, '--log-level', 'debug');
    const { stdout } = await home.sysg('logs', '-k', 'supervisor', '--json', '--no-follow');
    const levels = stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { level: string }).level);
    expect(new Set(levels)).toEqual(new Set(['info', 'debug']));
    await home.sysg('stop');
    await home.sysg('start', '--daemonize', '-c', home.config, '--log-level', 'error');
    const after = await home.sysg('logs', '-k', 'supervisor', '--json', '--no-follow');
    expect(after.stdout).toContain('Supervisor ended');
    expect(after.stdout.match(/listening/g)).toHaveLength(1);
  });
});

describe('a logger', () => {
  test('gets every line once, through a supervisor that is replaced and one that is killed, and ends after the service', async () => {
    const home = makeHome([
      'version: "1"', 'services:', '  one:', `    command: '${ticker}'`, '    env: {NAME: there}',
      '    logs: {logger: "cat >> got.$NAME.$SYSG_LOG_STREAM; echo ended >> got.$NAME.$SYSG_LOG_STREAM"}', '',
    ].join('\n'));
    await home.sysg('start', '--daemonize', '-c', home.config);
    const got = (): string => (existsSync(join(home.dir, 'got.there.stdout')) ? readFileSync(join(home.dir, 'got.there.stdout'), 'utf8') : '');
    await soon('it gets lines', () => numbersIn(got()).length > 20);
    expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0 });
    const replaced = Math.max(...numbersIn(got()));
    await soon('the logger of the new one gets lines', () => Math.max(...numbersIn(got())) > replaced + 20);
    expect(inARow(numbersIn(got()))).toBe(true);
    const killed = home.supervisorPid();
    process.kill(killed, 'SIGKILL');
    await soon('another supervisor runs', () => home.supervisorPid() !== killed && existsSync(join(home.state, 'control.sock')));
    const before = Math.max(...numbersIn(got()));
    await soon('its logger gets lines', () => Math.max(...numbersIn(got())) > before + 50);
    const { stderr } = await home.sysg('logs', '-s', 'one', '-k', 'stdout', '--no-follow');
    expect(stderr).toContain('the stdout of one goes to a logger');
    await home.sysg('stop');
    await soon('all of them ended', () => got().match(/^ended$/gm)?.length === 3);
    const numbers = numbersIn(got());
    expect(numbers[0]).toBe(1);
    // What a killed supervisor had read and not handed on yet is lost: one gap at most, and nothing twice.
    const steps = numbers.slice(1).map((number, index) => number - (numbers[index] ?? 0));
    expect(steps.every((step) => step >= 1)).toBe(true);
    expect(steps.filter((step) => step > 1).length).toBeLessThanOrEqual(1);
    expect(home.log('one')).toBe('');
    await soon('nothing is left', () => home.processes().length === 0);
  });
});

test('a supervisor in the foreground goes on when nobody takes what it shows', async () => {
  const home = makeHome('version: "1"\nservices:\n  flood: {command: "exec yes 0123456789", logs: {rotate: {size: 1M, keep: 1}}}\n');
  const { HOME: _home, ...env } = process.env;
  // Who reads the pipe never does.
  const child = spawn('sh', ['-c', `"${bin}" start -c "${home.config}" | exec sleep 600`], {
    env: { ...env, HOME: home.dir, SYSG_TEST_HOME: home.dir, PROGRAMS: '' }, detached: true, stdio: 'ignore',
  });
  onTestFinished(() => void kill(child.pid, 'SIGKILL', { group: true }));
  await soon('much more than a pipe holds was said', () => existsSync(join(home.state, 'logs/flood_stdout.log.1')) || existsSync(join(home.state, 'logs/flood_stdout.log.1.gz')));
  const unit = await home.unit('flood');
  expect(unit.process?.state).toBe('running');
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
});
