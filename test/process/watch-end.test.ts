import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { hasKoffi } from '../native/installed.ts';
import { until } from '../until.ts';

/** A process that is no child of ours. */
async function stranger(): Promise<number> {
  const shell = spawn('sh', ['-c', 'sleep 100 >/dev/null & echo $!'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [chunk] = await once(shell.stdout, 'data');
  const pid = Number(String(chunk));
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
  return pid;
}

/** Nobody waits for it here: until its new parent has, it is a zombie. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

/** Which descriptors of this process watch the other one: proc_pid_fdinfo(5) has its pid. */
function watching(pid: number): readonly string[] {
  return readdirSync('/proc/self/fdinfo').filter((name) => watchedBy(name) === pid);
}

/** Of whom a descriptor says the end: -1 of one who has been waited for; null where it is none of that kind, or closed. */
function watchedBy(descriptor: string): number | null {
  try {
    const [, pid] = /^Pid:\t(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8')) ?? [];
    return pid === undefined ? null : Number(pid);
  } catch {
    return null;
  }
}

describe.skipIf(process.platform !== 'linux').each([false, true])('the end of a process that is no child of ours (by the native port: %s)', (natively) => {
  beforeEach(({ skip }) => skip(natively && !hasKoffi, 'koffi is not installed'));

  async function modules(): Promise<typeof import('../../src/process/watch-end.ts')> {
    if (!natively) vi.stubEnv('SYSG_NATIVE', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    vi.resetModules();
    const { loadNative } = await import('../../src/native/load.ts');
    expect(await loadNative() !== null).toBe(natively);
    return import('../../src/process/watch-end.ts');
  }

  test('is reported once, without polling where the kernel says so, and leaves no descriptor', async () => {
    const { watchEnd } = await modules();
    const pid = await stranger();
    const onEnd = vi.fn();
    const looks = vi.fn(() => isGone(pid));
    const unwatch = watchEnd(pid, looks, onEnd);
    onTestFinished(unwatch);
    const [descriptor = 'none'] = natively ? await until('it is watched', () => watching(pid).length === 1 && watching(pid)) : [];
    expect(onEnd).not.toHaveBeenCalled();
    process.kill(pid, 'SIGKILL');
    await until('its end was reported', () => onEnd.mock.calls.length > 0);
    await new Promise((later) => void setImmediate(later));
    expect(onEnd).toHaveBeenCalledTimes(1);
    await until('nothing is left open', () => watchedBy(descriptor) === null);
    expect(unwatch).not.toThrow();
  });

  test('is not reported when watching has ended before, nor for another process of the same pid', async () => {
    const { watchEnd } = await modules();
    const pid = await stranger();
    const onEnd = vi.fn();
    const unwatch = watchEnd(pid, () => false, onEnd);
    const [descriptor = 'none'] = natively ? await until('it is watched', () => watching(pid).length === 1 && watching(pid)) : [];
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => isGone(pid));
    await until('its descriptor is closed', () => watchedBy(descriptor) === null);
    unwatch();
    expect(onEnd).not.toHaveBeenCalled();
    const late = vi.fn();
    watchEnd(pid, () => true, late)();
    await new Promise((later) => void setImmediate(later));
    expect(late).not.toHaveBeenCalled();
  });

  test('is reported in the moment in which the kernel says so', async ({ skip }) => {
    skip(!natively, 'without the port it is looked for');
    const { watchEnd } = await modules();
    const pid = await stranger();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    let isKilled = false;
    const onEnd = vi.fn();
    watchEnd(pid, () => isKilled, onEnd);
    await until('it is watched', () => watching(pid).length === 1);
    isKilled = true;
    process.kill(pid, 'SIGKILL');
    await until('its end was reported', () => onEnd.mock.calls.length > 0);
  });

  test('is not listened for when watching has ended in the turn in which it began', async () => {
    const { watchEnd } = await modules();
    const pid = await stranger();
    watchEnd(pid, () => false, vi.fn())();
    await new Promise((later) => void setImmediate(later));
    expect(watching(pid)).toEqual([]);
  });

  test('that was before the watching began is reported, too', async () => {
    const { watchEnd } = await modules();
    const pid = await stranger();
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => isGone(pid));
    const onEnd = vi.fn();
    watchEnd(pid, () => isGone(pid), onEnd);
    await until('its end was reported', () => onEnd.mock.calls.length > 0);
  });
});
