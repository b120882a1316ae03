import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findUser } from '../../src/process/accounts.ts';
import { isRoot, procField } from '../process/privileges-rig.ts';
import { bin, collect, isAlive, makeHome, soon, type Home } from './rig.ts';

const uidOf = (name: string): number => findUser(name)?.uid ?? NaN;
const realUid = (pid: number): number => Number(procField(pid, 'Uid').split(' ')[0]);

/** A home whose directory other users may enter; its state stays root's alone. */
function openHome(services: string): Home {
  const home = makeHome(`version: "1"\nservices:\n${services}`);
  chmodSync(home.dir, 0o755);
  return home;
}

async function runningPid(home: Home, unit: string): Promise<number> {
  const status = await home.until(unit, ({ process: found, phase }) => phase === 'running' && found != null, 'runs');
  return status.process?.pid ?? NaN;
}

describe.skipIf(!isRoot || process.platform !== 'linux')('units of other users (as root)', () => {
  test('a unit can open its own output again, and the files are its user\'s', async () => {
    const home = openHome(`  web:
    command: "echo one > /dev/stdout; echo two > /dev/stderr; echo three; exec sleep 1000"
    user: daemon
`);
    expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
    await soon('its output is logged', () => home.log('web').includes('one\nthree\n') && home.log('web', 'stderr').includes('two\n'));
    const log = statSync(join(home.state, 'logs', 'web_stdout.log'));
    expect([log.uid, log.mode & 0o777]).toEqual([uidOf('daemon'), 0o640]);
    expect(realUid(await runningPid(home, 'web'))).toBe(uidOf('daemon'));
  });

  test('a reload that names another user starts the unit as that one, with its own output', async () => {
    const services = (user: string) => `  web: {command: "id -un > /dev/stdout; exec sleep 1000", user: ${user}}\n`;
    const home = openHome(services('daemon'));
    await home.sysg('start', '--daemonize');
    await soon('it runs as daemon', () => home.log('web').includes('daemon\n'));
    home.configure(`version: "1"\nservices:\n${services('games')}`);
    expect(await home.sysg('restart')).toMatchObject({ code: 0 });
    await soon('it runs as games', () => home.log('web').includes('games\n'));
    expect(statSync(join(home.state, 'logs', 'web_stdout.log')).uid).toBe(uidOf('games'));
  });

  test('start --drop-privileges runs units that name no user as nobody', async () => {
    const home = openHome('  plain: {command: "sleep 1000"}\n  named: {command: "sleep 1000", user: daemon}\n');
    expect(await home.sysg('start', '--daemonize', '--drop-privileges')).toMatchObject({ code: 0 });
    expect(realUid(await runningPid(home, 'plain'))).toBe(uidOf('nobody'));
    expect(realUid(await runningPid(home, 'named'))).toBe(uidOf('daemon'));
  });

  test('an unknown user fails the start of its unit with a sentence, not the others', async () => {
    const home = openHome('  bad: {command: "sleep 1000", user: no-such-user}\n  good: {command: "sleep 1000"}\n');
    const started = await home.sysg('start', '--daemonize');
    expect(started.code).toBe(1);
    expect(started.stderr).toContain("Failed to configure privileges for service 'bad': user 'no-such-user' not found");
    expect(await runningPid(home, 'good')).toBeGreaterThan(0);
  });

  test('a unit in a pid namespace survives its supervisor, is taken over by its pid and ends at a stop', async () => {
    const home = openHome(`  web:
    command: "trap 'echo stopping; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    user: daemon
    isolation: {pid: true}
`);
    await home.sysg('start', '--daemonize');
    await soon('it is ready', () => home.log('web').includes('ready'));
    const pid = await runningPid(home, 'web');
    expect(procField(pid, 'NSpid')).toBe(`${pid} 1`);
    const before = home.supervisorPid();
    process.kill(before, 'SIGKILL');
    await soon('another supervisor runs', () => existsSync(join(home.state, 'sysg.pid')) && home.supervisorPid() !== before);
    expect(await runningPid(home, 'web')).toBe(pid);
    expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
    expect(isAlive(pid)).toBe(false);
    expect(home.log('web')).toContain('stopping');
  });

  test('limits of a control group hold, and the group is removed at the end, by a later supervisor too', async () => {
    const home = openHome('  web: {command: "sleep 1000", user: daemon, limits: {nofile: 77, cgroup: {root: /sys/fs/cgroup/sysg-e2e}}}\n');
    const started = await home.sysg('start', '--daemonize');
    if (started.stderr.includes('is not on a cgroup file system')) return expect(started.code).toBe(1);
    const pid = await runningPid(home, 'web');
    const [, group] = /:(\/sysg-e2e\/[0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
    expect(group).toBeDefined();
    const mountPoints = [...readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/^\S+ \S+ \S+ \S+ (\S+).* - cgroup2? /gm)].map(([, path]) => path ?? '');
    const directories = mountPoints.map((mountPoint) => join(mountPoint, group ?? '')).filter((path) => existsSync(path));
    expect(directories).not.toEqual([]);
    const before = home.supervisorPid();
    process.kill(before, 'SIGKILL');
    await soon('another supervisor serves', async () => home.supervisorPid() !== before && (await home.status().catch(() => null)) !== null);
    expect(await runningPid(home, 'web')).toBe(pid);
    await home.sysg('stop');
    await soon('the group is gone', () => directories.every((path) => !existsSync(path)));
    for (const directory of directories) rmdirSync(dirname(directory));
  });

  test('a spawned child has its service\'s ids, groups, capabilities, limits, niceness, CPUs and control group, and can open its output again', async () => {
    const cgroup = '{root: /sys/fs/cgroup/sysg-e2e-spawn}';
    const service = (limits: string): string => `  orch:
    command: "exec sleep 1000"
    user: daemon
    supplementary_groups: [mail]
    capabilities: [CAP_NET_BIND_SERVICE]
    limits: {nofile: 77, memlock: 64K, nice: 3, cpu_affinity: [0]${limits}}
    spawn: {mode: dynamic}
`;
    const home = openHome(service(`, cgroup: ${cgroup}`));
    const started = await home.sysg('start', '--daemonize');
    const hasGroups = !started.stderr.includes('is not on a cgroup file system');
    if (!hasGroups) {
      home.configure(`version: "1"\nservices:\n${service('')}`);
      await home.sysg('restart');
    }
    const parent = await runningPid(home, 'orch');
    const script = 'echo one; echo two > /dev/stdout; echo three > /dev/stderr; exec sleep 1001';
    const pid = Number((await home.sysg('start', '--parent-pid', String(parent), '--name', 'kid', '--', 'sh', '-c', script)).stdout);
    await soon('it became sleep', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    const fields = ['Uid', 'Gid', 'Groups', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'Cpus_allowed_list'];
    const facts = (of: number): unknown => [
      fields.map((name) => procField(of, name)), readFileSync(`/proc/${of}/limits`, 'utf8'),
      // Of the hierarchy that only marks whose a process is, each has a group of its own.
      readFileSync(`/proc/${of}/cgroup`, 'utf8').replaceAll(/\/sysg-unit\.[^\n/]*/g, '/mark'), readFileSync(`/proc/${of}/stat`, 'latin1').split(') ')[1]?.split(' ')[16],
    ];
    expect(facts(pid)).toEqual(facts(parent));
    expect([realUid(pid), procField(pid, 'CapEff'), procField(pid, 'Groups').split(' ').length]).toEqual([uidOf('daemon'), '0000000000000400', 2]);
    if (hasGroups) expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain('/sysg-e2e-spawn/');
    const file = (stream: string): string => join(home.state, 'logs/spawn', `orch_kid_${pid}_${stream}.log`);
    await soon('its output is there', () => existsSync(file('stderr')) && existsSync(file('stdout')) && readFileSync(file('stdout'), 'utf8') === 'one\ntwo\n' && readFileSync(file('stderr'), 'utf8') !== '');
    expect(readFileSync(file('stderr'), 'utf8')).toBe('three\n');
    expect([statSync(file('stdout')).uid, statSync(file('stdout')).mode & 0o777]).toEqual([uidOf('daemon'), 0o640]);
    const mountPoints = [...readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/^\S+ \S+ \S+ \S+ (\S+).* - cgroup2? /gm)].map(([, path]) => join(path ?? '', 'sysg-e2e-spawn'));
    await home.sysg('stop');
    for (const directory of mountPoints) if (existsSync(directory)) rmdirSync(directory);
  });

  test('with --drop-privileges a child of a service that names no user is nobody\'s too', async () => {
    const home = openHome('  orch: {command: "exec sleep 1000", spawn: {mode: dynamic}}\n');
    expect(await home.sysg('start', '--daemonize', '--drop-privileges')).toMatchObject({ code: 0 });
    const pid = Number((await home.sysg('start', '--parent-pid', String(await runningPid(home, 'orch')), '--', 'sleep', '1000')).stdout);
    await soon('it became sleep', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    expect([realUid(pid), procField(pid, 'CapEff')]).toEqual([uidOf('nobody'), '0000000000000000']);
  });
});

describe.skipIf(!isRoot || process.platform !== 'linux')('a supervisor of the system', () => {
  test('obeys no configuration and no env file that others may change, and says which place is open', async () => {
    const home = makeHome('version: "1"\nenv: {file: .env}\nservices:\n  a: {command: "sleep 100000"}\n');
    const envFile = join(home.dir, '.env');
    writeFileSync(envFile, 'A=1\n');
    // The places of the system are hidden behind empty ones, which nobody else sees.
    const script = `mount -t tmpfs none /var/lib && mount -t tmpfs none /var/log && "$0" --sys start --daemonize -c "$1" && "$0" --sys reload && chmod 666 "$1"; "$0" --sys reload; "$0" --sys stop`;
    const attempt = () => collect(spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, bin, home.config], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
    const open = (path: string) => `${path}: everybody may write to it (mode 666), expected root alone, whose supervisor obeys it; try: chmod go-w ${path}`;

    const ended = await attempt();
    expect(ended.stdout).toMatch(/^Configuration reloaded/m);
    expect(ended.stderr).toContain(open(home.config));
    expect(ended.stdout).toMatch(/^Supervisor shutting down/m);
    expect((await attempt()).stderr).toContain(open(home.config));
    chmodSync(home.config, 0o644);
    chmodSync(envFile, 0o666);
    const refused = await attempt();
    expect(refused.stderr).toContain(open(envFile));
    expect(refused.stdout).not.toMatch(/reloaded/);
  });
});
