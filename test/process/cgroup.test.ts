import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hierarchiesIn, killedForMemory, planCgroup, rememberCgroups, removeEmptyCgroups, type Hierarchy } from '../../src/process/cgroup.ts';
import { makeRig } from '../actors/process-rig.ts';
import { isRoot, privileged } from './privileges-rig.ts';
import { until } from '../until.ts';

const unified: Hierarchy = { mountPoint: '/sys/fs/cgroup', version: 2, controllers: ['cpu', 'memory', 'pids'] };
const hybrid: readonly Hierarchy[] = [
  { mountPoint: '/sys/fs/cgroup/cpu', version: 1, controllers: ['rw', 'cpu', 'cpuacct'] },
  { mountPoint: '/sys/fs/cgroup/memory', version: 1, controllers: ['rw', 'memory'] },
  { mountPoint: '/sys/fs/cgroup/unified', version: 2, controllers: [] },
];
const all = { root: '/sys/fs/cgroup/systemg', memoryMax: '64MB', cpuMax: '50000 200000', cpuWeight: 50 };

function plan(limits: Parameters<typeof planCgroup>[0], hierarchies: readonly Hierarchy[]): readonly string[] | string {
  const planned = planCgroup(limits, 'f00d', hierarchies);
  return planned.ok ? planned.settings.map(({ directory, file, value }) => `${directory}/${file} = ${value}`) : planned.reason;
}

describe('where the limits of a control group go', () => {
  test('the files of version 2 under the root', () => {
    expect(plan(all, [unified])).toEqual([
      '/sys/fs/cgroup/systemg/f00d/memory.max = 64M', '/sys/fs/cgroup/systemg/f00d/cpu.max = 50000 200000', '/sys/fs/cgroup/systemg/f00d/cpu.weight = 50',
    ]);
  });

  test('where version 2 is mounted without controllers, those of version 1', () => {
    expect(plan(all, hybrid)).toEqual([
      '/sys/fs/cgroup/memory/systemg/f00d/memory.limit_in_bytes = 64M',
      '/sys/fs/cgroup/cpu/systemg/f00d/cpu.cfs_period_us = 200000', '/sys/fs/cgroup/cpu/systemg/f00d/cpu.cfs_quota_us = 50000',
      '/sys/fs/cgroup/cpu/systemg/f00d/cpu.shares = 512',
    ]);
    expect(plan({ root: all.root, memoryMax: 'max', cpuMax: 'max' }, hybrid)).toEqual([
      '/sys/fs/cgroup/memory/systemg/f00d/memory.limit_in_bytes = -1',
      '/sys/fs/cgroup/cpu/systemg/f00d/cpu.cfs_period_us = 100000', '/sys/fs/cgroup/cpu/systemg/f00d/cpu.cfs_quota_us = -1',
    ]);
  });

  test('a controller of version 2 comes before the same one of version 1', () => {
    const both = [...hybrid.slice(0, 2), { mountPoint: '/sys/fs/cgroup/unified', version: 2 as const, controllers: ['memory'] }];
    expect(plan({ root: '/sys/fs/cgroup/a/b', memoryMax: '1G' }, both)).toEqual(['/sys/fs/cgroup/unified/a/b/f00d/memory.max = 1G']);
  });

  test('a limit that no hierarchy has a controller for is refused, and a root elsewhere', () => {
    expect(plan(all, [{ ...unified, controllers: ['pids'] }])).toContain('memory.max needs the memory controller');
    expect(plan({ ...all, root: '/var/lib/groups' }, [unified])).toBe('limits.cgroup.root "/var/lib/groups" is not on a cgroup file system');
    expect(plan(all, [])).toContain('is not on a cgroup file system');
    expect(plan({ ...all, root: '/sys/fs/cgroup-not' }, [unified])).toContain('is not on a cgroup file system');
  });
});

test('hierarchies are read from mountinfo', () => {
  const text = [
    '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct',
    String.raw`41 31 0:38 / /mnt/my\040groups rw,relatime - cgroup2 cgroup2 rw`, '',
  ].join('\n');
  expect(hierarchiesIn(text, (mountPoint) => [`of ${mountPoint}`])).toEqual([
    { mountPoint: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['rw', 'cpu', 'cpuacct'] },
    { mountPoint: '/mnt/my groups', version: 2, controllers: ['of /mnt/my groups'] },
  ]);
});

const mounted = process.platform === 'linux'
  ? hierarchiesIn(readFileSync('/proc/self/mountinfo', 'utf8'), (mountPoint) => readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').trim().split(' '))
  : [];
const memory = mounted.find(({ version, controllers }) => version === 1 && controllers.includes('memory'));

describe.skipIf(!isRoot || mounted.length === 0)('a real control group (as root, where cgroups are mounted)', () => {
  const hash = `test${process.pid}`;
  const root = '/sys/fs/cgroup/sysg-test';
  const cleared = () => onTestFinished(() => {
    removeEmptyCgroups();
    for (const { mountPoint } of mounted) if (existsSync(join(mountPoint, 'sysg-test')) && subgroups(join(mountPoint, 'sysg-test')) === 0) rmdirSync(join(mountPoint, 'sysg-test'));
  });

  test('the process and what it starts are in it from the first instruction, as another user too, and it goes when they are gone', async () => {
    cleared();
    const rig = makeRig();
    onTestFinished(() => rig.close());
    const [{ mountPoint = '' } = {}] = mounted;
    const former = join(mountPoint, 'sysg-test', 'of-a-former-definition');
    mkdirSync(former, { recursive: true });
    const noted: string[] = [];
    rememberCgroups([], [former], (directories) => noted.push(...directories));
    const run = rig.run(['/bin/sh', '-c', 'sleep 1000 & exec sleep 1000'], { hash, workingDir: '/', ...privileged({ user: 'daemon', limits: { cgroup: { root } } }) });
    const { pid } = await run.spawned();
    const inGroup = (of: number) => readFileSync(`/proc/${of}/cgroup`, 'utf8').includes(`/sysg-test/${hash}`);
    const child = await until('the program has started another', () => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()) || null);
    expect([inGroup(pid), inGroup(child)]).toEqual([true, true]);
    const directory = mounted.map(({ mountPoint }) => join(mountPoint, 'sysg-test', hash)).find((path) => existsSync(path)) ?? '';
    expect(noted).toEqual([former, directory]);
    removeEmptyCgroups();
    expect([existsSync(directory), existsSync(former)]).toEqual([true, false]);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    removeEmptyCgroups();
    expect(existsSync(directory)).toBe(false);
  });

  test.skipIf(memory === undefined)('a memory limit is in force (version 1 mounted)', async () => {
    cleared();
    const rig = makeRig();
    onTestFinished(() => rig.close());
    const limited = privileged({ limits: { cgroup: { root, memoryMax: '64M' } } });
    const run = rig.run(['/bin/sleep', '1000'], { hash, ...limited });
    const { pid } = await run.spawned();
    const directory = join(memory?.mountPoint ?? '', 'sysg-test', hash);
    expect(readFileSync(join(directory, 'memory.limit_in_bytes'), 'utf8')).toBe(`${64 * 1024 * 1024}\n`);
    await until('the process is in the group', () => readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').includes(String(pid)));
    run.order({ type: 'kill' });
    await run.report('process.gone');
  });

  test.skipIf(memory === undefined)('what the kernel kills for the limit is counted', async () => {
    cleared();
    const rig = makeRig();
    onTestFinished(() => rig.close());
    const cgroup = { root, memoryMax: '16M' };
    expect(killedForMemory(cgroup, hash)).toBe(0);
    const directory = join(memory?.mountPoint ?? '', 'sysg-test', hash);
    mkdirSync(directory, { recursive: true });
    // Else the kernel moves to swap what is above the limit.
    writeFileSync(join(directory, 'memory.swappiness'), '0');
    const run = rig.run([process.execPath, '-e', 'Buffer.alloc(200e6, 1)'], { hash, workingDir: '/', ...privileged({ limits: { cgroup } }) });
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(killedForMemory(cgroup, hash)).toBe(1);
    expect([killedForMemory({ root }, hash), killedForMemory(undefined, hash)]).toEqual([0, 0]);
    run.order({ type: 'kill' });
    await run.report('process.gone');
  });

  test('a value that the kernel does not take is refused', async () => {
    cleared();
    const rig = makeRig();
    onTestFinished(() => rig.close());
    const refused = privileged({ limits: { cgroup: { root, cpuMax: '1 1' } } });
    const { reason } = await rig.run(['/bin/sleep', '1000'], { hash, ...refused }).report('process.refused');
    expect(reason).toMatch(/limits\.cgroup: ("1" cannot be set in .+cpu|"1 1" cannot be set in .+cpu\.max|cpu\.max needs the cpu controller)/);
  });
});

function subgroups(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length;
}
