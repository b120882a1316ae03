import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createActor, fromCallback, type AnyActorRef } from 'xstate';
import type { HookRun, HookSpec, ServiceSpec } from '../../machines/types.ts';
import { createClock, type Clock } from '../../src/clock.ts';
import { openHookQueues, type HookQueues } from '../../src/actors/hooks.ts';
import { identify, isAlive } from '../../src/process/identity.ts';
import { commandsEnded, runCommand, runningCommands } from '../../src/process/run-command.ts';
import { serviceSpec } from '../process/spec.ts';
import { until } from '../until.ts';
import { tempDir } from '../temp-dir.ts';
import { makeManualClock } from './manual-clock.ts';

interface Rig {
  readonly dir: string;
  readonly hooks: HookQueues;
  readonly problems: string[];
  /** A unit's actor, and what it was told. */
  unit(): { readonly target: AnyActorRef; readonly told: string[] };
  run(script: string, changes?: Partial<Omit<HookRun, 'hook'>>, hook?: Partial<HookSpec>): HookRun;
  text(name: string): string;
  made(name: string): Promise<true>;
}

function rig(environment: NodeJS.ProcessEnv = process.env, clock: Clock = createClock()): Rig {
  const dir = tempDir();
  const problems: string[] = [];
  const hooks = openHookQueues({ clock, environment, onProblem: (text) => problems.push(text) });
  onTestFinished(async () => {
    await hooks.finish(0);
    clock.close();
  });
  const spec: ServiceSpec = serviceSpec(['forever'], join(dir, 'elsewhere'), { name: 'web', projectDir: dir, env: { OWN: 'too' } });
  return {
    dir, hooks, problems,
    unit() {
      const told: string[] = [];
      const target = createActor(fromCallback(({ receive }) => receive((event) => told.push(event.type)))).start();
      onTestFinished(() => void target.stop());
      return { target, told };
    },
    run: (script, changes = {}, hook = {}) => ({
      unit: 'web', spec, pid: null, exit: null, attempt: 1, cause: null,
      hook: { stage: 'on_start', outcome: 'success', command: script, timeoutMs: 30_000, ...hook }, ...changes,
    }),
    text: (name) => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), 'utf8') : ''),
    made: (name) => until(`file ${name}`, () => existsSync(join(dir, name))),
  };
}

test('a command that was ended is none that runs, as one that ended by itself', async () => {
  const { hooks, unit, run, problems } = rig();
  const { target, told } = unit();
  hooks.queue([run('true'), run('sleep 100', {}, { timeoutMs: 50 })], target);
  await until('the second one runs', () => runningCommands().length > 0);
  await until('the queue is empty', () => told.length === 1);
  expect([runningCommands(), problems.length]).toEqual([[], 1]);
});

test("a hook runs in the project's directory with the unit's environment and gets the facts of the event", async () => {
  const { dir, hooks, unit, run, text } = rig({ PATH: process.env['PATH'], INHERITED: 'yes', SYSG_INSTANCE: 'outer', SYSG_SIGNAL: 'SIGHUP', SYSG_READY_FD: '3' });
  const { target, told } = unit();
  hooks.queue([run('pwd > where; env | sort > environment', { pid: 77, exit: { code: 4, signal: null }, attempt: 3, cause: 'unhealthy' }, { stage: 'on_stop', outcome: 'error' })], target);
  await until('the queue is empty', () => told.length === 1);
  expect(told).toEqual(['hooks.idle']);
  expect(text('where')).toBe(`${dir}\n`);
  expect(text('environment').split('\n').filter((line) => /^(SYSG_|OWN|INHERITED)/.test(line))).toEqual([
    'INHERITED=yes', 'OWN=too', 'SYSG_ATTEMPT=3', 'SYSG_CAUSE=unhealthy', 'SYSG_EVENT=on_stop.error', 'SYSG_EXIT_CODE=4',
    expect.stringMatching(/^SYSG_INSTANCE=outer,hook\.[0-9a-f]+$/), 'SYSG_PID=77', 'SYSG_SERVICE_NAME=web',
  ]);
});

test('a signal is given by its name, and then there is no exit code', async () => {
  const { hooks, unit, run, text } = rig();
  const { target, told } = unit();
  hooks.queue([run('env > environment', { exit: { code: null, signal: 'SIGSEGV' } })], target);
  await until('the queue is empty', () => told.length === 1);
  expect(text('environment')).toMatch(/^SYSG_SIGNAL=SIGSEGV$/m);
  expect(text('environment')).not.toMatch(/^SYSG_(EXIT_CODE|PID|CAUSE)=/m);
});

test("a unit's hooks run one at a time in their order, those of another unit beside them", async () => {
  const { dir, hooks, unit, run, text, made } = rig();
  const [web, db] = [unit(), unit()];
  hooks.queue([run('echo first >> log; touch begun; while [ ! -e go ]; do sleep 0.01; done'), run('echo second >> log')], web.target);
  await made('begun');
  hooks.queue([run('echo third >> log')], web.target);
  hooks.queue([run('touch beside')], db.target);
  await until("the other unit's queue is empty", () => db.told.length === 1);
  expect(text('log')).toBe('first\n');
  expect(web.told).toEqual([]);
  writeFileSync(join(dir, 'go'), '');
  await until('the queue is empty', () => web.told.length === 1);
  expect(text('log')).toBe('first\nsecond\nthird\n');
  hooks.queue([run('echo fourth >> log')], web.target);
  await until('the queue is empty again', () => web.told.length === 2);
  expect(text('log')).toMatch(/fourth\n$/);
});

test('a hook that fails is reported and the next one runs', async () => {
  const { hooks, unit, run, problems, text } = rig();
  const { target, told } = unit();
  const failures: (readonly string[])[] = [];
  hooks.onFailure((...failure) => failures.push(failure));
  hooks.queue([run('exit 3'), run('no-such-program 2>/dev/null', {}, { stage: 'on_restart', outcome: 'error' }), run('echo ran > log')], target);
  await until('the queue is empty', () => told.length === 1);
  expect(problems).toEqual([
    "on_start.success hook for 'web' exited with status 3",
    "on_restart.error hook for 'web' exited with status 127 (command not found)",
  ]);
  expect(failures).toEqual([['web', 'on_start.success', 'exited with status 3'], ['web', 'on_restart.error', 'exited with status 127 (command not found)']]);
  expect(text('log')).toBe('ran\n');
});

test('a hook that cannot be run at all is reported too', async () => {
  const { dir, hooks, unit, run, problems } = rig();
  const { target, told } = unit();
  const spec = { ...run('true').spec, projectDir: join(dir, 'gone') };
  hooks.queue([run('true', { spec })], target);
  await until('the queue is empty', () => told.length === 1);
  expect(problems).toEqual([`on_start.success hook for 'web' could not be run: working directory "${join(dir, 'gone')}" does not exist`]);
});

test('at its timeout all of a hook is dead, processes that left its group included, and the next one runs', async () => {
  const clock = makeManualClock();
  const { hooks, unit, run, problems, text, made } = rig(process.env, clock);
  const { target, told } = unit();
  const script = 'echo $$ > leader; setsid sh -c \'trap "" TERM; echo $$ > escaped; touch ready; sleep 1000\' & (sleep 1000) & wait';
  hooks.queue([run(script, {}, { timeoutMs: 1000 }), run('echo ran > log')], target);
  await made('ready');
  const tree = ['leader', 'escaped'].map((name) => identify(Number(text(name))));
  expect(tree).not.toContain(null);
  await clock.pass(1000);
  await until('the queue is empty', () => told.length === 1);
  expect(tree.map((identity) => identity !== null && isAlive(identity))).toEqual([false, false]);
  expect(problems).toEqual(["on_start.success hook for 'web' took longer than 1 s"]);
  expect(text('log')).toBe('ran\n');
});

test('what a hook leaves running after its own end goes on', async () => {
  const { hooks, unit, run, problems, text, made } = rig();
  const { target, told } = unit();
  hooks.queue([run('sh -c \'echo $$ > left; touch ready; exec sleep 1000\' >/dev/null 2>&1 &')], target);
  await made('ready');
  await until('the queue is empty', () => told.length === 1);
  const left = identify(Number(text('left')));
  expect(left !== null && isAlive(left)).toBe(true);
  if (left !== null) process.kill(left.pid, 'SIGKILL');
  expect(problems).toEqual([]);
});

test('the end waits for hooks, then ends what still runs and drops what waits', async () => {
  const clock = makeManualClock();
  const { dir, hooks, unit, run, problems, text, made } = rig(process.env, clock);
  const [patient, hung] = [unit(), unit()];
  mkdirSync(join(dir, 'done'));
  hooks.queue([run('touch begun; while [ ! -e go ]; do sleep 0.01; done; touch done/patient')], patient.target);
  hooks.queue([run('echo $$ > leader; touch ready; sleep 1000'), run('touch done/dropped')], hung.target);
  await made('begun');
  await made('ready');
  const leader = identify(Number(text('leader')));
  const finished = hooks.finish(500);
  writeFileSync(join(dir, 'go'), '');
  await until("the patient unit's queue is empty", () => patient.told.length === 1);
  await clock.pass(500);
  await finished;
  expect(leader !== null && isAlive(leader)).toBe(false);
  expect(existsSync(join(dir, 'done/patient'))).toBe(true);
  expect(existsSync(join(dir, 'done/dropped'))).toBe(false);
  expect(problems).toEqual(["on_start.success hook for 'web' was ended", "on_start.success hook for 'web' was not run: the supervisor ended"]);
});

test('where nothing runs the end comes at once, and no timer is left for what might have', async () => {
  const clock = makeManualClock();
  await openHookQueues({ clock, environment: {}, onProblem: () => undefined }).finish(5000);
  expect(clock.pending()).toEqual([]);
});

test('who waits for the end of all commands does not wait for one that runs for as long as it likes', async () => {
  const dir = tempDir();
  const [clock, end] = [createClock(), new AbortController()];
  onTestFinished(() => clock.close());
  const request = { clock, cwd: dir, env: { PATH: process.env['PATH'] ?? '' }, output: 'ignore', signal: end.signal, onProblem: () => undefined } as const;
  const stays = runCommand({ ...request, token: 'stays', isResident: true, script: 'touch stays; exec sleep 1000' });
  const passes = runCommand({ ...request, token: 'passes', script: 'touch passes; while [ ! -e go ]; do sleep 0.01; done' });
  const done: string[] = [];
  const waited = commandsEnded().then(() => done.push('waited'));
  void passes.then(() => done.push('passed'));
  for (const name of ['stays', 'passes']) await until(`${name} runs`, () => existsSync(join(dir, name)));
  expect(done).toEqual([]);
  writeFileSync(join(dir, 'go'), '');
  await waited;
  expect(done).toContain('passed');
  end.abort();
  expect(await stays).toEqual({ ok: false, reason: 'was ended' });
});
