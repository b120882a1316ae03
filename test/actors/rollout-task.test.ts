import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createActor, createMachine, spawnChild, stopChild } from 'xstate';
import type { RolloutTaskInput } from '../../machines/ports.ts';
import type { HealthCheck, RolloutReport, ServiceSpec, SlotIndex } from '../../machines/types.ts';
import { createClock, type Clock } from '../../src/clock.ts';
import { attempt } from '../../src/errors.ts';
import { makeRolloutTaskActor, type RolloutOutside } from '../../src/rollout/task.ts';
import { runningCommands } from '../../src/process/run-command.ts';
import { serviceSpec } from '../process/spec.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { makeManualClock } from './manual-clock.ts';
import { checkOf, made } from './probe-rig.ts';

interface TaskRun {
  readonly reports: RolloutReport[];
  readonly recorded: SlotIndex[];
  report(): Promise<RolloutReport>;
  callOff(): void;
}

type Given = Pick<RolloutTaskInput, 'task'> & Partial<RolloutTaskInput> & { readonly clock?: Clock; readonly outside?: Partial<RolloutOutside> };

/** A task under a parent that keeps what it reports. */
function run(spec: ServiceSpec, { task, slots = { from: 0, to: 1 }, clock = createClock(), outside = {} }: Given): TaskRun {
  const reports: RolloutReport[] = [];
  const recorded: SlotIndex[] = [];
  const logic = makeRolloutTaskActor({
    clock, environment: process.env, announcements: { heard: () => Promise.reject(new Error('nothing is announced here')) },
    onProblem: (text) => { throw new Error(text); },
    recordSlot: (_, slot) => {
      recorded.push(slot);
      return null;
    },
    lastWords: () => Promise.resolve([]), ...outside,
  });
  const parent = createActor(createMachine({
    entry: spawnChild(logic, { id: 'task', input: { task, spec, slots } }),
    on: { 'call off': { actions: stopChild('task') }, '*': { actions: ({ event }) => void reports.push(event as RolloutReport) } },
  }));
  parent.start();
  onTestFinished(() => {
    parent.stop();
    clock.close();
  });
  return { reports, recorded, report: () => until('a report', () => reports[0]), callOff: () => void parent.send({ type: 'call off' }) };
}

const command = (script: string, changes: Partial<HealthCheck> = {}): HealthCheck => checkOf({ kind: 'command', command: script }, changes);

function blueGreen(dir: string, switchCommand: string, switchVerify: HealthCheck | null = null, candidateCheck: HealthCheck | null = null): ServiceSpec {
  mkdirSync(join(dir, 'elsewhere'), { recursive: true });
  const spec = serviceSpec(['forever'], join(dir, 'elsewhere'), { name: 'web', projectDir: dir, env: { OWN: 'too' } });
  return {
    ...spec, deployment: {
      ...spec.deployment, strategy: 'rolling',
      blueGreen: { envVar: 'PORT', slots: ['8001', '8002'], switchCommand, switchVerify, candidateCheck, statePath: null },
    },
  };
}

const done = { type: 'task.done' };

test('the switch command gets the slots, and runs in the directory of the project with the variables of the service', async () => {
  const dir = tempDir();
  const said = 'echo "{active_slot} {candidate_slot} $SYSG_ACTIVE_SLOT $SYSG_CANDIDATE_SLOT $SYSG_SERVICE_NAME $OWN $PWD" > said';
  expect(await run(blueGreen(dir, said), { task: 'switch' }).report()).toMatchObject({ ...done, task: 'switch' });
  expect(readFileSync(join(dir, 'said'), 'utf8')).toBe(`8001 8002 8001 8002 web too ${dir}\n`);
});

test('a switch command that fails is quoted on one line, by its end alone where it says much, or by its exit code where it says nothing', async () => {
  const dir = tempDir();
  const reason = async (script: string): Promise<string> => {
    const report = await run(blueGreen(dir, script), { task: 'switch' }).report();
    return report.type === 'task.failed' ? report.reason : report.type;
  };
  expect(await reason('echo " one"; echo " two" >&2; exit 3')).toBe('blue/green switch command failed: one; two (it exited with status 3)');
  expect(await reason('exit 4')).toBe('blue/green switch command failed: exited with status 4');
  expect(await reason('printf a; printf "%01000d" 0; exit 5')).toBe(`blue/green switch command failed: ${'0'.repeat(1000)} (it exited with status 5)`);
});

test('what a switch command says is in no file that has a name or stays open, and a switch has its limit', async () => {
  const dir = tempDir();
  const clock = makeManualClock();
  const named = (): string[] => readdirSync(tmpdir()).filter((name) => /^sysg-[0-9a-f]{18}$/.test(name));
  const before = named();
  const { report } = run(blueGreen(dir, 'echo slow; touch began; exec sleep 1000'), { task: 'switch', clock });
  await made(dir, 'began');
  expect(named().filter((name) => !before.includes(name))).toEqual([]);
  expect(unnamed()).toHaveLength(1);
  await clock.pass(60_000);
  const told = await report();
  expect(told).toMatchObject({ type: 'task.failed', reason: expect.stringMatching(/^blue\/green switch command failed: slow \(it /) });
  expect(unnamed()).toEqual([]);
});

/** The files of switch commands that are open here. */
function unnamed(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    const file = attempt(() => readlinkSync(`/proc/self/fd/${descriptor}`), '');
    return /\/sysg-[0-9a-f]{18} \(deleted\)$/.test(file) ? [file] : [];
  });
}

test('a switch back moves the traffic to the slot before and notes that slot', async () => {
  const dir = tempDir();
  const { report, recorded } = run(blueGreen(dir, 'echo "{active_slot} to {candidate_slot}" > said'), { task: 'switch-back' });
  expect(await report()).toMatchObject(done);
  expect(readFileSync(join(dir, 'said'), 'utf8')).toBe('8002 to 8001\n');
  expect(recorded).toEqual([0]);
});

test('a switch back whose command fails notes the slot before all the same, and says what has failed', async () => {
  const { report, recorded } = run(blueGreen(tempDir(), 'exit 6'), { task: 'switch-back' });
  expect(await report()).toMatchObject({ type: 'task.failed', reason: 'blue/green switch command failed: exited with status 6' });
  expect(recorded).toEqual([0]);
});

test('the slot of the candidate is noted, and what cannot be noted is said', async () => {
  const spec = blueGreen(tempDir(), 'true');
  const { report, recorded } = run(spec, { task: 'record' });
  expect(await report()).toMatchObject(done);
  expect(recorded).toEqual([1]);
  for (const task of ['record', 'switch-back'] as const) {
    const refused = await run(spec, { task, outside: { recordSlot: () => 'the disk is full' } }).report();
    expect(refused).toMatchObject({ type: 'task.failed', reason: 'the slot in use cannot be recorded: the disk is full' });
  }
});

test('a candidate is let through at its first success, and refused after as many failures as the check has retries', async () => {
  const dir = tempDir();
  const gated = (check: HealthCheck): ServiceSpec => blueGreen(dir, 'true', null, check);
  expect(await run(gated(command('true')), { task: 'gate' }).report()).toMatchObject({ ...done, task: 'gate' });
  const refused = await run(gated(command('exit 7', { intervalMs: 1, retries: 2, timeoutMs: 60_000 })), { task: 'gate' }).report();
  expect(refused).toMatchObject({ type: 'task.failed', reason: 'Health check did not succeed within 1m after 2 attempts: the check exited with status 7' });
  const once = await run(gated(command('exit 7', { retries: 1, timeoutMs: 60_000 })), { task: 'gate' }).report();
  expect(once).toMatchObject({ reason: 'Health check did not succeed within 1m after 1 attempt: the check exited with status 7' });
});

test('a check that has done its work is made no more', async () => {
  const clock = makeManualClock();
  const spec = blueGreen(tempDir(), 'true', null, command('true'));
  expect(await run(spec, { task: 'gate', clock }).report()).toMatchObject(done);
  expect(clock.pending()).toEqual([]);
});

test('the check after a switch is that of the verification, with the slots in its words', async () => {
  const dir = tempDir();
  const spec = blueGreen(dir, 'true', command('test "{slot} {active_slot}" = "8002 8001" && touch ../verified'));
  expect(await run(spec, { task: 'verify' }).report()).toMatchObject({ ...done, task: 'verify' });
  expect(await made(dir, 'verified')).toBe(true);
});

test('a check that waits for what the process says of itself is not made again', async () => {
  const spec = blueGreen(tempDir(), 'true', null, checkOf({ kind: 'notify', fd: 3 }));
  expect(await run(spec, { task: 'gate' }).report()).toMatchObject(done);
});

test.each(['gate', 'verify', 'switch', 'record', 'switch-back'] as const)('%s of a unit without slots is done at once', async (task) => {
  const { report, recorded } = run(serviceSpec(['forever'], tempDir()), { task, slots: null });
  expect(await report()).toMatchObject({ ...done, task });
  expect(recorded).toEqual([]);
});

test.each([
  [['listening', 'Error: listen EADDRINUSE: :::80'], true], [['bind: Address already in use'], true], [['(os error 98)'], true], [['(os error 48)'], true],
  [['os error 9'], false], [[], false],
])('of a candidate that ended the last words tell whether its address was taken: %j', async (lines, addressInUse) => {
  const report = await run(serviceSpec(['forever'], tempDir(), { name: 'web' }), {
    task: 'words', outside: { lastWords: (unit) => Promise.resolve(unit === 'web' ? lines : []) },
  }).report();
  expect(report).toMatchObject({ ...done, task: 'words', addressInUse });
});

test('what goes wrong is reported as the reason of the failure', async () => {
  const report = await run(serviceSpec(['forever'], tempDir()), { task: 'words', outside: { lastWords: () => Promise.reject(new Error('unreadable')) } }).report();
  expect(report).toMatchObject({ type: 'task.failed', reason: 'unreadable' });
});

test.each([
  ['switch', (dir: string) => blueGreen(dir, 'touch began; exec sleep 1000')],
  ['gate', (dir: string) => blueGreen(dir, 'true', null, command('touch ../began; exec sleep 1000', { timeoutMs: 1_000_000 }))],
] as const)('%s that is called off reports nothing, and its command is ended', async (task, specIn) => {
  const dir = tempDir();
  const { reports, callOff } = run(specIn(dir), { task });
  await made(dir, 'began');
  callOff();
  await until('the command has ended', () => runningCommands().length === 0);
  expect(reports).toEqual([]);
});
