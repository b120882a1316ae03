import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ProcessIdentity } from '../../machines/types.ts';
import { loadNative } from '../../src/native/load.ts';
import { inheritableDescriptors } from '../../src/process/descriptors.ts';
import { identify, isAlive } from '../../src/process/identity.ts';
import { ownNofile } from '../../src/process/limits.ts';
import { scan } from '../../src/process/scan.ts';
import { readProcStat } from '../../src/process/proc.ts';
import { marksOf } from '../../src/process/marks.ts';
import { findLineage } from '../../src/process/tree.ts';
import { programs } from '../process/spec.ts';
import { until } from '../until.ts';
import { makeRig, type Rig } from './process-rig.ts';

// Each wait has a deadline of its own, which says what it waited for.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let rig: Rig;
// As in the supervisor, by the native port where there is one; that Node's way does the same is shown by process/native-child.test.ts.
beforeAll(async () => void (await loadNative()));
beforeEach(() => {
  rig = makeRig();
});
afterEach(() => rig.close());

/** After this every search that was asked for before has been acted upon. */
async function searched(): Promise<void> {
  for (let pass = 0; pass < 3; pass += 1) await scan();
}

const shell = (script: string) => ({ launch: { kind: 'shell', script } }) as const;

async function living(pid: string | number): Promise<ProcessIdentity> {
  return until(`process ${pid} is listed`, () => identify(Number(pid)));
}

describe('start', () => {
  test('a start is reported with the identity the kernel has, in a session and group of its own', async () => {
    const run = rig.run(['forever']);
    const identity = await run.spawned();
    expect(await run.line('ready')).toBe(String(identity.pid));
    expect(identity).toEqual(identify(identity.pid));
    expect(readProcStat(identity.pid)).toMatchObject({ pgrp: identity.pid, session: identity.pid, ppid: process.pid });
    expect(run.types()).toEqual(['process.spawned']);
    expect(run.reports[0]).toMatchObject({ generation: 1 });
  });

  test('the process has nothing on stdin, the output it was given, and no other descriptor', async () => {
    const run = rig.run([], shell('printf "descriptors "; ls -m /proc/$$/fd; echo "stdin $(readlink /proc/$$/fd/0)"; echo "to stderr" >&2; echo done'));
    await run.line('done');
    // Not through a pipe, of which the shell would hold an end. Those the runner of the tests inherited itself are closed by the supervisor at its start.
    const ours = (await run.line('descriptors')).split(',').map(Number).filter((descriptor) => !inheritableDescriptors().includes(descriptor));
    expect(ours).toEqual([0, 1, 2]);
    expect(await run.line('stdin')).toBe('/dev/null');
    expect(run.output()).toContain('to stderr\n');
  });

  test('the descriptors of the output are closed once the child has them', async () => {
    await rig.run(['forever']).spawned();
    await rig.run(['no-such-program-here/']).report('process.refused');
    const open = readdirSync('/proc/self/fd').flatMap((descriptor) => {
      try {
        return readlinkSync(`/proc/self/fd/${descriptor}`);
      } catch {
        // The descriptor of the listing itself.
        return [];
      }
    });
    expect(open.filter((path) => path.startsWith(rig.dir))).toEqual([]);
  });

  test('both streams arrive complete and in order', async () => {
    const run = rig.run(['prints-lines', '100']);
    await run.line('ready');
    const lines = run.output().split('\n');
    expect(lines.filter((line) => line.startsWith('line '))).toEqual(Array.from({ length: 100 }, (_, index) => `line ${index + 1}`));
    expect(lines.filter((line) => line.startsWith('error line'))).toHaveLength(10);
  });

  test('the environment is the inherited one under the unit’s, with the token and without the supervisor’s own variables', async () => {
    await rig.close();
    rig = makeRig({ environment: { PATH: process.env['PATH'], SHARED: 'outer', KEPT: 'yes', SYSG_INSTANCE: 'outer-token', SYSG_GUARDIAN: '1', SYSG_NOFILE: '2', SYSG_READY_FD: '3' } });
    const run = rig.run([], { ...shell('env | sort; echo done'), env: { SHARED: 'inner' } });
    await run.line('done');
    const lines = run.output().split('\n');
    expect(lines).toEqual(expect.arrayContaining(['SHARED=inner', 'KEPT=yes', `SYSG_INSTANCE=outer-token,${run.token}`]));
    expect(run.output()).not.toMatch(/SYSG_(GUARDIAN|NOFILE|READY_FD)/);
  });

  test('a program is looked up on the service’s own PATH and keeps the name it was called by', async () => {
    mkdirSync(join(rig.dir, 'bin'));
    writeFileSync(join(rig.dir, 'bin', 'only-here'), '#!/bin/sh\necho "found $0"\n', { mode: 0o755 });
    const run = rig.run([''], { launch: { kind: 'exec', argv: ['only-here'] }, env: { PATH: `${rig.dir}/bin:/usr/bin:/bin` } });
    expect(await run.line('found')).toBe(join(rig.dir, 'bin', 'only-here'));
  });

  test.each([
    ['a program that is not on PATH', ['no-such-program'], /program "no-such-program" was not found on PATH \(.*bin.*\)/],
    ['a path that does not exist', ['./missing'], /program ".*\/missing" does not exist/],
    ['a directory', ['/tmp'], /"\/tmp" is a directory, not a program/],
    ['a file that is not executable', ['./plain'], /"\/.*\/plain" is not executable \(mode 0644\)/],
    ['a script whose interpreter is missing', ['./orphan'], /"\/.*\/orphan" cannot be executed: its interpreter "\/no\/such\/sh" does not exist/],
    ['a script whose interpreter only the kernel looks for', ['./relative'], /"\.\/relative" cannot be executed: no such file or directory/],
    ['an empty vector', [], /exec is empty/],
  ])('refused, and nothing after it: %s', async (_what, argv, reason) => {
    writeFileSync(join(rig.dir, 'plain'), 'echo', { mode: 0o644 });
    writeFileSync(join(rig.dir, 'relative'), '#!no-such-sh\n', { mode: 0o755 });
    writeFileSync(join(rig.dir, 'orphan'), '#!/no/such/sh\n', { mode: 0o755 });
    const run = rig.run([''], { launch: { kind: 'exec', argv } });
    expect((await run.report('process.refused')).reason).toMatch(reason);
    run.order({ type: 'kill' });
    run.order({ type: 'stop', signal: 'SIGTERM' });
    expect(run.types()).toEqual(['process.refused']);
  });

  test('refused: a working directory that does not exist, or is none', async () => {
    const missing = rig.run(['forever'], { workingDir: join(rig.dir, 'nowhere') });
    expect((await missing.report('process.refused')).reason).toBe(`working directory "${rig.dir}/nowhere" does not exist`);
    writeFileSync(join(rig.dir, 'file'), '');
    const file = rig.run(['forever'], { workingDir: join(rig.dir, 'file') });
    expect((await file.report('process.refused')).reason).toBe(`working directory "${rig.dir}/file" is not a directory`);
  });

  test('refused: what the kernel refuses to execute, and output that cannot be opened', async () => {
    const tooLong = rig.run(['forever'], { env: { LONG: 'x'.repeat(200_000) } });
    expect((await tooLong.report('process.refused')).reason).toMatch(/its arguments and environment are too long/);
    await rig.close();
    rig = makeRig({ openOutput: () => { throw new Error('disk on fire'); } });
    expect((await rig.run(['forever']).report('process.refused')).reason).toContain('disk on fire');
  });

  test('refused: a privilege that cannot be enforced is not silently left out', async () => {
    const run = rig.run(['forever']);
    const { privileges } = (await import('../process/spec.ts')).serviceSpec([], rig.dir);
    const asNobody = rig.run(['forever'], { privileges: { ...privileges, user: 'no-such-user' } });
    expect((await asNobody.report('process.refused')).reason).toMatch(/^Failed to configure privileges for service 'unit': /);
    await run.spawned();
  });

  test('skip and pre_start run their commands through sh', async () => {
    const skip = rig.run(['forever'], { skip: 'echo "skip $0 $SYSG_INSTANCE"; exit 7' }, { role: 'skip' });
    expect((await skip.report('process.exited')).exit).toEqual({ code: 7, signal: null });
    expect(skip.output()).toContain(skip.token);
    const preStart = rig.run(['forever'], { preStart: 'echo prepared | cat' }, { role: 'pre_start' });
    expect((await preStart.report('process.exited')).exit).toEqual({ code: 0, signal: null });
    expect(preStart.output()).toBe('prepared\n');
  });

  test('the soft limit of open files is handed on, and the program stays the process that was started', async () => {
    await rig.close();
    rig = makeRig({ softNofile: 512 });
    const run = rig.run(['/bin/sh', '-c', 'echo "limits $(ulimit -S -n) $(ulimit -H -n)"; echo "pid $$"; exec sleep 1000']);
    const identity = await run.spawned();
    expect(await run.line('limits')).toBe(`512 ${ownNofile()?.hard}`);
    expect(await run.line('pid')).toBe(String(identity.pid));
    // While a program takes the place of another there are no words.
    expect(await until('it has its words', () => readFileSync(`/proc/${identity.pid}/cmdline`, 'latin1').split('\0')[0])).toMatch(/sleep|sh/);
  });

  test('limits of the unit itself are set', async () => {
    const { privileges } = (await import('../process/spec.ts')).serviceSpec([], rig.dir);
    const run = rig.run(['/bin/sh', '-c', 'echo "limits $(ulimit -S -n) $(ulimit -H -n)"; echo "nice $(nice)"'], {
      privileges: { ...privileges, limits: { nofile: 300, nice: 5, cpuAffinity: [0] } },
    });
    expect(await run.line('limits')).toBe('300 300');
    expect(await run.line('nice')).toBe('5');
  });

  test('fifty at once all start, each with its own token', async () => {
    const runs = Array.from({ length: 50 }, () => rig.run([], shell('echo "token $SYSG_INSTANCE"; exec sleep 1000')));
    const pids = await Promise.all(runs.map((run) => run.spawned()));
    expect(new Set(pids.map(({ pid }) => pid)).size).toBe(50);
    for (const run of runs) expect(await run.line('token')).toBe(run.token);
    for (const run of runs) run.order({ type: 'stop', signal: 'SIGTERM' });
    await Promise.all(runs.map((run) => run.report('process.gone')));
    for (const identity of pids) expect(isAlive(identity)).toBe(false);
    for (const run of runs) expect(run.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
  });

  test('an order before the start calls it off: gone, and nothing was started', async () => {
    const run = rig.run([], shell(`echo started > '${rig.dir}/started'`));
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    run.order({ type: 'kill' });
    const later = rig.run(['exits-with', '0']);
    await later.report('process.exited');
    expect(run.types()).toEqual(['process.gone']);
    expect(() => readFileSync(join(rig.dir, 'started'))).toThrow('ENOENT');
  });
});

describe('end', () => {
  test('an exit is reported once, with its code or signal, and gone only after an order', async () => {
    const coded = rig.run(['exits-with', '42']);
    expect((await coded.report('process.exited')).exit).toEqual({ code: 42, signal: null });
    const killed = rig.run([], shell('kill -SEGV $$'));
    expect((await killed.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGSEGV' });
    expect(coded.types()).toEqual(['process.spawned', 'process.exited']);
    coded.order({ type: 'clear', signal: 'SIGTERM' });
    await coded.report('process.gone');
    coded.order({ type: 'kill' });
    coded.order({ type: 'clear', signal: 'SIGTERM' });
    killed.order({ type: 'stop', signal: 'SIGTERM' });
    await killed.report('process.gone');
    expect(coded.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
  });

  test('stop signals the group: exited, then gone', async () => {
    const run = rig.run(['forks-child', 'stays']);
    const child = await living(await run.line('child'));
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(child)).toBe(false);
    expect(run.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('a program that takes its time is signalled once and waited for', async () => {
    const run = rig.run(['traps-term-slow', '0.3']);
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect((await run.report('process.exited')).exit).toEqual({ code: 0, signal: null });
    expect(run.output().match(/stopping/g)).toHaveLength(1);
    expect(run.output()).toContain('stopped');
  });

  test('each process gets the stop signal once, also when the search finds it again', async () => {
    const run = rig.run([], shell('trap "echo got it" TERM; echo ready; while [ ! -e go ]; do sleep 0.01; done; exit 0'));
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.line('got');
    await searched();
    writeFileSync(join(rig.dir, 'go'), '');
    await run.report('process.gone');
    expect(run.output().match(/got it/g)).toHaveLength(1);
  });

  test('a leftover gets the signal once, although the sweep finds its token too', async () => {
    const run = rig.run([], shell(`sh -c 'trap "echo got it" TERM; echo child $$; : >up; while [ ! -e go ]; do sleep 0.1 & wait $!; done' & while [ ! -e up ]; do sleep 0.01; done`));
    await run.report('process.exited');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await run.line('got');
    await searched();
    writeFileSync(join(rig.dir, 'go'), '');
    await run.report('process.gone');
    expect(run.output().match(/got it/g)).toHaveLength(1);
  });

  // On TERM it waits for the word, then leaves a process in another session and ends.
  const late = 'trap "while [ ! -e go ]; do sleep 0.01; done; setsid sh -c \'echo \\$\\$ >late.new; mv late.new late; exec sleep 1000\' & while [ ! -e late ]; do sleep 0.01; done; exit 0" TERM; echo ready; while :; do sleep 0.05; done';

  test('one that leaves the group after the search is found by the search before gone', async () => {
    const run = rig.run([], shell(late));
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await searched();
    writeFileSync(join(rig.dir, 'go'), '');
    const escapee = await rig.writtenPid('late');
    await run.report('process.gone');
    expect(isAlive(escapee)).toBe(false);
  });

  test('an actor that ended during a stop goes on with nothing', async () => {
    const run = rig.run([], shell(late));
    const leader = await run.spawned();
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await searched();
    run.end();
    writeFileSync(join(rig.dir, 'go'), '');
    const escapee = await rig.writtenPid('late');
    await until('the leader is dead', () => !isAlive(leader));
    // Something that takes longer than any pause of a stop that still went on.
    const other = rig.run(['traps-term-slow', '0.6']);
    await other.line('ready');
    other.order({ type: 'stop', signal: 'SIGTERM' });
    await other.report('process.gone');
    await searched();
    expect(isAlive(escapee)).toBe(true);
    expect(run.types()).toEqual(['process.spawned']);
  });

  test('a leftover that ignores TERM: exited, clear, and no gone before the kill', async () => {
    const run = rig.run(['forks-child', 'ignores-term']);
    const child = await living(await run.line('child'));
    expect((await run.report('process.exited')).exit).toEqual({ code: 3, signal: null });
    run.order({ type: 'clear', signal: 'SIGTERM' });
    const other = rig.run(['forks-child']);
    await other.report('process.exited');
    other.order({ type: 'clear', signal: 'SIGTERM' });
    await other.report('process.gone');
    expect(isAlive(child)).toBe(true);
    expect(run.types()).toEqual(['process.spawned', 'process.exited']);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(child)).toBe(false);
    expect(run.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
  });

  test('a leftover that ends on TERM is cleared away, also one without the token', async () => {
    const run = rig.run([], shell('env -i PATH="$PATH" sh -c "echo child \\$\\$; : >up; exec sleep 1000" & while [ ! -e up ]; do sleep 0.01; done; exit 0'));
    const child = await living(await run.line('child'));
    await run.report('process.exited');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(child)).toBe(false);
  });

  test('a daemonised child is found by its token on stop, and gone waits for its death', async () => {
    const run = rig.run(['daemonises', 'pid', 'ignores-term']);
    await run.line('ready');
    const escapee = await rig.writtenPid('pid');
    expect(readProcStat(escapee.pid)).toMatchObject({ session: escapee.pid });
    expect(readProcStat(escapee.pid)?.ppid).not.toBe((await run.spawned()).pid);
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.exited');
    const other = rig.run(['forever']);
    await other.line('ready');
    other.order({ type: 'stop', signal: 'SIGTERM' });
    await other.report('process.gone');
    expect(isAlive(escapee)).toBe(true);
    expect(run.types()).toEqual(['process.spawned', 'process.exited']);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(escapee)).toBe(false);
  });

  test('gone waits for a daemonised child after a crash, too, and names what was left', async () => {
    const run = rig.run(['daemonises', 'pid', 'ignores-term', 'ends']);
    await run.report('process.exited');
    const escapee = await rig.writtenPid('pid');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    const other = rig.run(['exits-with', '0']);
    await other.report('process.exited');
    other.order({ type: 'clear', signal: 'SIGTERM' });
    expect(await other.report('process.gone')).not.toHaveProperty('left');
    expect(isAlive(escapee)).toBe(true);
    expect(run.types()).toEqual(['process.spawned', 'process.exited']);
    run.order({ type: 'kill' });
    const { left } = await run.report('process.gone');
    expect(isAlive(escapee)).toBe(false);
    // A checkout may lie deep enough for the command to be cut off.
    const command = `/bin/sh ${programs}ignores-term`;
    expect(left).toEqual([`"${command.length > 60 ? `${command.slice(0, 60)}…` : command}" (pid ${escapee.pid})`]);
    expect(rig.problems).toEqual([`unit: the process left ${left?.[0]} running, which was ended`]);
  });

  test('a program that puts itself into the background is named, with a hint', async () => {
    const run = rig.run([], shell('setsid sleep 1000 & until grep -aq ^sleep /proc/$!/cmdline; do sleep 0.01; done; exit 0'));
    await run.report('process.exited');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    const { left } = await run.report('process.gone');
    expect(left).toEqual([expect.stringMatching(/^"sleep 1000" \(pid \d+\)$/)]);
    expect(rig.problems).toEqual([expect.stringMatching(/^unit: the process left "sleep 1000" .* ended; a program has to stay in the foreground/)]);
  });

  test('a helper that starts its successor in a new session and ends is ended with the service', async () => {
    const runs = Array.from({ length: 4 }, () => rig.run([], shell(`'${programs}hands-over'; echo ready; exec sleep 1000`)));
    for (const run of runs) await run.line('ready');
    for (const run of runs) run.order({ type: 'stop', signal: 'SIGTERM' });
    for (const run of runs) await run.report('process.gone');
    const tokens = new Set(runs.map(({ token }) => token));
    // Longer than any search: a successor that was missed has begun others by then.
    for (let pass = 0; pass < 20; pass += 1) {
      expect([...(await scan()).values()].filter((one) => one.state !== 'Z' && one.tokens?.some((token) => tokens.has(token)))).toEqual([]);
    }
  });

  test('what has cleared its environment, begun a session and lost its parent is ended with the service', async () => {
    const run = rig.run([], shell('( env -i setsid sh -c "echo \\$\\$ >pid.new; mv pid.new pid; exec sleep 1000" & ); echo ready; exec sleep 1000'));
    await run.line('ready');
    const escapee = await rig.writtenPid('pid');
    // Where no control group can be made for it, nothing is left that shows whose it is.
    if (marksOf(escapee.pid).length === 0) return void process.kill(escapee.pid, 'SIGKILL');
    expect(marksOf(escapee.pid)).toEqual([run.token]);
    expect(marksOf(process.pid)).toEqual([]);
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(escapee)).toBe(false);
  });

  test('a descendant is remembered from when its parent lived', async () => {
    const run = rig.run([], shell('env -i /bin/sh -c "setsid sh -c \'echo \\$\\$ >pid.new; mv pid.new pid; exec sleep 1000\' & while [ ! -e go ]; do sleep 0.01; done" & wait; echo orphaned; exec sleep 1000'));
    const escapee = await rig.writtenPid('pid');
    const lineage = findLineage(await run.spawned());
    // Its control group knows without notes.
    if (marksOf(escapee.pid).length === 0) await until('it was noted', () => lineage?.known.has(escapee.pid));
    writeFileSync(join(rig.dir, 'go'), '');
    await run.line('orphaned');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(escapee)).toBe(false);
  });

  test('a process whose first thread has ended is ended with the service', async () => {
    const run = rig.run([], shell(`'${programs}ends-first-thread' & wait`));
    const child = await living(await run.line('ready'));
    await until('its first thread has ended', () => readFileSync(`/proc/${child.pid}/status`, 'utf8').includes('State:\tZ'));
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(child)).toBe(false);
  });

  test('mixed: the stop signal goes to the main process alone, SIGKILL to all that is left', async () => {
    const run = rig.run([], { ...shell(`trap 'echo main; exit 0' TERM; sh -c 'trap "echo other" TERM; echo $$ >pid.new; mv pid.new pid; while :; do sleep 0.05; done' & while :; do sleep 0.05; done`), killMode: 'mixed' });
    const other = await rig.writtenPid('pid');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.line('main');
    await run.report('process.exited');
    await searched();
    expect(isAlive(other)).toBe(true);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(other)).toBe(false);
    expect(run.output()).not.toContain('other');
  });

  test('the stop command runs in place of the signal, with the pid of the process', async () => {
    const run = rig.run([], { ...shell(`trap 'exit 7' USR1; trap 'exit 8' TERM; echo ready; while :; do sleep 0.05; done`), stopCommand: 'echo "$SYSG_SERVICE_NAME $SYSG_EVENT $PWD" >seen; kill -USR1 $SYSG_PID' });
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect((await run.report('process.exited')).exit).toEqual({ code: 7, signal: null });
    expect(readFileSync(join(rig.dir, 'seen'), 'utf8')).toBe(`unit stop ${rig.dir}\n`);
  });

  test('a stop command that fails is reported, and the signal is sent', async () => {
    const run = rig.run(['forever'], { stopCommand: 'exit 3' });
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGTERM' });
    expect(rig.problems).toEqual(['unit: stop_command exited with status 3: SIGTERM is sent instead']);
  });

  test('a kill ends the stop command, too', async () => {
    const run = rig.run(['forever'], { stopCommand: 'echo $$ >pid.new; mv pid.new pid; exec sleep 1000' });
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    const command = await rig.writtenPid('pid');
    run.order({ type: 'kill' });
    await run.report('process.gone');
    await until('the command is dead', () => !isAlive(command));
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(rig.problems).toEqual([]);
  });

  test('stop ends a group with a stopped member', async () => {
    const run = rig.run(['forks-child', 'stays']);
    const child = await living(await run.line('child'));
    await run.line('ready');
    process.kill(child.pid, 'SIGSTOP');
    await until('the member is stopped', () => readProcStat(child.pid)?.state === 'T');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(child)).toBe(false);
  });

  test('kill ends everything whatever it ignores', async () => {
    const run = rig.run(['daemonises', 'pid', 'ignores-term']);
    await run.line('ready');
    const escapee = await rig.writtenPid('pid');
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect((await run.report('process.exited')).exit).toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(escapee)).toBe(false);
    expect(run.types()).toEqual(['process.spawned', 'process.exited', 'process.gone']);
  });

  test('a signal on behalf of a person goes to the leader alone', async () => {
    const run = rig.run([], shell(`trap 'echo "got it"' USR1; sh -c 'trap "echo child got it" USR1; echo "child ready"; while :; do sleep 0.05; done' & echo "ready $$"; while :; do sleep 0.05; done`));
    await run.line('child');
    await run.line('ready');
    run.order({ type: 'signal', signal: 'SIGUSR1' });
    await run.line('got');
    expect(run.output()).not.toContain('child got it');
    expect(run.types()).toEqual(['process.spawned']);
  });

  test('a signal this platform does not have is reported as a problem', async () => {
    const run = rig.run(['forever']);
    await run.line('ready');
    run.order({ type: 'signal', signal: 'SIGNONE' });
    expect(rig.problems).toEqual([expect.stringMatching(/^unit: SIGNONE is not a signal of this platform: process \d+ got none$/)]);
  });

  test('ending the actor kills nothing and reports nothing', async () => {
    const run = rig.run(['forks-child', 'stays']);
    const child = await living(await run.line('child'));
    const leader = await run.spawned();
    run.end();
    const other = rig.run(['exits-with', '0']);
    await other.report('process.exited');
    expect([isAlive(leader), isAlive(child)]).toEqual([true, true]);
    process.kill(-leader.pid, 'SIGKILL');
    await until('the leader is dead', () => !isAlive(leader));
    const last = rig.run(['exits-with', '0']);
    await last.report('process.exited');
    expect(run.types()).toEqual(['process.spawned']);
  });

  test('an actor that ends during a stop signals nothing more', async () => {
    const run = rig.run(['ignores-term'], { stopTimeoutMs: 10 });
    await run.line('ready');
    const leader = await run.spawned();
    run.order({ type: 'stop', signal: 'SIGTERM' });
    run.end();
    const other = rig.run(['forever']);
    await other.line('ready');
    other.order({ type: 'stop', signal: 'SIGTERM' });
    await other.report('process.gone');
    expect(isAlive(leader)).toBe(true);
  });
});

describe('adopt', () => {
  /** A process of someone else: started by a shell that ended, so that it is no child of this program. */
  async function stranger(script: string, token: string, before = ':'): Promise<ProcessIdentity> {
    const file = join(rig.dir, 'stranger');
    const inner = `${before}; echo $$ >'${file}.new'; mv '${file}.new' '${file}'; ${script}`;
    const starter = spawn('/bin/sh', ['-c', 'setsid sh -c "$1" </dev/null >/dev/null 2>&1 &', 'sh', inner], {
      stdio: 'ignore', env: { ...process.env, SYSG_INSTANCE: token },
    });
    await until('the starter ended', () => starter.exitCode !== null);
    return rig.writtenPid('stranger');
  }
  const token = () => `${rig.run(['exits-with', '0']).token}-stranger`;

  test('the end of a process taken over is reported without an exit status, and gone answers an order', async () => {
    const mark = token();
    const identity = await stranger('exec sleep 1000', mark);
    const run = rig.run(['forever'], {}, { adopt: identity, token: mark });
    process.kill(identity.pid, 'SIGKILL');
    expect((await run.report('process.exited')).exit).toBe(null);
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(run.types()).toEqual(['process.exited', 'process.gone']);
  });

  test('its leftovers get nothing but what is ordered, and are dead before gone', async () => {
    const mark = token();
    const identity = await stranger(`cd '${rig.dir}'; READY_FILE=./up '${programs}ignores-term' & member=$!; while [ ! -e up ]; do sleep 0.01; done; echo $member >member; wait`, mark);
    const member = await rig.writtenPid('member');
    const run = rig.run(['forever'], { stopTimeoutMs: 1 }, { adopt: identity, token: mark });
    process.kill(identity.pid, 'SIGKILL');
    await run.report('process.exited');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await searched();
    expect(isAlive(member)).toBe(true);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(member)).toBe(false);
    expect(run.types()).toEqual(['process.exited', 'process.gone']);
  });

  test('a member without the token is known from the taking over', async () => {
    const mark = token();
    const identity = await stranger(`env -i /bin/sh -c 'echo $$ >"$0/member.new"; mv "$0/member.new" "$0/member"; exec sleep 1000' '${rig.dir}' & wait`, mark);
    const member = await rig.writtenPid('member');
    const run = rig.run(['forever'], {}, { adopt: identity, token: mark });
    await searched();
    process.kill(identity.pid, 'SIGKILL');
    await run.report('process.exited');
    run.order({ type: 'clear', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(isAlive(member)).toBe(false);
  });

  test('stop and kill work on a process taken over', async () => {
    const mark = token();
    const identity = await stranger('while :; do sleep 0.05; done', mark, `trap '' TERM`);
    const run = rig.run(['forever'], {}, { adopt: identity, token: mark });
    run.order({ type: 'stop', signal: 'SIGTERM' });
    const other = rig.run(['forever']);
    await other.line('ready');
    other.order({ type: 'stop', signal: 'SIGTERM' });
    await other.report('process.gone');
    expect(isAlive(identity)).toBe(true);
    run.order({ type: 'kill' });
    await run.report('process.gone');
    expect(isAlive(identity)).toBe(false);
    expect(run.types()).toEqual(['process.gone']);
  });

  test('another process with the same pid is never signalled', async () => {
    const bystander = await stranger('exec sleep 1000', 'not-ours');
    const stale = { ...bystander, startTime: String(Number(bystander.startTime) - 1) };
    const run = rig.run(['forever'], {}, { adopt: stale, token: token() });
    run.order({ type: 'signal', signal: 'SIGKILL' });
    run.order({ type: 'kill' });
    await run.report('process.gone');
    const otherBoot = rig.run(['forever'], {}, { adopt: { ...bystander, bootId: 'another' }, token: token() });
    otherBoot.order({ type: 'kill' });
    await otherBoot.report('process.gone');
    expect(isAlive(bystander)).toBe(true);
    process.kill(bystander.pid, 'SIGKILL');
  });

  test('a child of this program that is taken over again gives its exit code', async () => {
    const first = rig.run([], shell('while [ ! -e go ]; do sleep 0.01; done; exit 5'));
    const identity = await first.spawned();
    first.end();
    const second = rig.run(['forever'], {}, { adopt: identity, token: first.token });
    writeFileSync(join(rig.dir, 'go'), '');
    expect((await second.report('process.exited')).exit).toEqual({ code: 5, signal: null });
    second.order({ type: 'clear', signal: 'SIGTERM' });
    await second.report('process.gone');
    expect(second.types()).toEqual(['process.exited', 'process.gone']);
  });

  test('an exit while nobody watched is kept for who takes the process over', async () => {
    const first = rig.run([], shell('while [ ! -e go ]; do sleep 0.01; done; sleep 1000 & echo $! >child; exit 6'));
    const identity = await first.spawned();
    first.end();
    writeFileSync(join(rig.dir, 'go'), '');
    await until('it was reaped', () => identify(identity.pid) === null);
    const child = await rig.writtenPid('child');
    const second = rig.run(['forever'], {}, { adopt: identity, token: first.token });
    expect((await second.report('process.exited')).exit).toEqual({ code: 6, signal: null });
    second.order({ type: 'clear', signal: 'SIGTERM' });
    await second.report('process.gone');
    expect(isAlive(child)).toBe(false);
    expect(second.types()).toEqual(['process.exited', 'process.gone']);
  });
});

test('what the handler of a stop signal starts is not signalled while the main process lives', async () => {
  for (let round = 0; round < 4; round += 1) {
    const run = rig.run([], shell("trap 'sleep 0.3; echo \"handled $?\"; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
    await run.line('ready');
    run.order({ type: 'stop', signal: 'SIGTERM' });
    await run.report('process.gone');
    expect(await run.line('handled')).toBe('0');
  }
});
