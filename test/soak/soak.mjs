// An hour of ordinary trouble: crash loops, floods, restarts, reloads, clients and followers that come and go, hand-overs, metrics on. Watches for leaks.
//   npm run soak [-- --minutes 60] [--seed N] [--plot FILE.svg]
// In the first third supervisors hand over to each other; the last of them is then watched. Where there are namespaces to be had it is the test build,
// which says what is in its heap after a collection, and its timers.
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { boxDirectory, obstacle, runInBox } from '../torture/box.mjs';
import { useTestBuild } from '../torture/world.mjs';
import { makeHome, pause, random, soon } from './home.mjs';
import { plot } from './plot.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string' }, plot: { type: 'string' } } });
if (boxDirectory() === undefined && obstacle() === null) process.exit(runInBox(resolve(process.argv[1]), process.argv.slice(2)));
const control = boxDirectory() === undefined ? null : useTestBuild();
if (control !== null) mkdirSync(join(control, 'figures'));
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const chance = random(seed);
const home = makeHome();
const yaml = (extra) => `version: "1"
metrics: {sample_interval_secs: 1}
services:
  steady: {command: "sleep 100000", restart_policy: always}
  talks: {command: "while :; do echo line; sleep 0.01; done", logs: {rotate: {size: 64K, keep: 2}}, env: {vars: {EXTRA: "${extra}"}}}
  floods: {command: "while :; do seq 1 20000; sleep 0.5; done", logs: {rotate: {size: 256K, keep: 2}}}
  flaps: {command: "echo up; sleep 0.05; exit 1", restart_policy: always, backoff: 20ms}
  checked: {command: "sleep 100000", restart_policy: always, health_check: {command: "true", interval: 1s, timeout: 5s}, hooks: {on_start: {success: {command: "true"}}}}
  after: {command: "sleep 100000", depends_on: [checked]}
${extra % 2 === 0 ? '  sometimes: {command: "sleep 100000"}\n' : ''}`;
console.log(`soak: seed ${seed}, ${values.minutes} minutes`);
home.configure(yaml(0));
await home.sysg('start', '--daemonize', '-c', home.config);
let supervisor = home.supervisor();
let handovers = 0;

const actions = [
  () => home.exchange(JSON.stringify({ Restart: { config: null, service: chance.pick(['steady', 'checked', 'talks']) } })),
  () => home.exchange(JSON.stringify({ Stop: { service: 'after' } })),
  () => home.exchange(JSON.stringify({ Start: { service: 'after' } })),
  () => (home.configure(yaml(chance.below(100))), home.exchange('{"Reload":{"config":null}}')),
  () => home.exchange('"Status"'),
  () => home.exchange('{"Inspect":{"unit":"talks","samples":20}}'),
  () => home.exchange('{"History":{"unit":null,"limit":100,"since":null}}'),
  () => follow('{"Logs":{"service":"talks","lines":10,"kind":"stdout","follow":true}}'),
  () => follow('{"Watch":{"since":null,"units":null}}'),
  () => follow('"half a li', ''),
  () => home.exchange('rubbish'),
];
const readings = [];
const began = performance.now();
const lengthMs = Number(values.minutes) * 60_000;
const steadyMs = lengthMs / 3;
let nextReading = 0;
for (let sinceMs = 0; sinceMs < lengthMs; sinceMs = performance.now() - began) {
  if (sinceMs < steadyMs && sinceMs > (handovers + 1) * 10_000) {
    const handed = await home.sysg('restart', '--supervisor');
    handovers += 1;
    if (handed.code !== 0 || home.supervisor() === supervisor) console.error(`soak: a hand-over ended with ${handed.code}: ${handed.stderr}`);
    supervisor = home.supervisor();
  }
  await Promise.all(Array.from({ length: 3 }, () => chance.pick(actions)().catch((error) => console.error(`soak: ${error.message}`))));
  if (home.supervisor() !== supervisor) break;
  if (performance.now() < nextReading) continue;
  nextReading = performance.now() + 5000;
  readings.push({ atMs: sinceMs, ...read() });
}

const problems = [];
if (home.supervisor() !== supervisor) problems.push('the supervisor died and was started again');
else {
  home.configure(yaml(0));
  await home.exchange('{"Reload":{"config":null}}');
  await home.exchange('{"Start":{"service":"after"}}');
  await soon('connections are closed', () => read().sockets <= 1, 20_000).catch((error) => problems.push(error.message));
  await pause(1000);
  readings.push({ atMs: performance.now() - began, ...read() });
  const steady = readings.filter(({ atMs }) => atMs > steadyMs);
  const [early, late] = [steady[Math.floor(steady.length / 5)], readings.at(-1)];
  console.log(`soak: ${handovers} hand-overs; a supervisor of ${((lengthMs - steadyMs) / 60_000).toFixed(1)} minutes, after a fifth of that and at its end:`);
  for (const key of Object.keys(early)) if (key !== 'atMs') console.log(`soak: ${key} ${number(early[key])} and ${number(late[key])}`);
  if (values.plot !== undefined) writeFileSync(values.plot, plot(readings, steadyMs));
  if (late.heapMb !== undefined && late.heapMb > early.heapMb * 1.25 + 4) problems.push('the heap grows');
  if (late.timers !== undefined && late.timers > early.timers + 20) problems.push('timers leak');
  // Two files of the journal of 4 MiB each, 10 MiB of the supervisor's log and its archives, the logs of the services.
  if (late.diskMb > 32) problems.push('the disk fills');
  // What the heap swings by between two collections, and the last ten thousand events in memory, are no leak.
  if (late.rssMb > early.rssMb * 1.3 + 25) problems.push('memory grows');
  // One reading swings by twenty with what is just being started, compressed or followed.
  const fifth = Math.ceil(steady.length / 5);
  const mean = (some) => some.reduce((sum, { descriptors }) => sum + descriptors, 0) / some.length;
  const [before, after] = [mean(steady.slice(0, fifth)), mean(steady.slice(-fifth))];
  console.log(`soak: descriptors in the first and the last fifth of that, on the average: ${number(before)} and ${number(after)}`);
  if (after > before + 8) problems.push('descriptors leak');
  // A service that has just ended is one for a moment.
  const ended = zombies();
  await pause(5000);
  const left = zombies().filter((pid) => ended.includes(pid));
  if (left.length > 0) problems.push(`zombies are left: ${left.join(', ')}`);
  const log = readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8');
  const trace = /^.*(internal error|Supervisor exited with error|MaxListenersExceeded|^ {4}at ).*$/m.exec(log);
  if (trace !== null) problems.push(`the log says: ${trace[0]}`);
}
for (const problem of problems) console.error(`soak: ${problem} (seed ${seed})`);
await home.remove();
console.log(`soak: ${problems.length} failures`);
process.exitCode = problems.length === 0 ? 0 : 1;

function number(value) {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

/** Reads for a while and leaves without a word. */
function follow(line, newline = '\n') {
  return new Promise((done) => {
    const socket = connect(join(home.state, 'control.sock'));
    socket.on('error', () => undefined).on('close', () => done()).resume();
    socket.write(`${line}${newline}`);
    setTimeout(() => socket.destroy(), chance.below(400));
  });
}

function zombies() {
  return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).filter((name) => {
    try {
      return new RegExp(`\\) Z ${supervisor} `).test(readFileSync(`/proc/${name}/stat`, 'latin1'));
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}

function read() {
  const names = readdirSync(`/proc/${supervisor}/fd`);
  const inodes = new Set(names.map((name) => {
    try {
      return readFileSync(`/proc/${supervisor}/fdinfo/${name}`, 'utf8');
    } catch {
      // Closed meanwhile.
      return '';
    }
  }).map((text) => /^ino:\s+([0-9]+)/m.exec(text)?.[1]));
  const sockets = readFileSync(`/proc/${supervisor}/net/unix`, 'utf8').split('\n').filter((line) => line.endsWith('/control.sock') && inodes.has(line.trim().split(/\s+/)[6])).length;
  return {
    rssMb: Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${supervisor}/status`, 'utf8'))?.[1]) / 1024,
    descriptors: names.length, sockets, zombies: zombies().length, diskMb: sizeBelow(home.state) / 2 ** 20, ...held(),
  };
}

/** What the supervisor itself has counted; nothing where it is no test build, or has just begun. */
function held() {
  try {
    const { pid, heapMb, timers } = JSON.parse(readFileSync(join(control ?? '', 'figures/last'), 'utf8'));
    return pid === supervisor ? { heapMb, timers } : {};
  } catch {
    // Not counted yet.
    return {};
  }
}

function sizeBelow(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + (statSync(join(entry.parentPath ?? entry.path, entry.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
