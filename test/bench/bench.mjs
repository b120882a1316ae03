// Measures the built program against something of the same run, so that a slow or busy machine changes the numbers and not the ratios.
//   npm run bench [-- --repeats 7] [--units 100] [--log-mb 100]
// Never part of the tests: it judges nothing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, release, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bin, makeHome, pause, soon } from '../soak/home.mjs';

const { values } = parseArgs({ options: { repeats: { type: 'string', default: '7' }, units: { type: 'string', default: '100' }, 'log-mb': { type: 'string', default: '100' } } });
const [repeats, count, megabytes] = [Number(values.repeats), Number(values.units), Number(values['log-mb'])];
const scratch = mkdtempSync(join(tmpdir(), 'sysg-bench-'));
const rows = [];

const ready = join(scratch, 'ready.sh');
writeFileSync(ready, '#!/bin/sh\n: >"$1.$$"\nexec sleep 100000\n', { mode: 0o755 });
const respawns = join(scratch, 'respawns.cjs');
writeFileSync(respawns, `const {spawn}=require('node:child_process');const start=()=>spawn(${JSON.stringify(ready)},[process.argv[2]],{stdio:'ignore',detached:true}).once('exit',start);for(let n=Number(process.argv[3]);n>0;n-=1)start();process.on('SIGTERM',()=>process.exit());`);

console.log(`${availableParallelism()} CPUs, Linux ${release()}, Node ${process.versions.node}, load ${loadavg()[0].toFixed(2)}, median of ${repeats}`);
await commandLine();
await starts(1);
await starts(count);
await logs();
rmSync(scratch, { recursive: true, force: true });
print();

/** Commands, in turns with a Node that does nothing. */
async function commandLine() {
  const home = makeHome();
  home.configure(units(1));
  await home.sysg('start', '--daemonize', '-c', home.config);
  const run = (...args) => () => timed(() => spawnSync(args[0], args.slice(1), { env: home.env, cwd: home.dir, stdio: 'ignore' }));
  const found = await inTurns({
    bare: run(process.execPath, '-e', '0'), version: run(bin, '--version'), status: run(bin, 'status'), help: run(bin, '--help'), why: run(bin, 'why', 'u0'),
    logs: run(bin, 'logs', '-s', 'u0', '--no-follow'),
  });
  for (const name of ['version', 'status', 'why', 'logs', 'help']) row(`sysg ${name === 'version' || name === 'help' ? `--${name}` : name}`, found[name], 'ms', 'bare node', found.bare);
  await home.remove();
}

async function starts(units_) {
  const samples = { cold: [], plain: [], kill: [], plainKill: [], stop: [], plainStop: [], status: [], bare: [], cpu: [], rss: [], nodeRss: [] };
  const rounds = units_ === 1 ? repeats : Math.max(2, Math.ceil(repeats / 3));
  for (let round = 0; round < rounds; round += 1) {
    // A plain Node program that starts the same processes and starts each again when it ends.
    const mark = join(scratch, `plain-${units_}-${round}`);
    let from = performance.now();
    const plain = spawn(process.execPath, [respawns, mark, String(units_)], { stdio: 'ignore' });
    await soon('the plain program started all', () => pids(mark).length === units_, 120_000, 2);
    samples.plain.push(performance.now() - from);
    samples.nodeRss.push(residentMb(plain.pid));
    samples.plainKill.push(await killOne(mark));
    from = performance.now();
    plain.kill('SIGTERM');
    const running = pids(mark).filter(isAlive);
    for (const pid of running) signal(pid, 'SIGTERM');
    await soon('they are dead', () => !running.some(isAlive), 30_000, 2);
    samples.plainStop.push(performance.now() - from);

    const home = makeHome();
    const own = join(home.dir, 'up');
    home.configure(units(units_, own));
    from = performance.now();
    const started = home.sysg('start', '--daemonize', '-c', home.config);
    await soon('all are up', () => pids(own).length === units_, 120_000, 2);
    samples.cold.push(performance.now() - from);
    await started;
    await pause(1500);
    const supervisor = home.supervisor();
    const before = cpuMs(supervisor);
    await pause(3000);
    samples.cpu.push((cpuMs(supervisor) - before) / 30);
    samples.rss.push(residentMb(supervisor));
    const { bare, status } = await inTurns({
      bare: () => timed(() => spawnSync(process.execPath, ['-e', '0'])), status: () => timed(() => spawnSync(bin, ['status'], { env: home.env, stdio: 'ignore' })),
    }, 5);
    samples.bare.push(...bare);
    samples.status.push(...status);
    samples.kill.push(await killOne(own));
    from = performance.now();
    await home.sysg('stop');
    samples.stop.push(performance.now() - from);
    await home.remove();
  }
  row(`start ${units_}, to the last one's first act`, samples.cold, 'ms', 'plain Node program', samples.plain);
  row(`kill -9 one of ${units_}, to its replacement`, samples.kill, 'ms', 'plain Node program', samples.plainKill);
  row(`stop ${units_}, command returns`, samples.stop, 'ms', 'kill and wait', samples.plainStop);
  if (units_ > 1) row(`status of ${units_}`, samples.status, 'ms', 'bare node', samples.bare);
  row(`supervisor memory with ${units_}`, samples.rss, 'MB', 'plain Node program', samples.nodeRss);
  row(`supervisor CPU at rest with ${units_}`, samples.cpu, '%');
}

/** One service that writes lines of 100 bytes as fast as it can. */
async function logs() {
  const bytes = megabytes * 1_000_000;
  const command = `yes "$(printf %099d 0)" | head -c ${bytes}`;
  const samples = { ours: [], cat: [], cpu: [] };
  for (let round = 0; round < Math.max(2, Math.ceil(repeats / 3)); round += 1) {
    const file = join(scratch, 'cat.log');
    samples.cat.push(bytes / 1e3 / timed(() => spawnSync('/bin/sh', ['-c', `${command} | cat >${file}`])));
    rmSync(file);
    const home = makeHome();
    home.configure(`version: "1"\nservices:\n  u0: {command: '${command}; exec sleep 100000', logs: {rotate: {size: 10G}}}\n`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await home.sysg('stop', '-s', 'u0');
    const log = join(home.state, 'logs/u0_stdout.log');
    const [before, size, from] = [cpuMs(home.supervisor()), existsSync(log) ? statSync(log).size : 0, performance.now()];
    const start = home.exchange('{"Start":{"service":"u0"}}');
    await soon('all of it is in the file', () => statSync(log).size >= size + bytes, 120_000, 2);
    samples.ours.push(bytes / 1e3 / (performance.now() - from));
    samples.cpu.push((cpuMs(home.supervisor()) - before) / megabytes);
    await start;
    await home.remove();
  }
  row('log of one service', samples.ours, 'MB/s', '| cat >file', samples.cat);
  row('supervisor CPU for it', samples.cpu, 'ms/MB');
}

function units(number, mark = join(scratch, 'other')) {
  const lines = Array.from({ length: number }, (_, index) => `  u${index}: {exec: [${ready}, ${mark}], restart_policy: always, backoff: 0s}\n`);
  return `version: "1"\nservices:\n${lines.join('')}`;
}

/** Instances that have said that they are there. */
function pids(mark) {
  const prefix = `${basename(mark)}.`;
  return readdirSync(dirname(mark)).flatMap((name) => (name.startsWith(prefix) ? [Number(name.slice(prefix.length))] : []));
}

async function killOne(mark) {
  const [victim] = pids(mark).filter(isAlive);
  const known = pids(mark).length;
  const from = performance.now();
  signal(victim, 'SIGKILL');
  await soon('it was replaced', () => pids(mark).length > known, 30_000, 1);
  return performance.now() - from;
}

function isAlive(pid) {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // It is gone.
    return false;
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone.
  }
}

function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMb(pid) {
  return Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

function timed(work) {
  const from = performance.now();
  work();
  return performance.now() - from;
}

async function inTurns(measures, times = repeats) {
  const found = Object.fromEntries(Object.keys(measures).map((name) => [name, []]));
  for (let turn = 0; turn < times; turn += 1) for (const [name, measure] of Object.entries(measures)) found[name].push(await measure());
  return found;
}

function row(what, samples, unit, against = '', reference = []) {
  const [value, base] = [median(samples), reference.length === 0 ? null : median(reference)];
  rows.push([what, `${number(value)} ${unit}`, base === null ? '' : `×${number(value / base)}`, base === null ? '' : `${against}: ${number(base)} ${unit}`]);
}

function median(samples) {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}

function number(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function print() {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => cells[column].length)));
  for (const [what, value, ratio, against] of rows) console.log(`${what.padEnd(widths[0])}  ${value.padStart(widths[1])}  ${ratio.padStart(widths[2])}  ${against}`.trimEnd());
}
