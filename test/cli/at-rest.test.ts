import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identify as identifyDefinition } from '../../src/compat/identity.ts';
import { pidFile, stateFile } from '../../src/compat/state-files.ts';
import { writeXml } from '../../src/compat/xml.ts';
import { writeAdHoc } from '../../src/config/ad-hoc-list.ts';
import { loadConfig } from '../../src/config/load.ts';
import { stageUnit } from '../../src/config/staged-unit.ts';
import { openLedger } from '../../src/state/ledger.ts';
import { noteConfig } from '../../src/state/notes.ts';
import type { StatusSnapshot } from '../../src/wire/payloads.ts';
import { bootId } from '../../src/process/boot.ts';
import { identify } from '../../src/process/identity.ts';
import { readProcStat } from '../../src/process/proc.ts';
import { record as unitRecord } from '../state/record.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { sysg } from './rig.ts';

const yaml = 'version: "1"\nservices:\n  web: {command: sleep 60}\n';

/** A process of its own group, until the test is over. */
function leader(): number {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

function project(): string {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), yaml);
  return home;
}

test('status without a supervisor says so first and what to do, and its exit code is 3', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['status'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/^No supervisor is running: .* sysg start --daemonize$/);
  expect(stdout).toMatch(/^web +stopped .*inactive/m);
  expect(stdout).not.toContain('healthy');
  expect(exitCode).toBe(3);
});

test.each([['events'], ['why', 'web']])('%s names a journal that cannot be read', async (...argv) => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  symlinkSync('journal.ndjson', join(state, 'journal.ndjson'));
  const { exitCode, stderr } = await sysg(argv, { env: { HOME: home }, cwd: home });
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(`sysg: ${state}/journal.ndjson: cannot be read: ELOOP`)]);
  expect(stderr).not.toContain('internal error');
});

test.each([['status'], ['stop'], ['inspect', 'web'], ['logs', 'web', '--no-follow']])('%s does not say that a supervisor that has died runs another file', async (...argv) => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(state, 'config_hint'), join(home, 'other.yaml'));
  const { pid } = spawnSync('true');
  writeFileSync(join(state, 'sysg.pid'), `${pid}`);
  const { stderr } = await sysg([...argv, '-c', 'sysg.yaml'], { env: { HOME: home }, cwd: home });
  expect(stderr).not.toContain('the supervisor runs');
});

test('status without a supervisor leaves out what a start would for its profiles, but for what the last supervisor had', async () => {
  const home = project();
  const profiled = `${yaml}  debug: {command: sleep 61, profiles: [dev], depends_on: [store]}\n  store: {command: sleep 62, profiles: [data]}\n`;
  writeFileSync(join(home, 'sysg.yaml'), profiled);
  const names = async (): Promise<readonly string[]> => {
    const { units } = JSON.parse((await sysg(['status', '--json'], { env: { HOME: home } })).stdout) as StatusSnapshot;
    return units.map(({ name }) => name).toSorted();
  };
  expect(await names()).toEqual(['web']);
  const loaded = loadConfig(join(home, 'sysg.yaml'), { env: {}, identify: identifyDefinition });
  const hash = loaded.ok ? loaded.config.services.find(({ name }) => name === 'debug')?.hash ?? '' : '';
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map([[hash, { status: 'stopped', pid: null, exitCode: 0, signal: null }]]))));
  expect(await names()).toEqual(['debug', 'web']);
  writeFileSync(join(home, 'sysg.yaml'), profiled.replace('sleep 60', 'sleep 60, depends_on: [store]'));
  expect(await names()).toEqual(['debug', 'store', 'web']);
});

test('status --json without a supervisor has "supervised": false', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['status', '--json'], { env: { HOME: home } });
  expect(JSON.parse(stdout)).toMatchObject({ supervised: false, overall_health: 'degraded', units: [{ name: 'web', health: 'inactive' }] });
  expect(exitCode).toBe(3);
});

test.each([['status'], ['status', '--json'], ['inspect', 'web'], ['inspect', 'web', '--json'], ['inspect', 'web', 'db']])('%s without supervisor and configuration says both: %s', async (...words) => {
  const { exitCode, stdout, stderr } = await sysg(words);
  if (!words.includes('--json')) expect(stdout).toMatch(/^No supervisor is running .*, and there is no configuration to start one with\.$/m);
  else expect(JSON.parse(stdout)).toMatchObject({ supervised: false, ...(words[0] === 'status' ? { units: [] } : { unit: null, samples: [] }) });
  expect(stderr).toContain('No config file found');
  expect(exitCode).toBe(3);
});

test('status without a supervisor names the file of the last one where a start would not find it', async () => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(join(home, 'elsewhere'), { recursive: true });
  mkdirSync(state, { recursive: true });
  writeFileSync(join(home, 'elsewhere/app.yaml'), yaml);
  writeFileSync(join(state, 'config_hint'), join(home, 'elsewhere/app.yaml'));
  const { stdout } = await sysg(['status'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/sysg start --daemonize -c \/.*\/elsewhere\/app\.yaml$/);
});

test.each(['[a]', 'a/b'])('a project that is refused, %s, is not named in the advice', async (name) => {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), `project: ${name}\n${yaml}`);
  const { stdout, stderr } = await sysg(['status'], { env: { HOME: home } });
  expect(stdout).toMatch(/ sysg start --daemonize$/m);
  expect(stderr).toContain('project: expected');
});

test('inspect without a supervisor says so first, and its exit code is 3', async () => {
  const home = project();
  const { exitCode, stdout } = await sysg(['inspect', '-s', 'web'], { env: { HOME: home } });
  expect(stdout.split('\n')[0]).toMatch(/^No supervisor is running/);
  expect(exitCode).toBe(3);
  const json = await sysg(['inspect', '-s', 'web', '--json'], { env: { HOME: home } });
  expect(JSON.parse(json.stdout)).toMatchObject({ supervised: false, unit: { name: 'web' } });
});

test('what another project left of a unit with an equal definition is not shown', async () => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  const [one, other] = ['one', 'other'].map((name) => join(home, name));
  for (const directory of [state, one ?? '', other ?? '']) mkdirSync(directory, { recursive: true });
  for (const directory of [one, other]) writeFileSync(join(directory ?? '', 'sysg.yaml'), yaml);
  const seen = async (cwd = ''): Promise<StatusSnapshot['units'][number] | undefined> =>
    (JSON.parse((await sysg(['status', '--json'], { env: { HOME: home }, cwd })).stdout) as StatusSnapshot).units[0];
  const hash = (await seen(one))?.hash ?? '';
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map([[hash, { status: 'exited_with_error', pid: null, exitCode: 3, signal: null }]]))));
  const ledger = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: 'boot' });
  noteConfig(ledger, join(one ?? '', 'sysg.yaml'));
  ledger.close();
  expect(await seen(one)).toMatchObject({ lifecycle: 'exited_with_error', last_exit: { exit_code: 3 } });
  expect(await seen(other)).toMatchObject({ lifecycle: 'stopped', health: 'inactive' });
  expect(await seen(other)).not.toHaveProperty('last_exit');
  // A process of that project's unit is not this one's either.
  const own = identify(process.pid);
  const again = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: bootId() });
  again.record({ ...unitRecord('web'), process: { generation: 1, role: 'main', token: 't', identity: own, adopted: false } }, false);
  again.close();
  expect(await seen(one)).toMatchObject({ lifecycle: 'running', process: { pid: process.pid } });
  const foreign = await seen(other);
  expect(foreign).toMatchObject({ lifecycle: 'stopped', health: 'inactive', reason: `pid ${process.pid} is service 'web' of ${join(one ?? '', 'sysg.yaml')}, which the last supervisor ran, and not of this file` });
  expect(foreign).not.toHaveProperty('process');
  expect((await sysg(['why', 'web'], { env: { HOME: home }, cwd: other ?? '' })).stdout).toContain('web is not started: pid');
  expect((await sysg(['status'], { env: { HOME: home }, cwd: other ?? '' })).stderr).toContain(`pid ${process.pid} is service 'web' of `);
});

test('how a unit from the command line ended is known beside any file, though the last supervisor ran none', async () => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  const staged = stageUnit(state, { name: 'tick', command: ['sleep', '9'], cwd: home }, []);
  writeAdHoc(state, new Map([['tick', staged]]));
  const units = async (): Promise<StatusSnapshot['units']> => (JSON.parse((await sysg(['status', '--json'], { env: { HOME: home } })).stdout) as StatusSnapshot).units;
  const ended = { status: 'exited_with_error', pid: null, exitCode: 3, signal: null } as const;
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map((await units()).map(({ hash }) => [hash, ended])))));
  const ledger = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: 'boot' });
  noteConfig(ledger, staged);
  ledger.close();
  const seen = new Map((await units()).map((unit) => [unit.name, unit]));
  expect(seen.get('tick')).toMatchObject({ lifecycle: 'exited_with_error', last_exit: { exit_code: 3 } });
  expect(seen.get('web')).toMatchObject({ lifecycle: 'stopped', health: 'inactive' });
});

test.each([['is broken', 'x: ['], ['is gone', null]])('what outlived its supervisor is named and can be ended where its file %s', async (_, text) => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const ledger = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: bootId() });
  noteConfig(ledger, join(home, 'sysg.yaml'));
  ledger.record({ ...unitRecord('web'), process: { generation: 1, role: 'main', token: 't', identity: identify(child.pid ?? 0), adopted: false } }, false);
  ledger.close();
  writeFileSync(join(state, 'config_hint'), join(home, 'sysg.yaml'));
  if (text === null) rmSync(join(home, 'sysg.yaml'));
  else writeFileSync(join(home, 'sysg.yaml'), text);
  const run = (...words: readonly string[]) => sysg(words, { env: { HOME: home } });
  for (const words of [['status'], ['why', 'web'], ['inspect', 'web']]) {
    expect((await run(...words)).stderr, words[0]).toContain(`web (pid ${child.pid}) of ${home}/sysg.yaml outlived the supervisor; to end it: sysg stop`);
  }
  expect((await run('start', '--daemonize', '--name', 'tick', '--', 'sleep', '9')).stderr).toMatch(/or end it: sysg stop$/m);
  // What does not run may be in the file, which nobody can read.
  for (const words of [['wbe'], ['web', 'wbe'], ['-c', join(home, 'other.yaml')], ['web', '-c', join(home, 'other.yaml')]]) {
    expect(await run('stop', ...words), words.join(' ')).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/\.yaml[^]*outlived the supervisor/) as string });
  }
  expect(await run('stop', 'web', '-c', join(home, 'sysg.yaml'))).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`Service 'web' stopped (pid ${child.pid}, left running by a dead supervisor)`) as string });
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('status --all without a supervisor has what pid.xml alone names, by its name', async () => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  const pids = new Map([['web', 4_900_001], ['old', leader()], ['gone', 4_900_000], ['none', 0]]);
  writeFileSync(join(state, 'pid.xml'), writeXml(pidFile.encode({ services: pids, groups: pids, spawned: [] })));
  const units = async (...words: readonly string[]): Promise<readonly object[]> =>
    (JSON.parse((await sysg(['status', '--json', ...words], { env: { HOME: home } })).stdout) as StatusSnapshot).units.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const orphan = (name: string, health: string, runs: object) => expect.objectContaining({ name, hash: name, kind: 'orphaned', health, process: expect.objectContaining(runs) });
  expect(await units('--all')).toEqual([
    orphan('gone', 'failing', { pid: 4_900_000, state: 'missing' }), orphan('none', 'failing', { pid: 0, state: 'missing' }), orphan('old', 'healthy', { pid: pids.get('old'), state: 'running' }),
    expect.objectContaining({ name: 'web', kind: 'service' }),
  ]);
  expect(await units()).toHaveLength(1);
  const { stdout } = await sysg(['status', '--all'], { env: { HOME: home } });
  expect(stdout).toMatch(/^old +orph +Running /im);
  // It cannot be what the file means when it began later.
  utimesSync(join(state, 'pid.xml'), new Date(0), new Date(0));
  expect(await units('--all')).toContainEqual(orphan('old', 'failing', { state: 'missing' }));
});

test('sentences are broken between words on a terminal, and no command that they name', async () => {
  const around = { env: { HOME: project() }, cwd: project(), columns: 46 };
  for (const command of ['status', 'inspect']) {
    const { stdout } = await sysg([command, 'web', '--no-color'], around);
    expect(stdout.split('\n').slice(0, 4)).toEqual(['No supervisor is running: what ends is not', 'restarted, and no schedule is kept. To start', 'one: sysg start --daemonize', '']);
  }
  const { stdout } = await sysg(['why', 'web'], { env: { HOME: project() }, cwd: project(), columns: 46 });
  expect(stdout.split('\n').slice(0, 4)).toEqual([
    'No supervisor is running: what ends is not', 'restarted, and no schedule is kept. To start', 'one: sysg start --daemonize', 'web does not run, and the journal has no',
  ]);
});

test('stop without a configuration: done where the last supervisor ended in order, refused where anything may be left', async () => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  const stop = async (...words: readonly string[]): Promise<number> => (await sysg(['stop', ...words], { env: { HOME: home } })).exitCode;
  expect([await stop(), await stop('web')]).toEqual([0, 1]);
  mkdirSync(state, { recursive: true });
  const pids = new Map([['old', leader()]]);
  writeFileSync(join(state, 'pid.xml'), writeXml(pidFile.encode({ services: pids, groups: pids, spawned: [] })));
  expect(await stop()).toBe(1);
  writeFileSync(join(state, 'pid.xml'), writeXml(pidFile.encode({ services: new Map(), groups: new Map(), spawned: [] })));
  expect(await stop()).toBe(0);
  const ledger = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: bootId() });
  ledger.record(unitRecord('web'), false);
  expect(await stop()).toBe(1);
  ledger.markClean();
  ledger.close();
  expect(await stop()).toBe(0);
});

test.each([['status', 3], ['inspect web', 3], ['logs', 0], ['stop', 0], ['why web', 0]])('%s ends where systemg was killed: a socket that nobody serves, and no lock', async (words, code) => {
  const home = project();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(home, 'bound'), resolve));
  // Closing takes away the name that was bound, and leaves this one.
  linkSync(join(home, 'bound'), join(state, 'control.sock'));
  await new Promise((resolve) => server.close(resolve));
  expect((await sysg(words.split(' '), { env: { HOME: home } })).exitCode).toBe(code);
});

test('what the last supervisor noted: no check is believed that has not passed, a suspended schedule, and how a unit ended', async () => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  const check = 'health_check: {command: "true"}';
  writeFileSync(join(home, 'sysg.yaml'), `version: "1"\nservices:\n  young: {command: sleep 60, ${check}}\n  passed: {command: sleep 61, ${check}}\n  plain: {command: sleep 62}\n`
    + '  job: {command: "true", cron: {expression: "0 0 * * *"}}\n  bad: {command: "exit 9"}\n  polite: {command: "exit 8"}\n');
  const seen = async (): Promise<StatusSnapshot> => JSON.parse((await sysg(['status', '--json'], { env: { HOME: home } })).stdout) as StatusSnapshot;
  const hashes = new Map((await seen()).units.map(({ name, hash }) => [name, hash]));
  const hash = (name: string): string => hashes.get(name) ?? '';
  const stopped = (exitCode: number) => ({ status: 'stopped', pid: null, exitCode, signal: null }) as const;
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map([[hash('bad'), stopped(9)], [hash('polite'), stopped(8)]]))));
  const ledger = openLedger(join(state, 'ledger.ndjson'), { onProblem: () => {}, bootId: bootId() });
  noteConfig(ledger, join(home, 'sysg.yaml'));
  const living = { generation: 1, role: 'main', token: 't', identity: identify(process.pid), adopted: false } as const;
  ledger.record({ ...unitRecord('young'), hash: hash('young'), state: 'starting', process: living }, false);
  ledger.record({ ...unitRecord('passed'), hash: hash('passed'), process: living }, false);
  ledger.record({ ...unitRecord('plain'), hash: hash('plain'), process: living }, false);
  const rest = { wanted: 'down', state: 'stopped', process: null } as const;
  ledger.record({ ...unitRecord('job'), ...rest, hash: hash('job') }, false);
  ledger.record({ ...unitRecord('bad'), ...rest, hash: hash('bad'), outcome: 'failed', exit: { code: 9, signal: null } }, false);
  // Its code is its answer to the stop signal.
  ledger.record({ ...unitRecord('polite'), ...rest, hash: hash('polite'), exit: { code: 8, signal: null } }, false);
  ledger.close();
  const { units } = await seen();
  expect(Object.fromEntries(units.map(({ name, phase, health }) => [name, `${phase ?? ''} ${health}`]))).toEqual({
    young: 'running degraded', passed: 'running healthy', plain: 'running healthy', job: 'waiting inactive', bad: 'failed failing', polite: 'stopped healthy',
  });
  expect((await sysg(['status'], { env: { HOME: home } })).stdout).toMatch(/^job +cron +suspended /m);
});

test('a unit whose name alone has changed is shown with its process, and once', async () => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  renamed:\n    command: sleep 300\n');
  const units = async (): Promise<StatusSnapshot['units']> => (JSON.parse((await sysg(['status', '--json', '--all'], { env: { HOME: home } })).stdout) as StatusSnapshot).units;
  const [hash, pid] = [(await units())[0]?.hash ?? '', leader()];
  const pids = new Map([['before', pid]]);
  writeFileSync(join(state, 'pid.xml'), writeXml(pidFile.encode({ services: pids, groups: pids, spawned: [] })));
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map([[hash, { status: 'running', pid, exitCode: null, signal: null }]]))));
  expect(await units()).toEqual([expect.objectContaining({ name: 'renamed', kind: 'service', process: expect.objectContaining({ pid, state: 'running' }) })]);
});

test.runIf(process.platform === 'linux')('what a signal has halted is degraded, be it a unit or an orphan', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), yaml.replace('60', '300'));
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true });
  const units = async (): Promise<StatusSnapshot['units']> => (JSON.parse((await sysg(['status', '--json', '--all'], { env: { HOME: home } })).stdout) as StatusSnapshot).units;
  const [hash, web, old] = [(await units())[0]?.hash ?? '', leader(), leader()];
  const pids = new Map([['web', web], ['old', old]]);
  writeFileSync(join(state, 'pid.xml'), writeXml(pidFile.encode({ services: pids, groups: pids, spawned: [] })));
  writeFileSync(join(state, 'state.xml'), writeXml(stateFile.encode(new Map([[hash, { status: 'running', pid: web, exitCode: null, signal: null }]]))));
  for (const pid of [web, old]) process.kill(pid, 'SIGSTOP');
  await until('both are halted', () => [web, old].every((pid) => readProcStat(pid)?.state === 'T'));
  const halted = (name: string, kind: string) => expect.objectContaining({ name, kind, health: 'degraded', process: expect.objectContaining({ halted: true }) });
  expect(await units()).toEqual([halted('web', 'service'), halted('old', 'orphaned')]);
});
