import { readdirSync } from 'node:fs';
import { ownNofile } from './limits.ts';

/** What the supervisor keeps for itself: connections, /proc, rotation, compaction, the lists of its own directories. */
export const reservedDescriptors = 16;

// Two FIFOs and two log files stay open for as long as the unit is known; a spawn takes its ends of the FIFOs and a pipe for a moment.
const keptPerUnit = 4;
const neededBySpawn = 4;

export interface Reserve {
  /** Why the unit may not be started now, in a sentence; null when it may. */
  shortage(unit: string): string | null;
}

/**
 * Sees to it that units leave the supervisor enough descriptors to be asked and stopped: whoever would take one of the reserve is refused, and what
 * runs may be started again. `open` counts the descriptors that are open now.
 */
export function makeReserve(limit: number, open: () => number = countOpen): Reserve {
  const known = new Set<string>();
  // Counting takes a while when there are many: as long as there is plenty it is not done for every spawn.
  let uncounted = 0;
  return {
    shortage(unit) {
      const needed = neededBySpawn + (known.has(unit) ? 0 : keptPerUnit);
      if (uncounted >= needed) {
        uncounted -= needed;
      } else {
        const used = open();
        const left = limit - reservedDescriptors - used - needed;
        if (left < 0) {
          return `too few file descriptors are left: ${used} of the ${limit} that the supervisor may have (nofile) are open, a start takes ${needed}, and ${reservedDescriptors} are kept in reserve`;
        }
        uncounted = Math.max(0, Math.floor(left / 4) - 1024);
      }
      known.add(unit);
      return null;
    },
  };
}

/** How many connections the control socket may have at a time, so that clients cannot take all descriptors either. */
export function connectionsWithin(limit: number): number {
  return Math.max(8, Math.min(1024, Math.floor(limit / 8)));
}

/** The process's own limit of open files: what Node raised it to when it started. */
export function descriptorLimit(): number {
  return ownNofile()?.soft ?? Infinity;
}

function countOpen(): number {
  // The listing itself has one.
  return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length - 1;
}
