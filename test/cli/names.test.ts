import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { matchNames } from '../../src/cli/names.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

describe('words that name units', () => {
  const units = ['web', 'web2', 'db', 'a*b', 'ünit', 'status', 'w.b', 'x[1]', 'two\nlines'].map((name) => ({ name, hash: `hash-of-${name}`, kind: 'service' as const }));
  const named = (...words: string[]): readonly string[] | string => {
    const result = matchNames(words, [...units, { name: '[orphaned] 1234', hash: '1234', kind: 'orphaned' }]);
    return result.ok ? result.names : result.refusal.message;
  };

  test.each([
    [['db', 'web', 'db'], ['db', 'web']],
    [['web*'], ['web', 'web2']],
    [['web?'], ['web2']],
    [['w.b'], ['w.b']],
    [['?nit'], ['ünit']],
    [['[dw]*b'], ['web', 'db', 'w.b']],
    [['[!w]b'], ['db']],
    [['*2', 'web*'], ['web2', 'web']],
    // A unit of that very name comes before what the pattern would match.
    [['a*b'], ['a*b']],
    [['x[1]'], ['x[1]']],
    [['*lines'], ['two\nlines']],
    [['hash-of-db'], ['db']],
    // What is configured no more is meant only by its own name.
    [['*'], units.map(({ name }) => name)],
    [['1234'], ['[orphaned] 1234']],
    [['status'], ['status']],
    [[], []],
  ])('%j are %j', (words, expected) => {
    expect(named(...words)).toEqual(expected);
  });

  test.each([
    ['wbe', "Service 'wbe' not found in configuration, did you mean 'web'?"],
    ['zzz', "Service 'zzz' not found in configuration"],
    ['wbe*', "no unit matches 'wbe*', did you mean 'web*'?"],
    ['zzz*', "no unit matches 'zzz*'; the units are: a*b, db, status, two\nlines, w.b, web, web2, x[1], ünit"],
    ['d[z-a]', "no unit matches 'd[z-a]', did you mean 'd[z-a]'?"],
    ['(web', "Service '(web' not found in configuration, did you mean 'web'?"],
    ['(web*', "no unit matches '(web*', did you mean 'web*'?"],
  ])('%s names nothing, and the sentence says what was probably meant', (word, sentence) => {
    expect(named('web', word)).toBe(sentence);
  });

  test('each word that names nothing has its sentence', () => {
    expect(named('wbe', 'db', 'webb*')).toBe("Service 'wbe' not found in configuration, did you mean 'web'?\nno unit matches 'webb*', did you mean 'web*'?");
  });
});

type Answers = (request: Record<string, { service?: string; unit?: string }>) => object;

/** A supervisor of three units that answers other requests by `answers`. */
async function supervised(answers: Answers): Promise<{ readonly run: (...argv: string[]) => ReturnType<typeof sysg>; readonly requests: object[]; readonly state: string }> {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const unit = (name: string): object => ({ name, hash: `${name}-hash`, kind: 'service', lifecycle: 'running', health: name === 'stop' ? 'failing' : 'healthy', phase: 'running', process: { pid: 1, state: 'running' } });
  const snapshot = { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: ['web1', 'web2', 'stop'].map(unit) };
  const requests: object[] = [];
  const server = createServer((socket) => socket.once('data', (data) => {
    const request: unknown = JSON.parse(data.toString('utf8'));
    if (typeof request === 'object' && request !== null) requests.push(request);
    const answer = request === 'Status' ? { Status: snapshot } : request === 'Shutdown' ? { Message: 'over' } : answers(request as Parameters<Answers>[0]);
    socket.end(`${JSON.stringify(answer)}\n`);
  }).on('error', () => undefined));
  await new Promise<void>((listening) => server.listen(join(state, 'control.sock'), listening));
  onTestFinished(() => new Promise((closed) => void server.close(() => closed())));
  return { run: (...argv) => sysg(argv, { env: { HOME: home, PATH: process.env['PATH'] } }), requests, state };
}

test('events of a unit that neither the journal nor the configuration knows are refused, and those of one that never ran are none', async () => {
  const home = tempDir();
  const config = join(home, 'sysg.yaml');
  writeFileSync(config, 'version: "1"\nservices: {web: {command: a}}\n');
  const events = (name: string) => sysg(['events', '-c', config, '-s', name], { env: { HOME: home } });
  expect(await events('wep')).toMatchObject({ exitCode: 1, stdout: '', stderr: "sysg: Service 'wep' not found in configuration, did you mean 'web'?\n" });
  expect(await events('web')).toMatchObject({ exitCode: 0, stdout: '', stderr: expect.stringContaining("the journal has no record of 'web'") as string });
});

describe('several units', () => {
  const fine: Answers = (request) => ({ Message: Object.entries(request).map(([verb, { service, unit }]) => `${verb} ${service ?? unit}`).join() });

  test.each([
    [['stop', 'web2', 'web1'], ['Stop web2', 'Stop web1']],
    [['stop', '-s', 'web2', '-s', 'web1'], ['Stop web2', 'Stop web1']],
    [['stop', 'web*'], ['Stop web1', 'Stop web2']],
    [['stop', '-s', 'stop'], ['Stop stop']],
    [['down', 'stop'], ['Stop stop']],
    [['restart', 'web1', '-s', 'stop', 'web1'], ['Restart web1', 'Restart stop']],
    [['signal', 'web*', 'stop', 'HUP'], ['Signal web1', 'Signal web2', 'Signal stop']],
    [['signal', '-s', 'web1', 'HUP'], ['Signal web1']],
    [['up', 'stop', 'web1'], ['Service \'stop\' is already running', 'Service \'web1\' is already running']],
    [['start', 'stop'], ['Service \'stop\' is already running']],
  ])('%j: a request for each in turn, and each answer once', async (argv, answers) => {
    const { run, requests } = await supervised(fine);
    expect(await run(...argv)).toEqual({ exitCode: 0, stdout: `${answers.join('\n')}\n`, stderr: '' });
    // Of this supervisor without our lock, as 0.33.0's, it is known what runs.
    expect(requests).toHaveLength(argv[0] === 'up' || argv[0] === 'start' ? 0 : answers.length);
  });

  test('one that fails keeps none of the others from its turn, and makes the exit code', async () => {
    const { run } = await supervised((request) => (request['Stop']?.service === 'web1' ? { Error: 'no, because' } : fine(request)));
    expect(await run('stop', 'web1', 'web2')).toEqual({ exitCode: 1, stdout: 'Stop web2\n', stderr: 'sysg: no, because\n' });
    const { stdout } = await run('stop', 'web1', 'web2', '--json');
    expect(JSON.parse(stdout)).toEqual({
      ok: false, message: 'no, because', units: [{ name: 'web1', phase: 'running', pid: 1, error: 'no, because' }, { name: 'web2', phase: 'running', pid: 1 }],
    });
  });

  test.each([
    [['stop', 'web1', 'wbe2'], 1], [['restart', 'wbe2'.replace('2', '*')], 1], [['signal', 'web1', 'nope', 'HUP'], 1], [['wait', 'web1', 'nope', '--for', 'running'], 1],
    [['stop', 'nope'], 1], [['why', 'nope'], 1], [['chart', 'nope'], 1], [['logs', 'nope'], 1], [['inspect', 'web1', 'nope'], 1],
  ])('%j: nothing is done where a name is unknown', async (argv, exitCode) => {
    const { run, requests } = await supervised(fine);
    const ran = await run(...argv);
    expect(ran).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(/^sysg: (Service '\w+' not found in configuration|no unit matches 'wbe\*', did you mean 'web\*'\?)/) });
    expect(requests).toEqual([]);
  });

  test.each([
    [['up', 'fresh']], [['start', 'fresh']], [['start', '--daemonize', '-s', 'fresh']], [['up', 'web1', 'fresh', 'nope']], [['restart', 'fresh']], [['restart', 'web1', 'fresh']],
    [['stop', 'fresh']], [['signal', 'fresh', 'HUP']], [['wait', 'fresh', '--for', 'running']], [['wait', 'web1', 'fresh', '--for', 'running']], [['why', 'fresh']], [['logs', 'fresh']],
    [['logs', 'fresh', '--purge']],
  ])('%j: of a service that was added to the file since the supervisor read it, the refusal names the reload', async (argv) => {
    const { run, state } = await supervised((request) => ({ Error: `Service '${Object.values(request)[0]?.service ?? Object.values(request)[0]?.unit ?? ''}' not found in configuration` }));
    const path = join(state, 'app.yaml');
    writeFileSync(path, 'version: "1"\nservices:\n  web1: {command: a}\n  fresh: {command: b}\n');
    writeFileSync(join(state, 'config_hint'), path);
    const others = argv.includes('nope') ? "\nService 'nope' not found in configuration" : '';
    expect(await run(...argv)).toEqual({
      exitCode: 1, stdout: '', stderr: `sysg: Service 'fresh' is in ${path}, which the supervisor has not read since the service was added; to apply the file: sysg reload${others}\n`,
    });
  });

  test.each([['stop'], ['start'], ['status'], ['why'], ['chart']])('%s of a service that its profiles leave out says so, and how it is started', async (command) => {
    const { run, state } = await supervised((request) => ({ Error: `Service '${Object.values(request)[0]?.service ?? ''}' not found in configuration` }));
    const path = join(state, 'app.yaml');
    writeFileSync(path, 'version: "1"\nservices:\n  web1: {command: a}\n  debug: {command: b, profiles: [dev, test]}\n');
    writeFileSync(join(state, 'config_hint'), path);
    expect(await run(command, 'debug')).toMatchObject({
      exitCode: 1, stderr: `sysg: Service 'debug' is in ${path}, and left out as long as none of its profiles (dev, test) is chosen; to start it: sysg start debug\n`,
    });
  });

  test('status shows those that are named, and says which are not there', async () => {
    const { run } = await supervised(fine);
    const names = (stdout: string): unknown => (JSON.parse(stdout) as { units: { name: string }[] }).units.map(({ name }) => name);
    const found = await run('ps', 'web*', '--json');
    expect([names(found.stdout), found.exitCode]).toEqual([['web1', 'web2'], 0]);
    const partly = await run('status', 'web1', 'web3', '--json');
    expect([names(partly.stdout), partly.exitCode, partly.stderr]).toEqual([['web1'], 1, "sysg: Service 'web3' not found in configuration, did you mean 'web1'?\n"]);
    expect((await run('status', '-s', 'stop')).exitCode).toBe(2);
  });

  test('for programs several units are a list, one is itself', async () => {
    const { run } = await supervised((request) => ('History' in request ? { History: [] } : { Inspect: { unit: null, samples: [] } }));
    expect(JSON.parse((await run('why', 'web1', 'web2', '--json')).stdout)).toMatchObject([{ unit: 'web1' }, { unit: 'web2' }]);
    expect(JSON.parse((await run('why', 'web2', 'web1', '--json')).stdout)).toMatchObject([{ unit: 'web2' }, { unit: 'web1' }]);
    expect(JSON.parse((await run('why', 'web2*', '--json')).stdout)).toMatchObject([{ unit: 'web2' }]);
    expect(JSON.parse((await run('why', 'web1', '--json')).stdout)).toMatchObject({ unit: 'web1' });
    expect(JSON.parse((await run('why', '--json')).stdout), 'what is failing or degraded').toMatchObject([{ unit: 'stop' }]);
    expect(JSON.parse((await run('inspect', 'web1', 'web2', '--json')).stdout)).toMatchObject([{ samples: [] }, { samples: [] }]);
  });
});

describe('words after start', () => {
  const home = (): { readonly env: NodeJS.ProcessEnv } => {
    const directory = tempDir();
    writeFileSync(join(directory, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 1}\n');
    return { env: { HOME: directory, PATH: process.env['PATH'] } };
  };

  test('are refused where they are neither units nor a program', async () => {
    const { exitCode, stderr } = await sysg(['start', 'wbe', '--daemonize'], home());
    expect(stderr).toBe("sysg: Service 'wbe' not found in configuration, did you mean 'web'?\nand 'wbe' is no program on PATH; a command may also follow --, as in: sysg start -- wbe --daemonize\n");
    expect(exitCode).toBe(1);
    for (const argv of [['start', 'wbe', '--json'], ['start', '--json', 'wbe']]) {
      expect(JSON.parse((await sysg(argv, home())).stdout), argv.join(' ')).toMatchObject({ ok: false, message: expect.stringContaining("Service 'wbe' not found") as string, units: [] });
    }
  });

  test('are names where the file that may have them cannot be read, whose mistakes a start says', async () => {
    const { env } = home();
    writeFileSync(join(env['HOME'] ?? '', 'sysg.yaml'), 'version: "1"\nservices:\n  web: {comand: sleep 1}\n');
    expect((await sysg(['start', 'web', '--nope'], { env })).stderr).toMatch(/^sysg: unknown option '--nope'/);
  });

  test.each([
    [['start', 'web', 'db'], "sysg: Service 'db' not found in configuration\n"],
    [['start', 'web', '--', 'sleep', '1'], 'sysg: names of services and a command exclude each other: expected web or what follows --\n'],
    [['start', 'web', '--nope'], "sysg: unknown option '--nope', did you mean '--name'?\ntry: sysg start --help\n"],
    [['start', 'web', '--name', 'x'], 'sysg: --name requires a unit command or child mode\n'],
  ])('%j: the first names a service, so all are names', async (argv, sentence) => {
    expect((await sysg(argv, home())).stderr).toBe(sentence);
  });
});
