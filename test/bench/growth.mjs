// How costs grow: with services, with clients, with what services write, and with how often they are restarted. Mostly CPU of the supervisor, which a
// busy machine changes less than the time that passes.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeHome, pause, soon } from '../soak/home.mjs';

/** One row for each number of services; a number that cannot be reached in time ends the series. */
export async function growthWithServices(numbers) {
  const rows = [];
  for (const count of numbers) {
    const home = makeHome();
    try {
      home.configure(services(count, () => 'exec sleep 100000'));
      const from = performance.now();
      await home.sysg('start', '--daemonize', '-c', home.config, '--wait-timeout', '300s');
      await soon('all run', () => children(home.supervisor()) >= count, 60_000, 50);
      const startS = (performance.now() - from) / 1000;
      await pause(1500);
      const supervisor = home.supervisor();
      const startCpuMs = cpuMs(supervisor);
      const rssMb = residentMb(supervisor);
      const descriptors = readdirSync(`/proc/${supervisor}/fd`).length;
      const statusCpuMs = await spent(supervisor, 5, () => home.exchange('"Status"'));
      const restartCpuMs = await spent(supervisor, 5, () => home.exchange('{"Restart":{"config":null,"service":"u0"}}'));
      const idle = cpuMs(supervisor);
      await pause(3000);
      const atRestCpuPercent = (cpuMs(supervisor) - idle) / 30;
      const stopFrom = performance.now();
      await home.sysg('stop');
      rows.push({ count, startCpuMs, startS, rssMb, descriptors, statusCpuMs, restartCpuMs, atRestCpuPercent, stopS: (performance.now() - stopFrom) / 1000 });
    } catch (error) {
      console.error(`growth: ${count} services: ${error.message}`);
      break;
    } finally {
      await home.remove();
    }
  }
  return rows;
}

/** Clients that ask for the status of 20 services at the same moment, each over a connection of its own. */
export async function growthWithClients(numbers) {
  const home = makeHome();
  home.configure(services(20, () => 'exec sleep 100000'));
  await home.sysg('start', '--daemonize', '-c', home.config);
  const rows = [];
  for (const count of numbers) {
    const supervisor = home.supervisor();
    const ask = () => Promise.all(Array.from({ length: count }, () => home.exchange('"Status"')));
    await ask();
    const from = performance.now();
    const cpuMsEach = await spent(supervisor, 5, ask) / count;
    rows.push({ count, cpuMsEach, allAnsweredMs: (performance.now() - from) / 5 });
  }
  await home.remove();
  return rows;
}

/** Megabytes that one service writes at once, in lines of 100 bytes. */
export async function growthWithLogs(numbers) {
  const rows = [];
  for (const megabytes of numbers) {
    const home = makeHome();
    home.configure(`version: "1"\nservices:\n  u0: {command: 'yes "$(printf %099d 0)" | head -c ${megabytes}000000; exec sleep 100000', logs: {rotate: {size: 10G}}}\n`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const log = join(home.state, 'logs/u0_stdout.log');
    await soon('it is written', () => statSync(log).size >= megabytes * 1e6, 120_000, 5);
    const [before, size, from] = [cpuMs(home.supervisor()), statSync(log).size, performance.now()];
    const restarted = home.exchange('{"Restart":{"config":null,"service":"u0"}}');
    await soon('it is written again', () => statSync(log).size >= size + megabytes * 1e6, 120_000, 2);
    rows.push({ megabytes, megabytesPerS: megabytes * 1000 / (performance.now() - from), cpuMsPerMb: (cpuMs(home.supervisor()) - before) / megabytes });
    await restarted;
    await home.remove();
  }
  return rows;
}

/** Services that end at once and are started again and again. */
export async function growthWithRestarts(numbers, forMs = 5000) {
  const rows = [];
  for (const count of numbers) {
    const home = makeHome();
    home.configure(services(count, () => 'exit 1', ', restart_policy: always, backoff: 0s'));
    await home.sysg('start', '--daemonize', '-c', home.config);
    await pause(500);
    const supervisor = home.supervisor();
    const starts = async () => (await home.status()).units.reduce((sum, { restarts }) => sum + restarts, 0);
    const [before, cpu, from] = [await starts(), cpuMs(supervisor), performance.now()];
    await pause(forMs);
    const [after, used, seconds] = [await starts(), cpuMs(supervisor) - cpu, (performance.now() - from) / 1000];
    rows.push({ count, startsPerS: (after - before) / seconds, cpuMsPerStart: used / Math.max(1, after - before), cpuPercent: used / seconds / 10, rssMb: residentMb(supervisor) });
    await home.remove();
  }
  return rows;
}

function services(count, command, more = '') {
  return `version: "1"\nservices:\n${Array.from({ length: count }, (_, index) => `  u${index}: {command: "${command(index)}"${more}}\n`).join('')}`;
}

/** CPU of the supervisor for one of `times` acts, in milliseconds. */
async function spent(supervisor, times, act) {
  await act();
  await pause(300);
  const before = cpuMs(supervisor);
  for (let time = 0; time < times; time += 1) await act();
  await pause(300);
  return (cpuMs(supervisor) - before) / times;
}

/** Of all its threads, to the nanosecond. */
function cpuMs(pid) {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6, 0);
}

function residentMb(pid) {
  return Number(/^VmRSS:\s+([0-9]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

function children(pid) {
  return pid === 0 ? 0 : readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').length - 1;
}
