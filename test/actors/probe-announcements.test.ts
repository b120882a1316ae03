import { spawn } from 'node:child_process';
import { closeSync, constants, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { openAnnouncements, type Announcements } from '../../src/actors/checks/announcements.ts';
import { ensureFifos } from '../../src/logs/fifo.ts';
import type { LogStore } from '../../src/logs/store.ts';
import type { ChildOutput } from '../../src/process/launch.ts';
import { piped, rig as logRig } from '../logs/rig.ts';
import { serviceSpec } from '../process/spec.ts';
import { until } from '../until.ts';
import { makeManualClock } from './manual-clock.ts';
import { checkOf, probe } from './probe-rig.ts';

/** A unit `web` whose processes are started as the supervisor would. */
function rig(check: HealthCheck, logs: Partial<ServiceSpec['logs']> = {}) {
  const made = logRig();
  const { directory: dir, fifoDir, problems } = made;
  const spec = serviceSpec(['forever'], dir, { name: 'web', check, logs: { ...piped, ...logs } });
  made.store.prepare([spec]);
  const clock = makeManualClock();
  const open = (store: LogStore): Announcements => {
    const announcements = openAnnouncements({ logs: store, fifoDir, ownerOf: () => null, onProblem: (text) => problems.push(text) });
    onTestFinished(() => announcements.forget('web'));
    return announcements;
  };
  const announcements = open(made.store);
  const start = (script: string, { stdout, stderr, extra = [] }: ChildOutput): { end(): void } => {
    const stdio: ('ignore' | number)[] = ['ignore', stdout, stderr];
    for (const { at, descriptor } of extra) {
      while (stdio.length < at) stdio.push('ignore');
      stdio[at] = descriptor;
    }
    const child = spawn('sh', ['-c', script], { detached: true, stdio, cwd: dir });
    for (const descriptor of [stdout, stderr, ...extra.map((one) => one.descriptor)]) closeSync(descriptor);
    const end = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    onTestFinished(end);
    return { end };
  };
  /** Starts a process of the unit as this supervisor would, which listens to it from then on. */
  const run = (script: string): { end(): void } => start(script, announcements.expect(spec, made.store.openChildEnds('web')));
  /** Starts a process as a supervisor that is gone has left it: nobody reads its FIFO, for a reader of this test would take what is for the next one. */
  const leaveBehind = (script: string): void => {
    const fifo = join(fifoDir, 'web.notify');
    expect(ensureFifos([{ path: fifo, owner: null }]).problems).toEqual([]);
    start(script, { ...made.store.openChildEnds('web'), extra: [{ at: 4, descriptor: openSync(fifo, constants.O_RDWR) }] });
  };
  /** What a supervisor after this one finds. */
  const succeed = (): Announcements => {
    made.store.close();
    const next = made.reopen();
    next.prepare([spec]);
    return open(next);
  };
  const watch = (by = announcements, changes: Partial<HealthCheck> = {}, wasReady = false) =>
    probe({ dir, clock, spec, check: { ...check, ...changes }, announcements: by, wasReady });
  return { ...made, dir, clock, spec, run, leaveBehind, watch, succeed, announcements };
}

describe('log', () => {
  const check = checkOf({ kind: 'log', pattern: '^ready: \\d+$' }, { timeoutMs: 3000, startPeriodMs: 500 });

  test.each(['stdout', 'stderr'])('a whole line on %s that matches is readiness, and there is nothing after it to report', async (stream) => {
    const { run, watch, clock, dir } = rig(check);
    run(`echo 'not ready: 1'; printf 'ready: ' ${stream === 'stderr' ? '>&2' : ''}; while [ ! -e go ]; do sleep 0.01; done; echo 12 ${stream === 'stderr' ? '>&2' : ''}; sleep 1000`);
    const { report, reports } = watch();
    await until('it waits', () => clock.pending().includes(3500));
    expect(reports).toEqual([]);
    writeFileSync(join(dir, 'go'), '');
    expect((await report(1)).type).toBe('probe.ok');
    expect(clock.pending()).toEqual([]);
  });

  test('a line from before the probe began counts, one of an earlier process does not', async () => {
    const { run, watch, clock, text } = rig(check);
    const first = run('echo "ready: 1"; sleep 1000');
    await until('it was written', () => text('web').includes('ready: 1'));
    expect((await watch().report(1)).type).toBe('probe.ok');
    first.end();
    run('echo begun; sleep 1000');
    await until('it was written', () => text('web').includes('begun'));
    const { report } = watch();
    await clock.pass(3500);
    expect(await report(1)).toMatchObject({ type: 'probe.timeout', reason: 'not ready within 3.5 s: no line of its output matched /^ready: \\d+$/' });
  });

  test('the line is found when the log is rotated before and after it', async () => {
    const { run, watch } = rig(check, { rotate: { sizeBytes: 300, keep: 2, compress: true } });
    run('n=0; while [ $n -lt 40 ]; do n=$((n + 1)); echo "a line of thirty characters $n"; [ $n -ne 20 ] || echo "ready: 20"; done; sleep 1000');
    expect((await watch().report(1)).type).toBe('probe.ok');
  });

  test('a file that the service writes itself is searched too', async () => {
    const { run, watch } = rig(check, { via: 'file' });
    run('sleep 0.1; echo "ready: 3"; sleep 1000');
    expect((await watch().report(1)).type).toBe('probe.ok');
  });

  test('of a process taken over, the end of the log is searched and what comes', async () => {
    const { run, text, succeed, watch } = rig(check);
    run('echo "ready: 4"; sleep 1000');
    await until('it was written', () => text('web').includes('ready: 4'));
    expect((await watch(succeed()).report(1)).type).toBe('probe.ok');
  });

  test('of a process that was ready before it was taken over, nothing is awaited', async () => {
    const { watch } = rig(check);
    expect((await watch(undefined, {}, true).report(1)).type).toBe('probe.ok');
  });
});

describe('notify_fd', () => {
  const check = checkOf({ kind: 'notify', fd: 4 }, { timeoutMs: 3000 });

  test('a newline on the descriptor is readiness; what comes before it is not', async () => {
    const { run, watch, clock, dir, fifoDir } = rig(check);
    run('printf x >&4; while [ ! -e go ]; do sleep 0.01; done; echo >&4; exec 4>&-; sleep 1000');
    const { report, reports } = watch();
    await until('it waits', () => clock.pending().includes(3000));
    expect(reports).toEqual([]);
    writeFileSync(join(dir, 'go'), '');
    expect((await report(1)).type).toBe('probe.ok');
    expect(existsSync(join(fifoDir, 'web.notify'))).toBe(false);
  });

  test('a process that writes none is not ready when the time is over', async () => {
    const { run, watch, clock } = rig(check);
    run('sleep 1000');
    const { report } = watch();
    await clock.pass(3000);
    expect(await report(1)).toMatchObject({ type: 'probe.timeout', reason: 'not ready within 3 s: it wrote no newline to descriptor 4' });
  });

  test('a newline of an earlier process that lives on says nothing of this one', async () => {
    const { run, watch, clock, dir } = rig(check);
    run('while [ ! -e go ]; do sleep 0.01; done; echo >&4; touch said; sleep 1000');
    run('sleep 1000');
    writeFileSync(join(dir, 'go'), '');
    await until('the earlier one has said it', () => existsSync(join(dir, 'said')));
    const { report } = watch();
    await clock.pass(3000);
    expect((await report(1)).type).toBe('probe.timeout');
  });

  test.each(['before', 'after'])('the newline reaches the next supervisor when it is written %s that listens', async (when) => {
    const { leaveBehind, succeed, watch, dir } = rig(check);
    leaveBehind('while [ ! -e go ]; do sleep 0.01; done; echo >&4; touch written; sleep 1000');
    const write = async (): Promise<void> => {
      writeFileSync(join(dir, 'go'), '');
      await until('it was written', () => existsSync(join(dir, 'written')));
    };
    if (when === 'before') await write();
    const { report } = watch(succeed());
    if (when === 'after') await write();
    expect((await report(1)).type).toBe('probe.ok');
  });

  test('a process that goes on writing when nobody listens any more is not hurt', async () => {
    const { run, watch, dir } = rig(check);
    run('echo >&4; while [ ! -e go ]; do sleep 0.01; done; echo >&4 && touch written; sleep 1000');
    expect((await watch().report(1)).type).toBe('probe.ok');
    // What listened is closed in the turn after the report.
    await new Promise(setImmediate);
    writeFileSync(join(dir, 'go'), '');
    await until('it was written', () => existsSync(join(dir, 'written')));
  });

  test('a process taken over that has closed the descriptor has said it', async () => {
    const { succeed, watch } = rig(check);
    expect((await watch(succeed()).report(1)).type).toBe('probe.ok');
  });

  test('where there can be no descriptor the start is refused and nothing is left open', () => {
    const { spec, announcements, fifoDir, store } = rig(check);
    // A directory that is not empty cannot be replaced by a FIFO.
    mkdirSync(join(fifoDir, 'web.notify', 'in-the-way'), { recursive: true });
    const output = store.openChildEnds('web');
    expect(() => announcements.expect(spec, output)).toThrow(/web\.notify/);
    expect(() => closeSync(output.stdout)).toThrow('EBADF');
    expect(() => closeSync(output.stderr)).toThrow('EBADF');
  });
});
