import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { StatusSnapshot } from '../../src/wire/payloads.ts';
import { commandOf, isAlive, makeHome, soon, type Home } from './rig.ts';

const yaml = `
version: "1"
services:
  web: {command: "$PROGRAMS/forever"}
  api: {command: "while :; do sleep 1; done", depends_on: [web]}
  bad: {command: "sleep 0.3; exit 3"}
`;

/** The supervisor and its guardian die at once; nobody is left to bring anything back. */
async function killSupervisor(home: Home): Promise<void> {
  const supervisor = home.supervisorPid();
  const guardian = home.guardianPid();
  for (const pid of [guardian, supervisor]) process.kill(pid, 'SIGKILL');
  await soon('both are dead', () => !isAlive(supervisor) && !isAlive(guardian));
}

async function running(home: Home): Promise<{ readonly web: number; readonly api: number }> {
  home.configure(yaml);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.until('bad', ({ phase }) => phase === 'failed', 'has failed');
  const [web, api] = await Promise.all(['web', 'api'].map(async (name) => (await home.unit(name)).process?.pid ?? 0));
  await soon('the files tell of it', () => file(home, 'state.xml').includes('<status>exited_with_error</status><exit_code>3</exit_code>') && file(home, 'pid.xml').includes(`<pid>${api}</pid>`));
  return { web: web ?? 0, api: api ?? 0 };
}

function file(home: Home, name: string): string {
  const path = join(home.state, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

describe.each([['with the ledger', false], ['from the files alone', true]])('without a supervisor, %s', (_, forgetLedger) => {
  test('status shows what runs, what failed and what is gone', async () => {
    const home = makeHome();
    const { web, api } = await running(home);
    await killSupervisor(home);
    process.kill(api, 'SIGKILL');
    await soon('it is dead', () => !isAlive(api));
    if (forgetLedger) rmSync(join(home.state, 'ledger.ndjson'));
    // Where process 1 waits for nobody, what is gone stays a zombie; elsewhere it may go while it is looked at.
    const isThere = (): boolean => existsSync(`/proc/${api}`);
    let [wasThere, { stdout, code }] = [isThere(), await home.sysg('status', '--json')];
    if (isThere() !== wasThere) [wasThere, { stdout, code }] = [isThere(), await home.sysg('status', '--json')];
    const gone = wasThere ? ['running', 'failing', api] : ['stopped', 'degraded', undefined];
    const { units } = JSON.parse(stdout) as StatusSnapshot;
    expect(Object.fromEntries(units.map(({ name, lifecycle, health, process: shown }) => [name, [lifecycle, health, shown?.pid]]))).toEqual({
      web: ['running', 'healthy', web], api: gone, bad: ['exited_with_error', 'failing', undefined],
    });
    expect(units.find(({ name }) => name === 'bad')?.last_exit).toEqual({ exit_code: 3 });
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ supervised: false, overall_health: 'failing' });
  });

  test('stop -s ends one service, stop ends the rest', async () => {
    const home = makeHome();
    const { web, api } = await running(home);
    await killSupervisor(home);
    if (forgetLedger) rmSync(join(home.state, 'ledger.ndjson'));
    expect(await home.sysg('stop', '-s', 'nope')).toMatchObject({ code: 1, stderr: expect.stringContaining("Service 'nope' not found in configuration") });
    expect(await home.sysg('stop', '-s', 'api')).toMatchObject({ code: 0, stderr: expect.stringContaining(`Service 'api' stopped (pid ${api}`) });
    expect([isAlive(web), isAlive(api)]).toEqual([true, false]);
    expect(file(home, 'pid.xml')).not.toContain('api');
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
    expect(isAlive(web)).toBe(false);
    expect(file(home, 'pid.xml')).toBe('<PidFile/>');
    expect(existsSync(join(home.state, 'sysg.pid'))).toBe(false);
  });

  test('the next supervisor goes on with what runs and starts what was stopped meanwhile', async () => {
    const home = makeHome();
    const { web } = await running(home);
    await killSupervisor(home);
    if (forgetLedger) rmSync(join(home.state, 'ledger.ndjson'));
    await home.sysg('stop', '-s', 'api');
    await home.sysg('start', '--daemonize', '-c', home.config);
    expect(await home.unit('web')).toMatchObject({ phase: 'running', process: { pid: web } });
    expect(await home.unit('api')).toMatchObject({ phase: 'running' });
  });
});

test('stop ends as a supervisor does: dependents first, with the unit\'s own signal, its hook, what escaped, and its last words in the log', async () => {
  const home = makeHome();
  home.configure(`
version: "1"
services:
  web: {command: "trap 'echo web >> $HOME/order; echo said at the end; exit 0' USR1; while :; do sleep 0.05; done", stop_signal: USR1, hooks: {on_stop: {success: {command: "echo hook >> $HOME/order"}}}}
  api: {command: "trap 'sleep 0.3; echo api >> $HOME/order; exit 0' TERM; setsid sleep 321 & while :; do sleep 0.05; done", depends_on: [web]}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.until('api', ({ phase }) => phase === 'running', 'runs');
  await killSupervisor(home);
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  expect(readFileSync(join(home.dir, 'order'), 'utf8')).toBe('api\nweb\nhook\n');
  expect(home.log('web')).toContain('said at the end');
  // What the guardian waited with may outlive it.
  expect(home.processes().map(commandOf).filter((words) => words !== 'sleep 1 ' && words !== '')).toEqual([]);
  expect((await home.sysg('events', '-s', 'web')).stdout).toContain('stopped');
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  expect((await home.status()).units.map(({ name, phase }) => [name, phase]).sort()).toEqual([['api', 'running'], ['web', 'running']]);
});

test('stop leaves a process alone that may be a unit\'s and cannot be proven to be, and says so', async () => {
  const home = makeHome();
  const { web, api } = await running(home);
  await killSupervisor(home);
  rmSync(join(home.state, 'ledger.ndjson'));
  home.configure(yaml.replace('"$PROGRAMS/forever"', '"$PROGRAMS/forever --other"'));
  expect(await home.sysg('stop')).toMatchObject({ code: 1, stderr: expect.stringMatching(new RegExp(`service 'web'.*pid ${web}|pid ${web}.*service 'web'`)) });
  expect([isAlive(web), isAlive(api)]).toEqual([true, false]);
  process.kill(web, 'SIGKILL');
});

test('a socket that somebody serves without our lock is nobody else\'s to take', async () => {
  const home = makeHome(yaml);
  await running(home);
  await home.sysg('stop');
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((resolve) => server.listen(join(home.state, 'control.sock'), resolve));
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
  expect(await home.sysg('start', '-c', home.config)).toMatchObject({ code: 1, stderr: expect.stringContaining('supervisor already running') });
  expect(existsSync(join(home.state, 'control.sock'))).toBe(true);
});

test('stop takes away what a dead supervisor left of its files, though nothing of it lives', async () => {
  const home = makeHome();
  await running(home);
  await killSupervisor(home);
  for (const pid of home.processes()) process.kill(pid, 'SIGKILL');
  await soon('all are dead', () => home.processes().length === 0);
  expect(['control.sock', 'sysg.pid'].map((name) => existsSync(join(home.state, name)))).toEqual([true, true]);
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  expect(['control.sock', 'sysg.pid', 'config_hint'].map((name) => existsSync(join(home.state, name)))).toEqual([false, false, false]);
  expect(file(home, 'pid.xml')).toBe('<PidFile/>');
  expect(file(home, 'state.xml')).not.toContain('running');
});

test('status writes into a stale state.xml that a process runs', async () => {
  const home = makeHome();
  const { web } = await running(home);
  await killSupervisor(home);
  const right = file(home, 'state.xml');
  const stale = right.replace(`<status>running</status><pid>${web}</pid>`, '<status>stopped</status>');
  expect(stale).not.toBe(right);
  writeFileSync(join(home.state, 'state.xml'), stale);
  await home.sysg('status');
  expect(file(home, 'state.xml')).toBe(right);
});

test('a zombie that pid.xml names is shown as one, and fails', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 300"}\n');
  // A program that took the place of its shell does not wait for the shell's child.
  const parent = spawn('sh', ['-c', 'sleep 0 & exec sleep 300'], { env: home.env });
  const children = (): string => readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim();
  const zombie = await soon('there is a zombie', () => {
    const child = children();
    return child !== '' && /\) Z /.test(readFileSync(`/proc/${child}/stat`, 'latin1')) ? Number(child) : null;
  });
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  writeFileSync(join(home.state, 'pid.xml'), `<PidFile><services><name>web</name><pid>${zombie}</pid></services></PidFile>`);
  const { stdout, code } = await home.sysg('status', '--json');
  const [unit] = (JSON.parse(stdout) as StatusSnapshot).units;
  expect(unit).toMatchObject({ name: 'web', health: 'failing', process: { pid: zombie, state: 'zombie' } });
  expect(code).toBe(3);
  parent.kill('SIGKILL');
});

test('services that outlived their supervisor are ended by no start, and no stop, of another file while theirs is there; the same file through a link, or moved, is started', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: sleep 1000}\n');
  await home.sysg('up');
  const web = (await home.unit('web')).process?.pid ?? 0;
  await killSupervisor(home);
  const other = join(home.dir, 'other/sysg.yaml');
  mkdirSync(join(home.dir, 'other'));
  writeFileSync(other, 'version: "1"\nservices:\n  api: {command: sleep 1001}\n');
  const left = `web (pid ${web}) of ${home.config} outlived the supervisor`;
  for (const words of [['up'], ['start'], ['restart', '--daemonize']]) {
    expect(await home.sysg(...words, '-c', other)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`${left}, and a supervisor with ${other} would end what it does not name`) });
  }
  expect(await home.sysg('stop', '-c', other)).toMatchObject({ code: 1, stderr: expect.stringContaining(`${left}, and -c names ${other}: nothing was done`) });
  expect(isAlive(web)).toBe(true);

  // Another directory changes what the service is run in: another process of it may take its place.
  symlinkSync(home.dir, join(home.dir, 'current'));
  expect(await home.sysg('up', '-c', 'current/sysg.yaml')).toMatchObject({ code: 0 });
  expect(await home.unit('web')).toMatchObject({ phase: 'running' });
  await killSupervisor(home);
  renameSync(home.config, join(home.dir, 'other/moved.yaml'));
  expect(await home.sysg('up', '-c', 'other/moved.yaml')).toMatchObject({ code: 0 });
  expect(await home.unit('web')).toMatchObject({ phase: 'running' });
});

test('what a stop has to leave alone is left alone by the next stop and by the next start, too', async () => {
  const home = makeHome('version: "1"\nservices:\n  api: {command: "$PROGRAMS/notes api"}\n');
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const stranger = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  try {
    await soon('it is older than the file', () => existsSync(`/proc/${stranger.pid}/stat`));
    writeFileSync(join(home.state, 'pid.xml'), `<PidFile><services><name>api</name><pid>${stranger.pid}</pid></services></PidFile>`);
    for (const _ of [1, 2]) expect(await home.sysg('stop', '-c', home.config)).toMatchObject({ code: 1, stderr: expect.stringContaining(`pid ${stranger.pid}`) });
    // Be the supervisor stopped or killed in between.
    for (const end of [() => home.sysg('stop'), () => killSupervisor(home), () => home.sysg('stop')]) {
      await home.sysg('start', '--daemonize', '-c', home.config);
      expect(await home.unit('api')).toMatchObject({ phase: 'stopped', wanted: 'down' });
      expect(await home.sysg('doctor')).toMatchObject({ stdout: expect.stringMatching(/^ok +pid\.xml/m) });
      await end();
    }
    expect(home.log('api')).toBe('');
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('what pid.xml names and no file configures is shown, ended by its name alone, and stays in pid.xml until it has ended', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "$PROGRAMS/forever"}\n');
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  const strangers = new Map(['old', 'older'].map((name) => [name, spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })]));
  const pid = (name: string): number => strangers.get(name)?.pid ?? 0;
  const left = (): readonly string[] => [...readFileSync(join(home.state, 'pid.xml'), 'utf8').matchAll(/<name>(old\w*)<\/name><pid>/g)].map(([, name = '']) => name);
  const shown = async (): Promise<object> => {
    const { units } = JSON.parse((await home.sysg('status', '--all', '--json')).stdout) as StatusSnapshot;
    return Object.fromEntries(units.filter(({ kind }) => kind === 'orphaned').map(({ name, process: runs }) => [name, runs?.pid]));
  };
  try {
    await soon('they are older than the file', () => [...strangers.keys()].every((name) => existsSync(`/proc/${pid(name)}/stat`)));
    const services = [...strangers.keys()].map((name) => `<services><name>${name}</name><pid>${pid(name)}</pid></services>`);
    writeFileSync(join(home.state, 'pid.xml'), `<PidFile>${services.join('')}</PidFile>`);
    expect(await home.sysg('stop', '-c', home.config)).toMatchObject({ code: 1, stderr: expect.stringContaining(`pid.xml names pid ${pid('old')} as service 'old'`) });
    expect(await home.sysg('up', '-c', home.config)).toMatchObject({ code: 0 });
    expect([await shown(), left()]).toEqual([{ old: pid('old'), older: pid('older') }, ['old', 'older']]);
    expect(await home.sysg('inspect', 'old')).toMatchObject({ code: 0, stdout: expect.stringContaining(`${pid('old')}`) });
    expect(await home.sysg('doctor')).toMatchObject({ stdout: expect.stringMatching(/^ok +pid\.xml/m) });

    // It would be started a second time.
    const before = readFileSync(home.config, 'utf8');
    home.configure(`${before}  old: {command: sleep 1000}\n`);
    for (const words of [['reload'], ['restart'], ['start', 'old']]) expect(await home.sysg(...words)).toMatchObject({ code: 1, stderr: expect.stringContaining('to end it first: sysg stop -s old') });
    home.configure(before);

    expect(await home.sysg('stop', '-s', 'older')).toMatchObject({ code: 0, stdout: "Service 'older' stopped\n" });
    expect([isAlive(pid('older')), await shown(), left()]).toEqual([false, { old: pid('old') }, ['old']]);
    expect(await home.sysg('stop')).toMatchObject({ code: 0, stdout: expect.stringContaining(`pid ${pid('old')}`) });
    expect([isAlive(pid('old')), await shown(), left()]).toEqual([true, { old: pid('old') }, ['old']]);
    expect(await home.sysg('stop', '-s', 'old')).toMatchObject({ code: 0, stderr: expect.stringContaining(`Service 'old' stopped (pid ${pid('old')}`) });
    expect([isAlive(pid('old')), await shown(), left()]).toEqual([false, {}, []]);
  } finally {
    for (const stranger of strangers.values()) stranger.kill('SIGKILL');
  }
});
