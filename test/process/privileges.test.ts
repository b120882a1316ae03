import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findGroup, findUser, groupsOf } from '../../src/process/accounts.ts';
import { findChild } from '../../src/process/children.ts';
import { isAlive } from '../../src/process/identity.ts';
import { limitIn } from '../../src/process/limits.ts';
import { confine } from '../../src/process/privileges.ts';
import { mountWrapping } from '../../src/process/sandbox.ts';
import type { PrivilegeSpec } from '../../machines/types.ts';
import { makeRig, type Rig } from '../actors/process-rig.ts';
import { capabilitySets, isRoot, privileged, procField } from './privileges-rig.ts';
import { until } from '../until.ts';

// Ids, capabilities and namespaces can be given by root only; as another user `refusals.test.ts` says what is refused.
const rootOnly = (title: string, body: () => void) => describe.skipIf(!isRoot || process.platform !== 'linux')(`${title} (as root on Linux)`, body);

let rig: Rig;
beforeEach(() => {
  rig = makeRig();
  // The directory is another user's to work in.
  chmodSync(rig.dir, 0o755);
});
afterEach(() => rig.close());

const sleeps = ['/bin/sleep', '1000'];
const byNumber = (one: number, other: number) => one - other;
const groupsById = (name: string) => execFileSync('id', ['-G', '--', name], { encoding: 'utf8' }).trim().split(' ').map(Number).toSorted(byNumber);
const account = (name: string) => {
  const found = findUser(name);
  if (found === null) throw new Error(`this machine has no ${name}`);
  return found;
};

rootOnly('the user of a unit, seen in /proc of its process', () => {
  test('has its ids, its primary group, no other group and no capability', async () => {
    const { uid, gid } = account('daemon');
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon' })).spawned();
    await settled(pid);
    expect(procField(pid, 'Uid')).toBe(`${uid} ${uid} ${uid} ${uid}`);
    expect(procField(pid, 'Gid')).toBe(`${gid} ${gid} ${gid} ${gid}`);
    expect(procField(pid, 'Groups')).toBe(String(gid));
    expect(capabilitySets(pid)).toMatchObject({ CapInh: 0n, CapPrm: 0n, CapEff: 0n, CapAmb: 0n });
  });

  test('keeps no group and no inheritable capability that the supervisor was started with', () => {
    const confined = confine({ service: 'unit', hash: '', ...privileged({ user: 'daemon' }), dropPrivileges: false, softNofile: null, searchPath: process.env['PATH'] });
    if (!confined.ok) throw new Error(confined.reason);
    const begun = ['--groups=4,24', '--inh-caps=+chown', '--ambient-caps=+chown', '--'];
    const status = execFileSync('setpriv', [...begun, ...confined.prefix, 'cat', '/proc/self/status'], { encoding: 'utf8' });
    expect(status).toMatch(new RegExp(`^Groups:\\s*${account('daemon').gid}\\s*$`, 'm'));
    expect(status).toMatch(/^CapInh:\s*0+$/m);
    expect(status).toMatch(/^CapEff:\s*0+$/m);
  });

  test('that names a group alone keeps none of the supervisor\'s either', () => {
    const confined = confine({ service: 'unit', hash: '', ...privileged({ group: 'mail' }), dropPrivileges: false, softNofile: null, searchPath: process.env['PATH'] });
    if (!confined.ok) throw new Error(confined.reason);
    const status = execFileSync('setpriv', ['--groups=4,24', '--', ...confined.prefix, 'cat', '/proc/self/status'], { encoding: 'utf8' });
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(new RegExp(`^Gid:\\s*${findGroup('mail')}\\s`, 'm'));
  });

  test('is in the groups of its account, as id(1) lists them', () => {
    const accounts = readFileSync('/etc/passwd', 'utf8').split('\n').flatMap((line) => findUser(line.split(':')[0] ?? '') ?? []);
    for (const found of accounts) expect([found.name, [...groupsOf(found, found.gid)].toSorted(byNumber)]).toEqual([found.name, groupsById(found.name)]);
  });

  test('of an account in several groups is in all of them, unless its groups are listed', async () => {
    const member = readFileSync('/etc/group', 'utf8').split('\n').map((line) => line.split(':')[3] ?? '').find((members) => members !== '')?.split(',')[0];
    if (member === undefined) return;
    const groups = async (changes: Parameters<typeof privileged>[0]) => {
      const { pid } = await rig.run(sleeps, privileged({ user: member, ...changes })).spawned();
      await settled(pid);
      return procField(pid, 'Groups').split(' ').map(Number);
    };
    expect(await groups({})).toEqual(groupsById(member));
    expect(groupsById(member).length).toBeGreaterThan(1);
    expect(await groups({ group: 'mail' })).toEqual([...groupsById(member).filter((id) => id !== account(member).gid), Number(findGroup('mail'))].toSorted(byNumber));
    expect(await groups({ supplementaryGroups: [] })).toEqual([account(member).gid]);
  });

  test('a group and supplementary groups take the place of those of the account', async () => {
    const [mail, news] = [findGroup('mail'), findGroup('news')];
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon', group: 'mail', supplementaryGroups: ['news', 'news'] })).spawned();
    await settled(pid);
    expect(procField(pid, 'Gid')).toBe(`${mail} ${mail} ${mail} ${mail}`);
    expect(procField(pid, 'Groups').split(' ').map(Number)).toEqual([mail, news].toSorted((a, b) => Number(a) - Number(b)));
  });

  test('a group alone changes no user', async () => {
    const { pid } = await rig.run(sleeps, privileged({ group: 'mail' })).spawned();
    await settled(pid);
    expect(procField(pid, 'Uid')).toBe('0 0 0 0');
    expect(procField(pid, 'Gid').split(' ')[0]).toBe(String(findGroup('mail')));
    expect(procField(pid, 'Groups')).toBe('');
  });

  test('is at home where passwd says, whatever its variables say', async () => {
    const run = rig.run(['/bin/sh', '-c', 'echo "at $HOME $USER $LOGNAME $SHELL"; exec sleep 1000'], { ...privileged({ user: 'daemon' }), env: { HOME: '/elsewhere', SHELL: '/bin/x' } });
    const { home, shell } = account('daemon');
    expect(await run.line('at')).toBe(`${home} daemon daemon ${shell}`);
  });

  test('runs its pre_start and its skip too', async () => {
    const changes = { ...privileged({ user: 'daemon' }), preStart: 'echo "prepared by $(id -un) at $HOME"', skip: 'echo "skipped by $(id -un)"' };
    expect(await rig.run(sleeps, changes, { role: 'pre_start' }).line('prepared')).toBe(`by daemon at ${account('daemon').home}`);
    expect(await rig.run(sleeps, changes, { role: 'skip' }).line('skipped')).toBe('by daemon');
  });

  test('with dropped privileges a unit that names no user is nobody\'s, one that does is not', async () => {
    await rig.close();
    rig = makeRig({ dropPrivileges: true });
    chmodSync(rig.dir, 0o755);
    const { pid } = await rig.run(sleeps).spawned();
    const other = await rig.run(sleeps, privileged({ user: 'daemon' })).spawned();
    await settled(pid);
    await settled(other.pid);
    expect(procField(pid, 'Uid').split(' ')[0]).toBe(String(account('nobody').uid));
    expect(procField(other.pid, 'Uid').split(' ')[0]).toBe(String(account('daemon').uid));
  });

  test('an unknown user, group or supplementary group is refused by its name', async () => {
    const reason = async (changes: Parameters<typeof privileged>[0]) => (await rig.run(sleeps, privileged(changes)).report('process.refused')).reason;
    const prefix = "Failed to configure privileges for service 'unit': ";
    expect(await reason({ user: 'no-such-user' })).toBe(`${prefix}user 'no-such-user' not found`);
    expect(await reason({ user: '0' })).toBe(`${prefix}user '0' not found`);
    expect(await reason({ group: 'no-such-group' })).toBe(`${prefix}group 'no-such-group' not found`);
    expect(await reason({ user: 'daemon', supplementaryGroups: ['mail', 'no-such'] })).toBe(`${prefix}supplementary group 'no-such' not found`);
  });

  test('a program or a directory that the user cannot reach is refused, though root could', async () => {
    const closed = join(rig.dir, 'closed');
    mkdirSync(closed, { mode: 0o700 });
    writeFileSync(join(closed, 'tool'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
    const refused = async (argv: readonly string[], changes = {}) => (await rig.run(argv, { ...privileged({ user: 'daemon' }), ...changes }).report('process.refused')).reason;
    expect(await refused([join(closed, 'tool')])).toContain(`program "${join(closed, 'tool')}" cannot be executed by user 'daemon'`);
    expect(await refused([], { launch: { kind: 'exec', argv: ['tool'] }, env: { PATH: closed } })).toContain(`program "tool" was not found on PATH (${closed}) by user 'daemon'`);
    expect(await refused(sleeps, { workingDir: closed })).toContain(`working directory "${closed}" cannot be entered by user 'daemon'`);
  });

  test('on PATH the first program counts that the user can execute', async () => {
    const [closed, open] = [join(rig.dir, 'closed'), join(rig.dir, 'open')];
    for (const [directory, mode] of [[closed, 0o700], [open, 0o755]] as const) {
      mkdirSync(directory, { mode });
      writeFileSync(join(directory, 'tool'), `#!/bin/sh\necho "from ${directory}"\nexec /bin/sleep 1000\n`, { mode: 0o755 });
    }
    const run = rig.run([], { ...privileged({ user: 'daemon' }), launch: { kind: 'exec', argv: ['tool'] }, env: { PATH: `${closed}:${open}:/bin` } });
    expect(await run.line('from')).toBe(open);
  });
});

rootOnly('capabilities', () => {
  const netBindService = 1n << 10n;

  test('a user holds exactly those listed, in every set', async () => {
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon', capabilities: ['CAP_NET_BIND_SERVICE'] })).spawned();
    await settled(pid);
    expect(procField(pid, 'NoNewPrivs')).toBe('1');
    expect(procField(pid, 'Uid').split(' ')[1]).toBe(String(account('daemon').uid));
    expect(capabilitySets(pid)).toEqual({ CapInh: netBindService, CapPrm: netBindService, CapEff: netBindService, CapBnd: netBindService, CapAmb: netBindService });
  });

  test('root holds no other than those listed', async () => {
    const { pid } = await rig.run(sleeps, privileged({ capabilities: ['CAP_NET_BIND_SERVICE', 'CAP_NET_BIND_SERVICE', 'CAP_CHOWN'] })).spawned();
    await settled(pid);
    expect(procField(pid, 'NoNewPrivs')).toBe('1');
    expect(capabilitySets(pid)['CapEff']).toBe(netBindService | 1n);
    expect(capabilitySets(pid)['CapBnd']).toBe(netBindService | 1n);
  });

  test('one that the supervisor does not have itself is refused', async () => {
    await rig.close();
    const { CapBnd = 0n } = capabilitySets(process.pid);
    const lacking = [['CAP_SYS_RESOURCE', 24n], ['CAP_SYS_TIME', 25n], ['CAP_SYS_MODULE', 16n]] as const;
    const one = lacking.find(([, bit]) => ((CapBnd >> bit) & 1n) === 0n);
    rig = makeRig();
    if (one === undefined) {
      const { pid } = await rig.run(sleeps, privileged({ capabilities: ['CAP_SYS_RESOURCE'] })).spawned();
      await settled(pid);
      return expect(capabilitySets(pid)['CapEff']).toBe(1n << 24n);
    }
    const { reason } = await rig.run(sleeps, privileged({ capabilities: [one[0], 'CAP_CHOWN'] })).report('process.refused');
    expect(reason).toMatch(/^Failed to configure privileges for service 'unit': /);
  });
});

describe('limits, seen in /proc of the process', () => {
  test('soft and hard limits, niceness and CPUs are those asked for, and the token is kept', async () => {
    const run = rig.run(sleeps, privileged({ limits: { nofile: 100, nproc: 5000, memlock: 65_536, nice: getPriority() + 3, cpuAffinity: [0] } }));
    const { pid } = await run.spawned();
    await settled(pid);
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');
    expect(limitIn(limits, 'nofile')).toEqual({ soft: 100, hard: 100 });
    expect(limitIn(limits, 'nproc')).toEqual({ soft: 5000, hard: 5000 });
    expect(limitIn(limits, 'memlock')).toEqual({ soft: 65_536, hard: 65_536 });
    expect(getPriority(pid)).toBe(getPriority() + 3);
    expect(procField(pid, 'Cpus_allowed_list')).toBe('0');
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toContain(`SYSG_INSTANCE=${run.token}`);
  });

  test('a CPU that is not there is refused', async () => {
    const { reason } = await rig.run(sleeps, privileged({ limits: { cpuAffinity: [1023] } })).report('process.refused');
    expect(reason).toMatch(/: limits\.cpu_affinity is \[1023\], and this machine gives it none of these CPUs \(taskset: .+\)$/);
  });

  test('a unit that is called off while it is tried out is not started', async () => {
    const run = rig.run(['/bin/sh', '-c', 'echo ran > ran'], privileged({ limits: { nofile: 99 } }));
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    const later = rig.run(sleeps, privileged({ limits: { nofile: 99 } }));
    await later.spawned();
    expect(run.types()).toEqual(['process.gone']);
    expect(existsSync(join(rig.dir, 'ran'))).toBe(false);
  });
});

rootOnly('a sandbox', () => {
  const sandboxed = (changes: Partial<NonNullable<PrivilegeSpec['sandbox']>>, more: Parameters<typeof privileged>[0] = {}) => ({
    ...privileged({ ...more, sandbox: { noNewPrivileges: false, readOnlyRoot: false, privateTmp: false, writable: [], ...changes } }), workingDir: '/',
  });
  /** Which of the places the unit can write to. */
  const attempt = async (unit: ReturnType<typeof sandboxed>, places: readonly string[]): Promise<string> => {
    const script = `written=; for place; do if echo x 2>/dev/null >"$place/sandbox-probe"; then written="$written $place"; rm "$place/sandbox-probe"; fi; done; echo "wrote:$written"; exec sleep 1000`;
    const run = rig.run([], { ...unit, launch: { kind: 'exec', argv: ['/bin/sh', '-c', script, 'sh', ...places] } });
    return run.line('wrote:');
  };

  test('with no_new_privs gains nothing from setuid programs, as root and as another user', async () => {
    for (const more of [{}, { user: 'daemon' }]) {
      const { pid } = await rig.run(sleeps, sandboxed({ noNewPrivileges: true }, more)).spawned();
      await settled(pid);
      expect(procField(pid, 'NoNewPrivs')).toBe('1');
      await rig.close();
      rig = makeRig();
    }
  });

  test('with read_only_root writes to what is named alone, whatever blanks are in its name, and changes nothing outside', async () => {
    const open = join(rig.dir, 'with blank 2');
    mkdirSync(open);
    const places = ['/', '/usr', '/var/tmp', rig.dir, open];
    expect(await attempt(sandboxed({ readOnlyRoot: true, writable: [open] }), places)).toBe(open);
    await rig.close();
    rig = makeRig();
    writeFileSync(join(rig.dir, 'probe'), '');
  });

  test('with private_tmp sees an empty /tmp of its own, which nobody else sees', async () => {
    const mine = `/tmp/${basename(rig.dir)}-mine`;
    const run = rig.run([], { ...sandboxed({ privateTmp: true }, { user: 'daemon' }), launch: { kind: 'exec', argv: ['/bin/sh', '-c', `echo "seen:$(ls -A /tmp /var/tmp | tr -d "\\n")"; echo x >${mine}; exec sleep 1000`] } });
    expect(await run.line('seen:')).toBe('/tmp:/var/tmp:');
    const { pid } = await run.spawned();
    await until('it has written', () => existsSync(`/proc/${pid}/root${mine}`));
    expect(existsSync(mine)).toBe(false);
    expect(procField(pid, 'CapEff')).toMatch(/^0+$/);
  });

  test('that cannot be had is refused: a directory that is to stay writable and is not there', async () => {
    const { reason } = await rig.run(sleeps, sandboxed({ readOnlyRoot: true, writable: ['/no/such/directory'] })).report('process.refused');
    expect(reason).toMatch(/^Failed to configure privileges for service 'unit': mount: .*\/no\/such\/directory/);
  });

  test('with a file system that cannot be closed runs nothing: one that is hidden behind another', () => {
    const sandbox = { noNewPrivileges: false, readOnlyRoot: true, privateTmp: false, writable: [] };
    const wrapping = mountWrapping(sandbox, process.env['PATH']);
    if (!wrapping.ok) throw new Error(wrapping.reason);
    mkdirSync(join(rig.dir, 'over/under'), { recursive: true });
    const inside = (hide: string) => spawnSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', `${hide}\nexec "$@"`, rig.dir, ...wrapping.prefix, 'echo', 'ran'], { encoding: 'utf8' });
    expect(inside('')).toMatchObject({ status: 0, stdout: 'ran\n' });
    const refused = inside('mount -t tmpfs none "$0/over/under"; mount -t tmpfs none "$0/over"');
    expect(refused).toMatchObject({ stdout: '', stderr: expect.stringContaining('over/under') });
    expect(refused.status).toBeGreaterThan(0);
  });
});

rootOnly('namespaces', () => {
  const namespace = (pid: number | 'self', kind: string) => readlinkSync(`/proc/${pid}/ns/${kind}`);

  test.each([['network', 'net'], ['mount', 'mnt']] as const)('isolation.%s gives one of its own and no other', async (kind, file) => {
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon', isolation: { [kind]: true } })).spawned();
    await settled(pid);
    const differing = ['net', 'mnt', 'pid', 'user', 'ipc', 'uts'].filter((name) => namespace(pid, name) !== namespace('self', name));
    expect(differing).toEqual([file]);
  });

  test('no mount leaves a mount namespace, and none comes in', async () => {
    const { pid } = await rig.run(sleeps, privileged({ isolation: { mount: true } })).spawned();
    await settled(pid);
    expect(readFileSync(`/proc/${pid}/mountinfo`, 'utf8')).not.toMatch(/ (shared|master):/);
  });

  test('isolation.user maps the user and the group of the unit to themselves', async () => {
    const { uid, gid } = account('daemon');
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon', isolation: { user: true, network: true } })).spawned();
    await settled(pid);
    expect(namespace(pid, 'user')).not.toBe(namespace('self', 'user'));
    expect(namespace(pid, 'net')).not.toBe(namespace('self', 'net'));
    expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual([`${uid}`, `${uid}`, '1']);
    expect(readFileSync(`/proc/${pid}/gid_map`, 'utf8').trim().split(/\s+/)).toEqual([`${gid}`, `${gid}`, '1']);
    expect(capabilitySets(pid)['CapEff']).toBe(0n);
  });

  test('capabilities in a user namespace are those listed, and hold there', async () => {
    const { pid } = await rig.run(sleeps, privileged({ user: 'daemon', capabilities: ['CAP_NET_ADMIN'], isolation: { user: true, network: true } })).spawned();
    await settled(pid);
    expect(capabilitySets(pid)['CapEff']).toBe(1n << 12n);
    expect(namespace(pid, 'user')).not.toBe(namespace('self', 'user'));
  });
});

rootOnly('a pid namespace', () => {
  const isolated = privileged({ user: 'daemon', isolation: { pid: true } });
  const answers = ['/bin/sh', '-c', `trap 'echo got TERM; exit 7' TERM; trap 'echo got USR1' USR1; echo ready; while :; do sleep 0.05; done`];

  test('its first process is the program itself, and the recorded pid is its own', async () => {
    const run = rig.run(answers, isolated);
    const { pid } = await run.spawned();
    expect(procField(pid, 'NSpid')).toBe(`${pid} 1`);
    await settled(pid, 'sh');
    await run.line('ready');
    run.order({ type: 'signal', signal: 'SIGUSR1' });
    expect(await run.line('got')).toBe('USR1');
  });

  test('a stop reaches the program, and its exit code is known', async () => {
    const run = rig.run(answers, isolated);
    const leader = await run.spawned();
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    expect((await run.report('process.exited')).exit).toEqual({ code: 7, signal: null });
    await run.report('process.gone');
    expect(run.output()).toContain('got TERM');
    expect(isAlive(leader)).toBe(false);
  });

  test('a program that ends at once is seen to', async () => {
    const run = rig.run(['/bin/sh', '-c', 'exit 5'], isolated);
    expect((await run.report('process.exited')).exit).toEqual({ code: 5, signal: null });
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(run.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
  });

  test('SIGKILL ends what ignores all else, with everything in the namespace', async () => {
    const run = rig.run(['/bin/sh', '-c', `trap '' TERM; setsid sleep 1000 & echo ready; wait`], isolated);
    const leader = await run.spawned();
    await run.line('ready');
    run.order({ type: 'kill' });
    // unshare(1) before 2.39 cannot end by SIGKILL itself and says 1.
    expect([{ code: null, signal: 'SIGKILL' }, { code: 1, signal: null }]).toContainEqual((await run.report('process.exited')).exit);
    await run.report('process.gone');
    expect(isAlive(leader)).toBe(false);
  });

  test('the program dies with its parent in the outer namespace', async () => {
    const run = rig.run(answers, isolated);
    const leader = await run.spawned();
    await run.line('ready');
    process.kill(Number(procField(leader.pid, 'PPid')), 'SIGKILL');
    await run.report('process.exited');
    await until('the program has ended', () => !isAlive(leader));
  });

  test('a program that outlives its parent is not taken for gone', async () => {
    // prctl(2): its own change of user makes it forget that it was to die with its parent.
    const run = rig.run(['/usr/bin/setpriv', '--reuid=1', '--clear-groups', '/bin/sleep', '1000'], privileged({ isolation: { pid: true } }));
    const leader = await run.spawned();
    expect(findChild(leader)?.isOwn).toBe(false);
    await settled(leader.pid);
    process.kill(Number(procField(leader.pid, 'PPid')), 'SIGKILL');
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(leader)).toBe(true);
    run.order({ type: 'clear', signal: 'SIGTERM' });
    // The first process of a pid namespace has no default actions: only SIGKILL ends it.
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(leader)).toBe(false);
  });

  test('with a mount namespace too, /proc shows its own processes only', async () => {
    const run = rig.run(['/bin/sh', '-c', 'echo "sees" /proc/[0-9]*; exec sleep 1000'], privileged({ isolation: { pid: true, mount: true } }));
    expect(await run.line('sees')).toBe('/proc/1');
  });
});

/** Waits until the tools before the program have given way to it. */
async function settled(pid: number, name = 'sleep'): Promise<void> {
  await until(`process ${pid} runs ${name}`, () => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name);
}
