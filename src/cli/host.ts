import { setTimeout as pause } from 'node:timers/promises';
import { loadavg } from 'node:os';
import information from 'systeminformation';

/** The machine, for people. Memory in bytes. */
export interface Host {
  /** `Debian GNU/Linux 12, Linux 6.1.0 x64, 8 CPUs Intel Xeon`. */
  readonly system: string;
  /** Percent busy, over a quarter of a second. */
  readonly cpus: readonly number[];
  readonly memory: { readonly used: number; readonly total: number };
  /** `total` 0: none. */
  readonly swap: { readonly used: number; readonly total: number };
  /** Over 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

/** Takes about a third of a second. */
export async function readHost(): Promise<Host> {
  // The first reading counts from boot; the next one from the first, when it is at least 200 ms older.
  await information.currentLoad();
  const [system, memory] = await Promise.all([describeSystem(), information.mem(), pause(LOAD_SPAN_MS)]);
  const load = await information.currentLoad();
  return {
    system, cpus: load.cpus.map((cpu) => cpu.load), memory: { used: memory.total - memory.available, total: memory.total },
    swap: { used: memory.swapused, total: memory.swaptotal }, load: loadavg(),
  };
}

const LOAD_SPAN_MS = 250;

async function describeSystem(): Promise<string> {
  const [os, cpu] = await Promise.all([information.osInfo(), information.cpu()]);
  const distribution = [os.distro, os.release].filter((part) => part !== '' && part !== 'unknown').join(' ');
  const processor = [cpu.manufacturer, cpu.brand].filter((part) => part !== '').join(' ');
  return [distribution, `${os.platform} ${os.kernel} ${os.arch}`, `${cpu.cores} CPUs ${processor}`.trim()].filter((part) => part !== '').join(', ');
}
