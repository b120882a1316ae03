import type { Call } from '../call.ts';
import { followSupervisor } from '../watch.ts';
import type { Crowd } from './gather.ts';
import type { Source } from './sources.ts';

export interface Present {
  /** The units that were there when it was asked for them, at `askedMs` of the wall clock. */
  readonly units: readonly string[];
  readonly askedMs: number;
  /** The logs of a unit that comes; none: it is not meant. */
  sourcesOf(unit: string): readonly Source[];
}

/** For `gather`: has the logs followed of the units that a supervisor takes up, by a reload or one by one, and no more those of units that it lets go. */
export function followUnits(call: Call, { units, askedMs, sourcesOf }: Present): (crowd: Crowd) => () => void {
  return ({ join, leave }) => {
    const known = new Set(units);
    let heardMs = askedMs;
    const come = (name: string, sinceMs: number): void => {
      known.add(name);
      join(sourcesOf(name), sinceMs);
    };
    const go = (name: string): void => {
      known.delete(name);
      leave(name);
    };
    return followSupervisor(call, {
      line(line) {
        if (line.kind === 'snapshot') {
          const names = new Set(line.status.units.map(({ name }) => name));
          for (const name of names) if (!known.has(name)) come(name, heardMs);
          for (const name of known) if (!names.has(name)) go(name);
        } else if (line.kind === 'event' && line.record.unit !== null) {
          const { unit, event, to, at } = line.record;
          if (event === 'removed') go(unit);
          // A request may name a unit that there is not.
          else if (to !== undefined && !known.has(unit)) come(unit, Date.parse(at));
        }
        heardMs = Date.now();
      },
      gone: () => {},
      refused: () => {},
    });
  };
}
