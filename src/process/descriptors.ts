import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { ownNofile } from './limits.ts';

/** What the supervisor keeps for itself: connections, /proc, rotation, compaction, the lists of its own directories. */
export const reservedDescriptors = 16;
/** What starts again takes some of them for a moment: a client that asks for that has one already, and others may ask at the same time. */
const reservedFromKnown = 8;

// Two FIFOs stay open for as long as the unit is known; a spawn takes its ends of the FIFOs and a pipe for a moment.
const keptPerUnit = 2;
const neededBySpawn = 4;

export interface Reserve {
  /** Why the unit may not be started now, in a sentence; null when it may. */
  shortage(unit: string): string | null;
  /** The unit runs already, started by a supervisor before this one: it may be started again as if this one had started it. */
  know(unit: string): void;
  /** Whether a descriptor that was just opened is one of the reserve: the kernel gives the lowest free number. */
  holds(descriptor: number): boolean;
}

/** The reserve of this process. */
export function ownReserve(): Reserve {
  own ??= makeReserve(descriptorLimit());
  return own;
}

let own: Reserve | null = null;

/**
 * Sees to it that units leave the supervisor enough descriptors to answer clients and to stop units: a start that would take one of the reserve is refused, and
 * what runs may be started again. `open` counts the descriptors that are open now: the listing itself has one.
 */
export function makeReserve(limit: number, open = (): number => listOpen().length - 1): Reserve {
  const known = new Set<string>();
  const reservedFromNew = reservedDescriptors + DESCRIPTORS_OF_LOG * openLogsWithin(limit);
  // Counting takes a while when there are many: as long as there is plenty it is not done for every spawn.
  let uncounted = 0;
  return {
    shortage(unit) {
      const isKnown = known.has(unit);
      const needed = neededBySpawn + (isKnown ? 0 : keptPerUnit);
      const reserved = isKnown ? reservedFromKnown : reservedFromNew;
      if (uncounted >= needed) {
        uncounted -= needed;
      } else {
        const used = open();
        const left = limit - reserved - used - needed;
        if (left < 0) {
          return `too few file descriptors are left: ${used} of the ${limit} that the supervisor may have (nofile) are open, a start takes ${needed}, and ${reserved} are kept in reserve`;
        }
        uncounted = Math.max(0, Math.floor(left / 4) - 1024);
      }
      known.add(unit);
      return null;
    },
    know: (unit) => void known.add(unit),
    holds: (descriptor) => descriptor >= limit - reservedFromNew,
  };
}

/** How many connections the control socket may have at a time, so that clients cannot take all descriptors either. */
export function connectionsWithin(limit: number): number {
  return Math.max(8, Math.min(1024, Math.floor(limit / 8)));
}

/** How many log files stay open at a time, whatever the number of services: those that were written last. */
export function openLogsWithin(limit: number): number {
  return Math.max(2, Math.min(64, Math.floor(limit / 32)));
}

/** The file and that of its times. */
const DESCRIPTORS_OF_LOG = 2;

/** The process's own limit of open files: what Node raised it to when it started. */
export function descriptorLimit(): number {
  return ownNofile()?.soft ?? Infinity;
}

/** Empty where there is no /proc. */
function listOpen(): number[] {
  return attempt(() => readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').map(Number), [], 'ENOENT');
}

/**
 * Open descriptors above 2 that programs started from here would inherit. Node opens its own with close-on-exec: these are what
 * the caller left open. Empty where there is no /proc.
 */
export function inheritableDescriptors(): number[] {
  if (process.platform !== 'linux') return [];
  return listOpen().filter((descriptor) => descriptor > 2 && isInheritable(descriptor));
}

/** Closes them, apart from those still needed: nothing of the caller's reaches a program started from here. */
export function closeInheritable(except: readonly number[]): void {
  for (const descriptor of inheritableDescriptors()) if (!except.includes(descriptor)) closeSync(descriptor);
}

/**
 * Closes everything that this process has from its caller, apart from what is still needed. Node makes inherited descriptors up to 15 close-on-exec
 * as its own are, so these are told apart by what they are: Node's own are event objects, and pipes of which it has both ends. To be called once,
 * before anything else opens descriptors.
 */
export function closeInheritedDescriptors(except: readonly number[]): void {
  closeInheritable(except);
  if (process.platform !== 'linux') return;
  const kinds = listOpen().map((descriptor) => [descriptor, kindOf(descriptor)] as const);
  for (const [descriptor, kind] of kinds) {
    if (descriptor <= 2 || except.includes(descriptor) || kind === null || kind.startsWith('anon_inode:')) continue;
    if (!kind.startsWith('pipe:') || kinds.filter(([, other]) => other === kind).length === 1) closeSync(descriptor);
  }
}

/** `/path`, `pipe:[4711]`, `socket:[4711]`, `anon_inode:[eventpoll]`; null for the descriptor of the listing, which is closed by now. */
function kindOf(descriptor: number): string | null {
  return attempt(() => readlinkSync(`/proc/self/fd/${descriptor}`), null, 'ENOENT');
}

// proc_pid_fdinfo(5): the flags are octal. O_CLOEXEC is 02000000 on every architecture Node runs on.
function isInheritable(descriptor: number): boolean {
  // ENOENT: the descriptor of the listing itself is closed by now.
  const flags = /^flags:\s+([0-7]+)/m.exec(attempt(() => readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8'), '', 'ENOENT'))?.[1];
  return flags !== undefined && (parseInt(flags, 8) & 0o2000000) === 0;
}
