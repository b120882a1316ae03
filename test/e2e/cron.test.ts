import { describe, expect, test } from 'vitest';
import type { CronUnitStatus } from '../../src/wire/payloads.ts';
import { isAlive, makeHome, soon, type Home } from './rig.ts';

const cronOf = async (home: Home, unit: string): Promise<CronUnitStatus | null> => (await home.unit(unit).catch(() => null))?.cron ?? null;

describe('cron units on the built program', () => {
  test('run at their instants, with the truth about each run, failed and running ones included', async () => {
    const home = makeHome(`
version: "1"
services:
  good: {command: "echo ran", cron: {expression: "* * * * * *", timezone: UTC}}
  bad: {command: "echo oops >&2; exit 4", cron: {expression: "* * * * * *", timezone: UTC}}
  slow: {command: "$PROGRAMS/forever", cron: {expression: "* * * * * *", timezone: UTC}}
`);
    expect((await home.sysg('start', '--daemonize', '-c', home.config)).code).toBe(0);
    // Of one moment: the next run begins a second later at the latest.
    const good = await home.until('good', ({ cron, process: running }) => running === undefined && (cron?.recent_runs ?? []).filter(({ status }) => status === 'Success').length >= 2, 'ran twice');
    expect(good).toMatchObject({ kind: 'cron', health: 'healthy', wanted: 'up', lifecycle: 'exited_successfully' });
    expect(good.cron?.recent_runs?.at(-1)).toMatchObject({ status: 'Success', exit_code: 0, command: 'echo ran' });
    expect(Date.parse(good.next_at ?? '') % 1000).toBe(0);
    const bad = await home.until('bad', ({ cron, process: running }) => running === undefined && cron?.last_run?.completed_at !== undefined, 'ran');
    expect(bad.health).toBe('degraded');
    expect(bad.cron?.recent_runs?.at(-1)).toMatchObject({ status: { Failed: 'Process exited with code 4' }, exit_code: 4 });
    await soon('slow overlapped', async () => (await cronOf(home, 'slow'))?.recent_runs?.some(({ status }) => status === 'OverlapError') ?? false);
    const slow = await home.unit('slow');
    const open = slow.cron?.recent_runs?.filter(({ completed_at: completed }) => completed === undefined) ?? [];
    expect(open).toHaveLength(1);
    expect(open[0]?.pid).toBe(slow.process?.pid);
    expect((await home.sysg('stop', '-s', 'slow')).code).toBe(0);
    expect(isAlive(slow.process?.pid ?? 0)).toBe(false);
    const stopped = await home.unit('slow');
    expect(stopped.wanted).toBe('down');
    expect(stopped.next_at).toBeUndefined();
  });

  test('history outlives a kill -9 of the supervisor, and a run that died meanwhile is closed as interrupted', async () => {
    const home = makeHome(`
version: "1"
services:
  quick: {command: "true", cron: {expression: "* * * * * *", timezone: UTC}}
  long: {command: "exec $PROGRAMS/forever", cron: {expression: "0 0 1 1 *", timezone: UTC}}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await home.sysg('start', '--daemonize', '-s', 'long');
    await soon('quick ran', async () => (await cronOf(home, 'quick'))?.last_run?.status === 'Success');
    const first = (await cronOf(home, 'quick'))?.recent_runs?.at(-1);
    const run = (await home.unit('long')).process?.pid ?? 0;
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGSTOP');
    process.kill(run, 'SIGKILL');
    process.kill(supervisor, 'SIGKILL');
    await soon('another supervisor serves', async () => home.supervisorPid() !== supervisor && (await home.status().catch(() => null)) !== null);
    await soon('the run is closed', async () => (await cronOf(home, 'long'))?.last_run?.completed_at !== undefined);
    expect((await cronOf(home, 'long'))?.last_run?.status).toEqual({ Failed: 'Interrupted by supervisor crash' });
    expect((await cronOf(home, 'quick'))?.recent_runs?.some(({ started_at: started }) => started === first?.started_at)).toBe(true);
    expect(await home.sysg('start', '--daemonize', '-s', 'long')).toMatchObject({ code: 0, stdout: "Service 'long' started\n" });
  });

  test('a service becomes a cron unit and a cron unit a service by a reload and by a restart, each with its logs', async () => {
    const service = (name: string): string => `  ${name}: {command: "echo ${name} serves; exec $PROGRAMS/forever"}\n`;
    const cron = (name: string): string => `  ${name}: {command: "echo ${name} ran", cron: {expression: "* * * * * *", timezone: UTC}}\n`;
    const head = 'version: "1"\nservices:\n';
    const home = makeHome(head + service('one') + cron('two'));
    await home.sysg('start', '--daemonize', '-c', home.config);
    home.configure(head + cron('one') + service('two'));
    expect((await home.sysg('reload')).code).toBe(0);
    await home.until('one', ({ cron: runs }) => runs?.last_run?.status === 'Success', 'ran');
    await home.until('two', ({ phase }) => phase === 'running', 'runs');
    await soon('both are in the logs', () => home.log('one').includes('one ran') && home.log('two').includes('two serves'));
    home.configure(head + service('one') + cron('two'));
    expect((await home.sysg('reload')).code).toBe(0);
    await home.until('one', ({ phase }) => phase === 'running', 'runs again');
    await home.until('two', ({ kind, cron: runs }) => kind === 'cron' && runs?.last_run?.status === 'Success', 'ran again');
    home.configure(head + cron('one') + service('two'));
    expect(await home.sysg('restart')).toMatchObject({ code: 0 });
    expect(await home.unit('two')).toMatchObject({ kind: 'service', phase: 'running' });
    await home.until('one', ({ kind }) => kind === 'cron', 'is on schedule');
    home.configure(head + service('one') + cron('two'));
    expect(await home.sysg('restart', '-s', 'one')).toMatchObject({ code: 0 });
    expect(await home.unit('one')).toMatchObject({ kind: 'service', phase: 'running' });
  });
});
