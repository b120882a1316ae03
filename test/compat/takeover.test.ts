import { spawn } from 'node:child_process';
import fs, { readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AdoptOrder, ServiceSpec } from '../../machines/types.ts';
import { classify } from '../../src/config/launch.ts';
import { bootId } from '../../src/process/boot.ts';
import { identify } from '../../src/process/identity.ts';
import { prove, readSuspect, runs, type Suspect } from '../../src/compat/proof.ts';
import { takeOver, type TakeoverInput } from '../../src/compat/takeover.ts';
import { pidFile, type RecordedState, type SpawnRecord, stateFile } from '../../src/compat/state-files.ts';
import { digestOf } from '../../src/compat/read-files.ts';
import { writeXml } from '../../src/compat/xml.ts';
import { serviceSpec } from '../process/spec.ts';
import { record } from '../state/record.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

const uid = process.geteuid?.() ?? 0;

/** A process as systemg 0.33.0 starts one: `sh -c` in a group of its own. */
async function started(command: string): Promise<number> {
  const child = spawn('sh', ['-c', command], { detached: true, stdio: 'ignore' });
  const pid = child.pid ?? 0;
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
  await until('the shell runs', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sleep'));
  return pid;
}

/** What a shell has started in its own group. */
function childOf(pid: number): Promise<number> {
  return new Promise((resolve) => {
    const look = setInterval(() => {
      const found = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number).find((other) => other !== pid && readSuspect(other)?.pgrp === pid);
      if (found === undefined) return;
      clearInterval(look);
      resolve(found);
    }, 5);
  });
}

function service(name: string, command: string, changes: Partial<ServiceSpec> = {}): ServiceSpec {
  return serviceSpec([''], '/', { name, hash: `hash-${name}`, command, launch: classify(command), ...changes });
}

interface Files {
  readonly spawned?: readonly SpawnRecord[];
  readonly pids?: Readonly<Record<string, number>>;
  readonly states?: Readonly<Record<string, Partial<RecordedState>>>;
}

function rig(specs: readonly ServiceSpec[], { pids = {}, states = {}, spawned = [] }: Files, changes: Partial<TakeoverInput> = {}) {
  const stateDir = tempDir();
  const services = new Map(Object.entries(pids));
  const texts = {
    'pid.xml': writeXml(pidFile.encode({ services, groups: services, spawned })),
    'state.xml': writeXml(stateFile.encode(new Map(Object.entries(states).map(([name, state]) => [`hash-${name}`, { status: 'stopped', pid: null, exitCode: null, signal: null, ...state }])))),
  };
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(stateDir, name), text);
  const reports: string[] = [];
  const take = (more: Partial<TakeoverInput> = {}) => takeOver({
    stateDir, specs, ledger: { meta: new Map(), latest: () => null }, found: [], environment: {}, uid,
    now: () => ({ at: 7, wallMs: Date.now(), bootId: bootId() }), onReport: (text) => reports.push(text), onProblem: (text) => reports.push(text), ...changes, ...more,
  });
  return { stateDir, texts, reports, take };
}

const brief = (orders: readonly AdoptOrder[]) => Object.fromEntries(orders.map(({ record: { unit, state, wanted, process: owned }, verdict }) => [unit, { verdict, state, wanted, pid: owned?.identity?.pid ?? null }]));

describe('without a ledger', () => {
  test('a process that runs the configured command goes on under its identity', async () => {
    const pid = await started('sleep 300');
    const { take, reports } = rig([service('web', 'sleep 300')], { pids: { web: pid }, states: { web: { status: 'running', pid } } });
    const { orders } = take();
    expect(brief(orders)).toEqual({ web: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
    expect(orders[0]?.record).toMatchObject({ generation: 1, process: { adopted: true, identity: identify(pid) } });
    expect(reports.join('\n')).toContain(`service 'web': pid ${pid} goes on`);
  });

  test('a living process with another command is neither taken over nor doubled', async () => {
    const pid = await started('sleep 301');
    const { take, reports } = rig([service('web', 'sleep 300')], { pids: { web: pid }, states: { web: { status: 'running', pid } } });
    expect(brief(take().orders)).toEqual({ web: { verdict: 'rest', state: 'stopped', wanted: 'down', pid: null } });
    expect(reports.join('\n')).toMatch(/pid \d+ of pid\.xml is not taken over: it runs ".*sleep 301"/);
    expect(identify(pid)).not.toBeNull();
  });

  test('what a dead shell left in its group is neither ended nor doubled', async () => {
    const pid = await started('sleep 302; true');
    const child = await childOf(pid);
    process.kill(pid, 'SIGKILL');
    await until('the shell is dead', () => readSuspect(pid) === null);
    const { take, reports } = rig([service('web', 'sleep 302; true')], { pids: { web: pid }, states: { web: { status: 'running', pid } } });
    expect(brief(take().orders)).toEqual({ web: { verdict: 'rest', state: 'stopped', wanted: 'down', pid: null } });
    expect(reports.join('\n')).toContain(`of its group there is left pid ${child} (sleep 302)`);
    expect(readSuspect(child)).not.toBeNull();
  });

  test('a service that needs one that is left alone is not started either, since its start would start that too', async () => {
    const pid = await started('sleep 301');
    const needing = (service: string) => [{ service, condition: 'started', onRestart: 'restart' }] as const;
    const specs = [
      service('top', 'sleep 310', { dependsOn: needing('api') }), service('api', 'sleep 311', { dependsOn: needing('web') }), service('web', 'sleep 300'), service('other', 'sleep 312'),
    ];
    const { take, reports } = rig(specs, { pids: { web: pid }, states: { web: { status: 'running', pid }, api: { status: 'running', pid: 1 } } });
    const down = { verdict: 'rest', state: 'stopped', wanted: 'down', pid: null };
    const { orders, leftDown } = take();
    expect(brief(orders)).toEqual({ web: down, api: down, top: down });
    expect([...leftDown.keys()]).toEqual(['web', 'api', 'top']);
    expect(reports.join('\n')).toContain("service 'api' is not started: it needs 'web', which is down");
  });

  test('the stale pid of a crashed service holds nothing up', async () => {
    const pid = await started('sleep 301');
    const spec = service('web', 'sleep 300', { restart: { ...service('x', 'y').restart, mode: 'always' } });
    expect(rig([spec], { pids: { web: pid }, states: { web: { status: 'exited_with_error', exitCode: 1 } } }).take().orders).toEqual([]);
  });

  test('a process younger than the file is another one', async () => {
    const pid = await started('sleep 300');
    const { take, stateDir, reports } = rig([service('web', 'sleep 300')], { pids: { web: pid }, states: { web: { status: 'running', pid } } });
    utimesSync(join(stateDir, 'pid.xml'), new Date(0), new Date(0));
    expect(take().orders).toEqual([]);
    expect(reports.join('\n')).toContain('it began after the pid was written down');
  });

  test('one pid for two services is neither\'s, and neither is doubled', async () => {
    const pid = await started('sleep 300');
    const { take } = rig([service('one', 'sleep 300'), service('two', 'sleep 300')], { pids: { one: pid, two: pid } });
    const held = { verdict: 'rest', state: 'stopped', wanted: 'down', pid: null };
    expect(brief(take().orders)).toEqual({ one: held, two: held });
  });

  test('what rested when the other program ended is no order: a start wants everything', () => {
    const once = service('x', 'y').restart;
    const specs = [
      service('byhand', 'a'), service('done', 'b'), service('bad', 'c'), service('retried', 'd', { restart: { ...once, mode: 'on-failure' } }),
      service('again', 'e', { restart: { ...once, mode: 'always' } }), service('fresh', 'f'),
    ];
    const states: Files['states'] = {
      byhand: { status: 'stopped' }, done: { status: 'exited_successfully', exitCode: 0 }, bad: { status: 'exited_with_error', exitCode: 3 },
      retried: { status: 'exited_with_error', exitCode: 3 }, again: { status: 'exited_successfully', exitCode: 0 },
    };
    const { take } = rig(specs, { states });
    expect(take().orders).toEqual([]);
  });

  test.each(['', '<PidFile><services><na', 'garbage', null, '<PidFile/>'])('pid.xml of %j: state.xml still says which process is whose', async (text) => {
    const [pid, other] = [await started('sleep 300'), await started('sleep 301')];
    const states: Files['states'] = { web: { status: 'running', pid }, api: { status: 'running', pid: other }, gone: { status: 'exited_with_error', exitCode: 3 } };
    const { take, stateDir, reports } = rig([service('web', 'sleep 300'), service('api', 'sleep 999'), service('gone', 'sleep 302')], { states });
    if (text === null) rmSync(join(stateDir, 'pid.xml'));
    else writeFileSync(join(stateDir, 'pid.xml'), text);
    const { orders, suspects, suspected } = take();
    expect(brief(orders)).toEqual({ web: { verdict: 'alive', state: 'running', wanted: 'up', pid }, api: { verdict: 'rest', state: 'stopped', wanted: 'down', pid: null } });
    expect(reports.join('\n')).toContain(`service 'web': pid ${pid} goes on, taken over from state.xml`);
    expect([[...suspects.keys()], suspected]).toEqual([['api'], [{ name: 'api', pid: other, pgid: null, members: [identify(other)] }]]);
    // What is in doubt stays so for the next supervisor, which finds it in files of ours and nothing of it in the ledger.
    writeFileSync(join(stateDir, 'pid.xml'), writeXml(pidFile.encode({ services: new Map([['web', pid], ['api', other]]), groups: new Map(), spawned: [] })));
    const meta = new Map(['pid.xml', 'state.xml'].map((name) => [`digest ${name}`, [digestOf(readFileSync(join(stateDir, name)))]]));
    const alive = orders.filter(({ verdict }) => verdict === 'alive');
    const again = take({ ledger: { meta, latest: () => null }, found: alive });
    expect([brief(again.orders), [...again.leftDown.keys()], again.suspected]).toEqual([brief(orders), ['api'], suspected]);
    // What the ledger knows as its process is the ledger's business.
    const known = take({ ledger: { meta, latest: () => ({ record: { process: { identity: { pid: other } } } }) as never }, found: alive });
    expect([brief(known.orders), known.suspected]).toEqual([brief(alive), []]);
  });

  test.each(['', 'garbage', null])('state.xml of %j: pid.xml still says which process is whose', async (text) => {
    const pid = await started('sleep 300');
    const { take, stateDir } = rig([service('web', 'sleep 300')], { pids: { web: pid } });
    if (text === null) rmSync(join(stateDir, 'state.xml'));
    else writeFileSync(join(stateDir, 'state.xml'), text);
    expect(brief(take().orders)).toEqual({ web: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
  });

  test('what pid.xml names and no unit is goes on as an orphan: its leader, or what is left of its group; what began later is none', async () => {
    const [old, shell, web] = [await started('sleep 305'), await started('sleep 306; true'), await started('sleep 300')];
    const child = await childOf(shell);
    process.kill(shell, 'SIGKILL');
    await until('the shell is dead', () => readSuspect(shell) === null);
    const { take, stateDir, reports } = rig([service('web', 'sleep 300')], { pids: { old, tree: shell, dead: 4_900_000, first: 1, self: process.pid, renamed: web }, states: { web: { status: 'running', pid: web } } });
    const { orders, orphans } = take();
    expect(brief(orders)).toEqual({ web: { verdict: 'alive', state: 'running', wanted: 'up', pid: web } });
    expect(orphans).toEqual([{ name: 'old', pid: old, pgid: old, members: [identify(old)] }, { name: 'tree', pid: shell, pgid: shell, members: [identify(child)] }]);
    expect(reports.join('\n')).toContain(`pid.xml names pid ${shell} as service 'tree', which is not configured; pid ${child} of its group goes on without supervision`);
    // Also where our supervisor has written the files.
    const digests = Object.fromEntries(['pid.xml', 'state.xml'].map((name) => [`digest ${name}`, [digestOf(readFileSync(join(stateDir, name)))]]));
    const own = take({ ledger: { meta: new Map(Object.entries(digests)), latest: () => null }, found: orders });
    expect([own.orders, own.orphans]).toEqual([orders, orphans]);
    utimesSync(join(stateDir, 'pid.xml'), new Date(0), new Date(0));
    expect(take().orphans).toEqual([]);
  });

  test('of equal definitions, which have one hash, none gets the process that pid.xml says is another\'s', async () => {
    const pid = await started('sleep 300');
    const specs = [service('one', 'sleep 300'), service('two', 'sleep 300')];
    const { take } = rig(specs, { pids: { two: pid }, states: { one: { status: 'running', pid } } });
    expect(brief(take().orders)).toEqual({ two: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
  });

  test('a service that has another name now keeps its process, unless another of the configuration has it', async () => {
    const pid = await started('sleep 300');
    const files: Files = { pids: { old: pid }, states: { new: { status: 'running', pid } } };
    const { take, reports } = rig([service('new', 'sleep 300')], files);
    expect(brief(take().orders)).toEqual({ new: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
    expect(reports.join('\n')).not.toContain('left alone');
    const both = rig([service('new', 'sleep 300'), service('old', 'sleep 300')], files);
    expect(brief(both.take().orders)).toEqual({ old: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
  });

  test('torn files are reported and everything starts', () => {
    const { stateDir, take, reports } = rig([service('web', 'sleep 300')], {});
    for (const name of ['pid.xml', 'state.xml']) writeFileSync(join(stateDir, name), '<PidFile><services><na');
    expect(take().orders).toEqual([]);
    expect(reports.filter((text) => text.includes('.corrupt-1'))).toHaveLength(2);
  });
});

describe('with a ledger', () => {
  const order: AdoptOrder = { record: record('web', { state: 'stopped', process: null, wanted: 'down' }), verdict: 'rest' };
  const known = (texts: Readonly<Record<string, string>>) => ({
    meta: new Map(Object.entries(texts).map(([name, text]) => [`digest ${name}`, ['an older one', digestOf(text)]])), latest: () => null,
  });

  test('files as it left them are not looked at', async () => {
    const pid = await started('sleep 300');
    const { texts, take, reports } = rig([service('web', 'sleep 300')], { pids: { web: pid } }, { found: [order] });
    expect(take({ ledger: known(texts) }).orders).toEqual([order]);
    expect(reports).toEqual([]);
  });

  test.each(['pid.xml', 'state.xml'])('a torn %s beside one that it left does not show that another program has run', (name) => {
    const { texts, take, stateDir, reports } = rig([service('web', 'sleep 300')], {}, { found: [order] });
    writeFileSync(join(stateDir, name), '');
    expect(take({ ledger: known(texts) }).orders).toEqual([order]);
    expect(reports).toEqual([expect.stringContaining(`${name}: character 1: expected an element`)]);
  });

  test('files that another program wrote replace what it says of units that do not run', async () => {
    const pid = await started('sleep 300');
    const { texts, take } = rig([service('web', 'sleep 300')], { pids: { web: pid } }, { found: [order] });
    const latest = () => ({ record: record('web', { generation: 4 }), written: { at: 0, wallMs: 0, bootId: 'b' } });
    const { orders } = take({ ledger: { ...known({ ...texts, 'pid.xml': 'other' }), latest } });
    expect(brief(orders)).toEqual({ web: { verdict: 'alive', state: 'running', wanted: 'up', pid } });
    expect(orders[0]?.record.generation).toBe(5);
  });

  test('a unit it saw alive stays the one; a second copy is reported', async () => {
    const second = await started('sleep 300');
    const alive: AdoptOrder = { record: record('web'), verdict: 'alive' };
    const { take, reports } = rig([service('web', 'sleep 300')], { pids: { web: second } }, { found: [alive] });
    expect(take().orders).toEqual([alive]);
    expect(reports.join('\n')).toContain(`a second copy that the other program started, pid ${second}, is left alone`);
  });

  test('what a dead shell left of a second copy is reported', async () => {
    const second = await started('sleep 303; true');
    const child = await childOf(second);
    process.kill(second, 'SIGKILL');
    await until('the shell is dead', () => readSuspect(second) === null);
    const { take, reports } = rig([service('web', 'sleep 303; true')], { pids: { web: second } }, { found: [{ record: record('web'), verdict: 'alive' }] });
    take();
    expect(reports.join('\n')).toContain(`a second copy that the other program started, pid ${child} (sleep 303), is left alone`);
    expect(readSuspect(child)).not.toBeNull();
  });
});

test('a foreign uid and a process that leads no group prove nothing', async () => {
  const pid = await started('sleep 300');
  const [claim, judge] = [{ pid, writtenWallMs: Date.now(), file: 'pid.xml' }, { spec: service('web', 'sleep 300'), environment: {}, uid }] as const;
  const suspect = (changes: Partial<Suspect>) => (asked: number): Suspect | null => {
    const seen = readSuspect(asked);
    return seen === null ? null : { ...seen, ...changes };
  };
  expect(prove(claim, judge).ok).toBe(true);
  expect(prove(claim, judge, suspect({ uid: uid + 1 }))).toMatchObject({ ok: false, plausible: false });
  expect(prove(claim, judge, suspect({ pgrp: 1 }))).toMatchObject({ ok: false, plausible: false });
  for (const none of [2 ** 22 + 1, 2 ** 32 - 1]) expect(prove({ ...claim, pid: none }, judge)).toEqual({ ok: false, plausible: false, why: 'there is no such process' });
});

test.each([0, 1, process.pid])('process %j is no service\'s, whatever it runs', async (pid) => {
  const seen = readSuspect(await started('sleep 300'));
  const look = (): Suspect | null => seen && { ...seen, pgrp: pid, identity: { ...seen.identity, pid } };
  const claim = { pid, writtenWallMs: Date.now(), file: 'pid.xml' } as const;
  expect(prove(claim, { spec: service('web', 'sleep 300'), environment: {}, uid }, look)).toEqual({ ok: false, plausible: false, why: 'no service can have it' });
});

test('what has died altogether is not looked for among all processes, however much of it is named', () => {
  const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);
  const pids = Object.fromEntries(names.map((name, index) => [name, 2 ** 22 + 1 + index]));
  const { take } = rig(names.map((name) => service(name, 'sleep 300')), { pids });
  const readdir = vi.spyOn(fs, 'readdirSync');
  onTestFinished(() => {
    readdir.mockRestore();
    syncBuiltinESMExports();
  });
  syncBuiltinESMExports();
  expect(take().orders).toEqual([]);
  expect(readdir.mock.calls.filter(([path]) => path === '/proc')).toEqual([]);
});

test.each([
  ['python3 -u web.py', ['sh', '-c', 'python3 -u web.py'], true],
  ['python3 -u web.py', ['/bin/sh', '-c', 'python3 -u other.py'], false],
  ['python3 -u web.py', ['python3', '-u', 'web.py'], true],
  ['python3 -u web.py', ['python3', '-u', 'web.py', '--more'], false],
  ['./run.sh a', ['/bin/sh', './run.sh', 'a'], true],
  ['run.sh a', ['/usr/bin/env', 'bash', '/opt/bin/run.sh', 'a'], true],
  ['run.sh a', ['vi', 'run.sh', 'a'], false],
  ['cd app && exec ./serve --port 1', ['./serve', '--port', '1'], true],
  ['PORT=1 serve >> log 2>&1', ['serve'], true],
  ['echo $HOME/x; sleep 1', ['sh', '-c', 'echo /home/me/x; sleep 1'], true],
  ['echo $HOME/x; sleep 1', ['sh', '-c', 'echo /root/x; sleep 1'], false],
  ['', [''], false],
])('%j may be seen as %j: %j', (command, argv, expected) => {
  expect(runs(argv, service('web', command), { HOME: '/home/me' })).toBe(expected);
});

describe('spawned children that another program left running', () => {
  const dynamic: Partial<ServiceSpec> = { spawn: { children: 9, depth: 9, descendants: 9, totalMemoryBytes: null, terminationPolicy: 'cascade' } };
  const recorded = (pid: number, parentPid: number, changes: Partial<SpawnRecord> = {}): SpawnRecord => ({
    pid, name: `job-${pid}`, command: 'sh -c sleep 400; true', startedAt: Math.floor((readSuspect(pid)?.startedWallMs ?? 0) / 1000), ttl: 60, depth: 1, parentPid, serviceHash: 'hash-web', ...changes,
  });

  test('go on with their service, under its token, nested as they were, their time running on', async () => {
    const [web, job, below] = [await started('sleep 300'), await started('sleep 400; true'), await started('sleep 400; true')];
    const { take, reports } = rig([service('web', 'sleep 300', dynamic)], {
      pids: { web }, states: { web: { status: 'running', pid: web } }, spawned: [recorded(below, job, { depth: 2, ttl: null }), recorded(job, web)],
    });
    const { children, orders } = take();
    const token = orders[0]?.record.process?.token;
    expect(children.map(({ identity, depth, order: { unit, token: theirs, ttlMs } }) => [identity?.pid, depth, unit, theirs, ttlMs])).toEqual([[job, 1, 'web', token, 60_000], [below, 2, 'web', token, null]]);
    expect(children.map(({ order }) => order.parent)).toEqual([null, children[0]?.id]);
    expect(children[0]?.startedAt).toBeLessThanOrEqual(7);
    expect(reports).toContain(`spawned process 'job-${job}' (pid ${job}) goes on with service 'web', taken over from pid.xml`);
  });

  test('are not taken twice: those that the ledger has stay its own, and what is below them goes on there', async () => {
    const [web, job, below] = [await started('sleep 300'), await started('sleep 400; true'), await started('sleep 400; true')];
    const files: Files = { pids: { web }, spawned: [recorded(job, web), recorded(below, job, { depth: 2 })] };
    const [first] = rig([service('web', 'sleep 300', dynamic)], files).take().children;
    const meta = new Map([[`child/${first?.id}`, first]]);
    const { children } = rig([service('web', 'sleep 300', dynamic)], files, { ledger: { meta, latest: () => null } }).take();
    expect(children.map(({ identity, order }) => [identity?.pid, order.parent])).toEqual([[below, first?.id]]);
  });

  test('are left alone and reported when they are not provably those, or their service is not dynamic or gone', async () => {
    const [web, job] = [await started('sleep 300'), await started('sleep 400; true')];
    const left = (spawned: readonly SpawnRecord[], changes: Partial<ServiceSpec> = dynamic, pids: Readonly<Record<string, number>> = { web }) => {
      const { take, reports } = rig([service('web', 'sleep 300', changes)], { pids, states: pids.web === undefined ? {} : { web: { status: 'running', pid: web } }, spawned });
      expect(take().children).toEqual([]);
      return reports.find((text) => text.startsWith('spawned process'));
    };
    expect(left([recorded(job, web, { command: 'sh -c other' })])).toMatch(/may be another one by now; it is left alone$/);
    expect(left([recorded(job, web, { startedAt: 1000 })])).toMatch(/may be another one by now/);
    expect(left([recorded(job, web)], {})).toMatch(/goes on without a service that could have it; it is left alone$/);
    expect(left([recorded(job, web)], dynamic, {})).toMatch(/goes on without a service/);
    expect(left([recorded(4_900_000, web)])).toBeUndefined();
    for (const other of [process.pid, web]) {
      expect(left([recorded(other, web, { command: readSuspect(other)?.argv.join(' ') ?? '' })])).toMatch(/may be another one by now; it is left alone$/);
    }
  });
});
