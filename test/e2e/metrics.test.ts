import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { InspectPayload } from '../../src/wire/payloads.ts';
import { makeHome } from './rig.ts';

const busyTree = `version: "1"
services:
  tree:
    command: sh -c 'sleep 1000 & (while true; do :; done) & echo started; wait'
  rest:
    command: sleep 1000
  never:
    command: "true"
    oneshot: true
`;

/** Resident bytes of a process, as the kernel says. */
function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

describe.runIf(process.platform === 'linux')('figures of a unit', () => {
  test('are those of all its processes from the first Status on, and nobody has any who has no process', async () => {
    const home = makeHome(busyTree);
    expect((await home.sysg('start', '--daemonize')).code).toBe(0);
    const tree = await home.until('tree', ({ spawned_children: children, metrics }) => children?.length === 2 && (metrics?.latest_cpu_percent ?? 0) > 5, 'busy with two children');
    const children = (tree.spawned_children ?? []).map(({ child }) => child);
    expect(children.map(({ depth, kind, parent_pid: parent }) => ({ depth, kind, parent }))).toEqual([1, 2].map(() => ({ depth: 1, kind: 'peripheral', parent: tree.process?.pid })));
    const resident = await home.until('tree', ({ metrics, process: leader }) => {
      const pids = [leader?.pid ?? 0, ...children.map(({ pid }) => pid)];
      return metrics?.latest_rss_bytes === pids.map(residentBytes).reduce((sum, bytes) => sum + bytes, 0);
    }, 'as large as the kernel says');
    expect(resident.metrics?.samples).toBeGreaterThan(0);
    expect((await home.unit('rest')).metrics?.latest_cpu_percent).toBeLessThan(5);
    expect(await home.unit('never')).not.toHaveProperty('metrics');
  });

  test('a first Inspect has two readings; --json shows those of the window, an unknown unit is null and 2', async () => {
    const home = makeHome(busyTree);
    await home.sysg('start', '--daemonize');
    const { Inspect: first } = JSON.parse(await home.exchange('{"Inspect":{"unit":"rest","samples":10}}')) as { Inspect: InspectPayload };
    expect(first.samples.length).toBeGreaterThanOrEqual(2);
    expect(Object.keys(first.samples[0] ?? {})).toEqual(['timestamp', 'cpu_percent', 'rss_bytes', 'io_read_bytes', 'io_write_bytes', 'net_rx_bytes', 'net_tx_bytes']);
    const shown = await home.sysg('inspect', '-s', 'rest', '--json');
    expect(shown.code).toBe(0);
    expect((JSON.parse(shown.stdout) as InspectPayload).samples.length).toBeGreaterThanOrEqual(2);
    const unknown = await home.sysg('inspect', '-s', 'nope', '--json');
    expect({ code: unknown.code, payload: JSON.parse(unknown.stdout) as unknown }).toEqual({ code: 2, payload: { unit: null, samples: [], supervised: true } });
  });

  test('the report of the built program has the machine in it, and no colour in a pipe', async () => {
    const home = makeHome(busyTree);
    await home.sysg('start', '--daemonize');
    const { stdout, code } = await home.sysg('inspect', '-s', 'tree');
    expect(code).toBe(0);
    expect(stdout).toMatch(/── System Resources ─+\nSystem {5}\S.*\nLoad {7}\d/);
    expect(stdout).toMatch(/\nMem \[\|* *\] \d+\.\d\d\/\d+\.\d\dG\n/);
    expect(stdout).not.toContain('\u001b');
  });

  test('with a metrics block they go on unasked, and survive a reload', async () => {
    const home = makeHome(`${busyTree}metrics:\n  sample_interval_secs: 1\n`);
    await home.sysg('start', '--daemonize');
    const before = await home.until('rest', ({ metrics }) => (metrics?.samples ?? 0) >= 3, 'measured three times');
    expect(await home.exchange('{"Reload":{"config":null}}')).toContain('Configuration reloaded');
    expect((await home.unit('rest')).metrics?.samples).toBeGreaterThanOrEqual(before.metrics?.samples ?? 0);
  });
});
