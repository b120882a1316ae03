import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { consumption, type Owed } from '../../src/metrics/consumption.ts';
import { makeObserver, type Member, type Origin } from '../../src/metrics/observer.ts';
import { kernelUnits } from '../../src/process/boot.ts';
import { identify } from '../../src/process/identity.ts';
import { removeMark, startMarked } from '../../src/process/marks.ts';
import { until } from '../until.ts';

const onLinux = process.platform === 'linux';
/** Whether control groups can be made here. */
const canMark = onLinux && startMarked(['trial'], () => spawnSync('cat', ['/proc/self/cgroup'], { encoding: 'utf8' })).stdout.includes('sysg-unit.trial');
removeMark(['trial']);

interface Program {
  readonly origin: Origin;
  readonly printed: () => readonly string[];
}

/** A shell script as the leader of a session of its own, with a token, ended with all it started when the test is over. */
async function run(script: string, token = `metrics-test.${process.pid}.${Math.random()}`, around: <Started>(start: () => Started) => Started = (start) => start()): Promise<Program> {
  const child = around(() => spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SYSG_INSTANCE: token } }));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const printed = (): readonly string[] => output.split('\n').filter((line) => line !== '');
  const pid = child.pid ?? 0;
  onTestFinished(() => {
    for (const target of [-pid, ...printed().flatMap((line) => line.match(/\d+/g) ?? []).map(Number)]) {
      try {
        process.kill(target, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
  });
  const leader = identify(pid);
  if (leader === null) throw new Error('the program ended at once');
  return { origin: { leader, token }, printed };
}

const unitsOf = (...programs: readonly Program[]): ReadonlyMap<string, readonly Origin[]> =>
  new Map(programs.map(({ origin }, index) => [String(index), [origin]]));
const living = (members: ReadonlyMap<number, Member> | undefined): number[] =>
  [...(members ?? [])].filter(([, { zombie }]) => !zombie).map(([pid]) => pid).sort((one, other) => one - other);
const procDescriptors = (): number => readdirSync('/proc/self/fd').filter((name) => {
  try {
    return /^\/proc\/\d+\/(stat|statm|io)$/.test(readlinkSync(`/proc/self/fd/${name}`));
  } catch {
    // The descriptor of the listing itself.
    return false;
  }
}).length;

describe.runIf(onLinux)('the processes of a unit', () => {
  test('are its leader, its descendants and what carries its token, in a session of their own too', async () => {
    const program = await run('sleep 300 & echo child $!; setsid sh -c "echo escaped \\$\\$; exec sleep 300" & sleep 0.1; wait');
    const other = await run('echo other; sleep 300');
    const pids = await until('both programs have said who they are', () => {
      const numbers = program.printed().flatMap((line) => line.match(/\d+/g) ?? []).map(Number);
      return numbers.length === 2 && other.printed().length === 1 ? numbers : null;
    });
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    const found = await until('all are found', () => {
      const seen = observer.pass(unitsOf(program, other));
      return living(seen.get('0')).length === 3 && living(seen.get('1')).length === 2 ? seen : null;
    });
    expect(living(found.get('0'))).toEqual([program.origin.leader.pid, ...pids].sort((one, other_) => one - other_));
    expect(living(found.get('1'))).toContain(other.origin.leader.pid);
    for (const pid of living(found.get('1'))) expect(living(found.get('0'))).not.toContain(pid);
  });

  test.runIf(canMark)('are those of its control group too: what has cleared its environment, begun a session and lost its parent', async () => {
    const token = `metrics-marked.${process.pid}`;
    const program = await run('(env -i setsid /bin/sh -c "echo alone \\$\\$; exec env -i sleep 300" &); sleep 300', token, (start) => startMarked([token], start));
    const alone = await until('it has begun', () => Number(program.printed()[0]?.match(/\d+/)?.[0] ?? 0) || null);
    await until('it has lost its parent and its environment', () => readFileSync(`/proc/${alone}/environ`).length === 0 && /^\d+ \(sleep\)/.test(readFileSync(`/proc/${alone}/stat`, 'utf8')));
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    expect(living(observer.pass(unitsOf(program)).get('0'))).toContain(alone);
    expect(living(observer.pass(unitsOf(program)).get('0'))).toContain(alone);
  });

  test('are found as soon as they are there, by a pass that leaves strangers alone', async () => {
    const program = await run('sleep 0.3; sleep 300 & echo late $!; wait');
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    observer.pass(unitsOf(program));
    const late = await until('the late one has begun', () => Number(program.printed()[0]?.match(/\d+/)?.[0] ?? 0) || null);
    expect(living(observer.pass(unitsOf(program)).get('0'))).toContain(late);
  });

  test('have the memory that the kernel says', async () => {
    const program = await run('echo ready; exec sleep 300');
    await until('the program is sleep', () => program.printed().length === 1 && readFileSync(`/proc/${program.origin.leader.pid}/comm`, 'utf8') === 'sleep\n');
    const { pid } = program.origin.leader;
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    const agreed = await until('both say the same', () => {
      const seen = observer.pass(unitsOf(program)).get('0')?.get(pid)?.usage.rssBytes;
      const kernel = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return seen === Number(kernel) * 1024 ? seen : null;
    });
    expect(agreed % kernelUnits().pageBytes).toBe(0);
  });

  test('have used, over all readings together, what their leader has when it has waited for all of them', async () => {
    const burn = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done';
    const program = await run(`for n in 1 2 3 4; do sh -c '${burn}'; done; sh -c '${burn}' & sh -c '${burn}' & wait; echo done; exec sleep 300`);
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    let before: ReadonlyMap<number, Member> = new Map();
    let owed: Owed = new Map();
    let ticks = 0;
    await until('the work is done', () => {
      const isDone = program.printed().includes('done');
      const now = observer.pass(unitsOf(program)).get('0') ?? new Map<number, Member>();
      const used = consumption(before, now, owed);
      ticks += used.cpuTicks;
      owed = used.owed;
      before = now;
      return isDone;
    });
    const leader = before.get(program.origin.leader.pid);
    const account = (leader?.usage.ownTicks ?? 0) + (leader?.usage.reapedTicks ?? 0);
    // The kernel counts finer than it shows: of each of the six children a tick of user and one of system time may be lost to rounding.
    expect(account).toBeGreaterThan(48);
    expect(Math.abs(ticks - account)).toBeLessThanOrEqual(12);
  });

  test('are read wholly but for the leader where no sample is due, and by the same pass where one is', async () => {
    const program = await run('sleep 300 & echo child $!; wait');
    const child = await until('the child has begun', () => Number(program.printed()[0]?.match(/\d+/)?.[0] ?? 0) || null);
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    const seen = await until('both are found', () => {
      const members = observer.pass(unitsOf(program), () => false).get('0');
      return living(members).length === 2 ? members : null;
    });
    const { pid } = program.origin.leader;
    expect(seen.get(pid)?.usage.io).toBeNull();
    expect(seen.get(child)?.usage.io).not.toBeNull();
    expect(observer.pass(unitsOf(program), (unit) => unit === '0').get('0')?.get(pid)?.usage.io).not.toBeNull();
  });

  test('cost three descriptors each, no more with every pass, and none at rest', async () => {
    const program = await run('sleep 300 & echo child $!; wait');
    await until('the child has begun', () => program.printed().length === 1);
    const observer = makeObserver();
    onTestFinished(() => observer.rest());
    const before = procDescriptors();
    await until('both are found', () => living(observer.pass(unitsOf(program)).get('0')).length === 2);
    for (let round = 0; round < 25; round += 1) observer.pass(unitsOf(program));
    expect(procDescriptors() - before).toBe(6);
    observer.pass(new Map());
    expect(procDescriptors()).toBe(before);
    observer.pass(unitsOf(program));
    expect(procDescriptors() - before).toBe(6);
    process.kill(Number(program.printed()[0]?.match(/\d+/)?.[0]), 'SIGKILL');
    await until('its files are closed', () => {
      observer.pass(unitsOf(program));
      return procDescriptors() === before;
    });
    observer.pass(unitsOf(await run('sleep 300')));
    observer.rest();
    expect(procDescriptors()).toBe(before);
  });
});

test.runIf(onLinux)('pages and clock ticks are what the kernel uses', () => {
  const { pageBytes, ticksPerSecond } = kernelUnits();
  expect(Math.log2(pageBytes) % 1).toBe(0);
  expect(readFileSync('/proc/self/smaps', 'utf8')).toContain(`KernelPageSize:        ${pageBytes / 1024} kB`);
  expect(ticksPerSecond).toBeGreaterThan(0);
});
