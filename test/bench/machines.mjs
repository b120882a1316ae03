// What the machines alone cost: a root with many units on a virtual clock, whose processes are scripted. No process, no file, no socket.
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../..');
const entry = `
export { createActor } from 'xstate';
export { provideSupervisor } from './machines/supervisor.ts';
export { rolloutTaskPort } from './machines/ports.ts';
export { createVirtualClock } from './src/simulate/clock.ts';
export { openScript } from './src/simulate/script.ts';
export { loadConfig } from './src/config/load.ts';
export { identify } from './src/compat/identity.ts';
`;

/** Bundles the sources of `from`, another checkout than this one where builds are compared, into a directory of the caller's. */
export async function loadMachines(scratch, from = root) {
  const outfile = join(scratch, `machines-${Math.random().toString(36).slice(2)}.cjs`);
  await build({ stdin: { contents: entry, resolveDir: from, loader: 'ts' }, bundle: true, platform: 'node', format: 'cjs', target: 'node20', outfile, logLevel: 'error' });
  return createRequire(outfile)(outfile);
}

/** CPU and heap of starting, restarting and stopping `count` units, and the transitions that the root reported. */
export function runMachines(machines, count, scratch) {
  const { createActor, createVirtualClock, identify, loadConfig, openScript, provideSupervisor, rolloutTaskPort } = machines;
  const path = join(scratch, 'machines.yaml');
  writeFileSync(path, `version: "1"\nservices:\n${Array.from({ length: count }, (_, index) => `  u${index}:\n    command: sleep 1\n    restart_policy: always\n`).join('')}`);
  const loaded = loadConfig(path, { env: {}, identify });
  rmSync(path);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const specs = loaded.config.services;
  const clock = createVirtualClock();
  const script = openScript(clock, new Map());
  const nothing = () => undefined;
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const actor = createActor(provideSupervisor({
    clock, process: script.process, probe: script.probe, rolloutTask: rolloutTaskPort, lookup: nothing,
    schedule: { watch: nothing, unwatch: nothing }, hooks: { queue: (_runs, target) => void clock.at(clock.now(), () => target.send({ type: 'hooks.idle', at: clock.now() })) },
    tickets: { settle: nothing }, ledger: { record: nothing, forget: nothing }, runs: { began: nothing, running: nothing, ended: nothing, overlapped: nothing },
    children: { recordChild: nothing, forgetChild: nothing }, switches: { recordSwitch: nothing, forgetSwitch: nothing },
  }), { input: { specs, tokenSeed: 'bench', seed: 1, at: 0 } });
  let transitions = 0;
  actor.on('unit.changed', () => void (transitions += 1));
  actor.start();
  const units = specs.map(({ name }) => name);
  // Far enough for everything that is ordered, and for running services to count as stable.
  const settle = () => {
    const until = clock.now() + 120_000;
    while (clock.nextAt !== null && clock.nextAt <= until) clock.step();
  };
  const timed = (order) => {
    const before = process.cpuUsage();
    actor.send(order);
    settle();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
  const startMs = timed({ type: 'boot', at: clock.now(), adopt: [], start: units });
  globalThis.gc?.();
  const heapPerUnit = (process.memoryUsage().heapUsed - heap) / count;
  const restartMs = timed({ type: 'restart', at: clock.now(), ticket: 1, units, specs: null });
  const stopMs = timed({ type: 'stop', at: clock.now(), ticket: 2, units });
  return { startMs, restartMs, stopMs, transitions, heapPerUnit };
}
