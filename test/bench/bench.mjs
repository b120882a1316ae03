// Measures the built program against something of the same run, so that a slow or busy machine changes the numbers and not the ratios; then how costs grow.
//   npm run bench [-- --only macro,micro,growth --repeats 7 --units 100 --log-mb 100 --services 1,10,100 --out DIRECTORY]
// `--out` gets bench.json, bench.md and the curves as SVG. Never part of the tests: it judges nothing.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bin, makeHome, pause, soon } from '../soak/home.mjs';
import { curves, plain } from './curves.mjs';
import { growthWithClients, growthWithLogs, growthWithRestarts, growthWithServices } from './growth.mjs';
import { loadMachines, runMachines } from './machines.mjs';

const { values } = parseArgs({
  options: {
    repeats: { type: 'string', default: '7' }, units: { type: 'string', default: '100' }, 'log-mb': { type: 'string', default: '100' }, only: { type: 'string', default: 'macro,micro,growth' },
    services: { type: 'string', default: '1,10,100' }, clients: { type: 'string', default: '1,10,50' }, logs: { type: 'string', default: '1,10,100' },
    restarts: { type: 'string', default: '1,10,50' }, out: { type: 'string' },
  },
});
const [repeats, count, megabytes] = [Number(values.repeats), Number(values.units), Number(values['log-mb'])];
const only = values.only.split(',');
const scratch = mkdtempSync(join(tmpdir(), 'sysg-bench-'));
const rows = [];

const ready = join(scratch, 'ready.sh');
writeFileSync(ready, '#!/bin/sh\n: >"$1.$$"\nexec sleep 100000\n', { mode: 0o755 });
const respawns = join(scratch, 'respawns.cjs');
writeFileSync(respawns, `const {spawn}=require('node:child_process');const start=()=>spawn(${JSON.stringify(ready)},[process.argv[2]],{stdio:'ignore',detached:true}).once('exit',start);for(let n=Number(process.argv[3]);n>0;n-=1)start();process.on('SIGTERM',()=>process.exit());`);

const machine = {
  date: new Date().toISOString(), cpus: availableParallelism(), processor: cpus()[0]?.model ?? '', memoryGb: Math.round(totalmem() / 2 ** 30), linux: release(), node: process.versions.node, repeats,
  load: { before: loadavg()[0], after: 0 },
};
if (only.includes('macro')) {
  await commandLine();
  await starts(1);
  await starts(count);
  await logs();
}
const micro = only.includes('micro') ? await machinesAlone() : [];
const growth = only.includes('growth') ? await growths() : [];
machine.load.after = loadavg()[0];
rmSync(scratch, { recursive: true, force: true });
const text = markdown();
console.log(text);
if (values.out !== undefined) write(values.out);

/** The machines on a virtual clock, without the rest: the least of some runs, since all that is added to it is noise. */
async function machinesAlone() {
  const machines = await loadMachines(scratch);
  return [1, 10, 100, 1000].map((units_) => {
    const runs = Array.from({ length: units_ < 1000 ? 5 : 2 }, () => runMachines(machines, units_, scratch));
    const least = (key) => Math.min(...runs.map((run) => run[key])) / units_;
    return { units: units_, startMs: least('startMs'), restartMs: least('restartMs'), stopMs: least('stopMs'), transitions: runs[0].transitions / units_ };
  });
}

async function growths() {
  const numbers = (list) => list.split(',').map(Number);
  return [
    {
      name: 'services', title: 'Services', x: 'count', rows: await growthWithServices(numbers(values.services)),
      panels: [
        ['CPU of the supervisor for the start of all, ms', 'startCpuMs'], ['memory (RSS) of the supervisor, MB', 'rssMb'], ['CPU of the supervisor for a status, ms', 'statusCpuMs'],
        ['CPU of the supervisor for a restart of one, ms', 'restartCpuMs'], ['descriptors', 'descriptors'], ['stop of all until the command returns, s', 'stopS'],
      ],
    },
    {
      name: 'clients', title: 'Clients that ask for the status of 20 services at once', x: 'count', rows: await growthWithClients(numbers(values.clients)),
      panels: [['CPU of the supervisor for each, ms', 'cpuMsEach'], ['until all have their answers, ms', 'allAnsweredMs']],
    },
    {
      name: 'logs', title: 'Megabytes that a service writes', x: 'megabytes', rows: await growthWithLogs(numbers(values.logs)),
      panels: [['MB/s', 'megabytesPerS'], ['CPU of the supervisor, ms for each MB', 'cpuMsPerMb']],
    },
    {
      name: 'restarts', title: 'Services that end at once', x: 'count', rows: await growthWithRestarts(numbers(values.restarts)),
      panels: [['starts in a second', 'startsPerS'], ['CPU of the supervisor for each, ms', 'cpuMsPerStart'], ['memory (RSS) of the supervisor, MB', 'rssMb']],
    },
  ];
}

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

function markdown() {
  const { date, cpus: processors, processor, memoryGb, linux, node, load } = machine;
  const table = (head, lines) => [`| ${head.join(' | ')} |`, `|${head.map(() => '---').join('|')}|`, ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
  const ofRows = (found) => (found.length === 0 ? '' : table(Object.keys(found[0]), found.map((each) => Object.values(each).map(plain))));
  return [
    `${date.slice(0, 16)}Z: ${processors} CPUs (${processor}), ${memoryGb} GB, Linux ${linux}, Node ${node}; load ${load.before.toFixed(1)} before, ${load.after.toFixed(1)} after; medians of ${repeats}`,
    ...(rows.length === 0 ? [] : ['## Against something of the same run', table(['', 'sysg', 'ratio', 'to'], rows)]),
    ...(micro.length === 0 ? [] : ['## The machines alone, CPU in ms for each unit', ofRows(micro)]),
    ...growth.flatMap(({ title, rows: found }) => [`## ${title}`, ofRows(found)]),
  ].join('\n\n');
}

function write(directory) {
  mkdirSync(directory, { recursive: true });
  const series = Object.fromEntries(growth.map(({ name, rows: found }) => [name, found]));
  const against = rows.map(([what, value, ratio, to]) => ({ what, value, ratio, to }));
  writeFileSync(join(directory, 'bench.json'), `${JSON.stringify({ machine, against, micro, growth: series }, null, 1)}\n`);
  writeFileSync(join(directory, 'bench.md'), `${text}\n`);
  const note = `${machine.date.slice(0, 10)}, ${machine.cpus} CPUs, load ${machine.load.before.toFixed(0)} to ${machine.load.after.toFixed(0)}`;
  for (const { name, title, x, rows: found, panels } of growth) {
    if (found.length > 1) writeFileSync(join(directory, `growth-${name}.svg`), curves(found, { x, xTitle: title, panels, note }));
  }
}
