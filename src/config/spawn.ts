import type { SpawnSpec } from '../../machines/types.ts';
import { choice, integer, size, type Kind } from './kind.ts';
import { note } from './place.ts';
import { optional, record, withDefault } from './record.ts';

const count = integer(0, 4_294_967_295);

const defaults = { children: 100, depth: 3, descendants: 500, total_memory: null, termination_policy: 'cascade' } as const;

const limits = record({
  children: withDefault(count, 'Children that one parent may have at a time.', defaults.children),
  depth: withDefault(count, 'A child is allowed while its depth is below this; 1 is a child of the service itself.', defaults.depth),
  descendants: withDefault(count, 'Children of one service that may live at a time, at any depth.', defaults.descendants),
  total_memory: optional(size, 'Resident memory of all children together, with what they started.'),
  termination_policy: withDefault(choice(['cascade', 'orphan', 'reparent']), 'What the end of a child means to its own children.', defaults.termination_policy),
}, 'spawn limits');

const block = record({
  mode: withDefault(choice(['static', 'dynamic']), '`dynamic` lets the service spawn children through the supervisor.', 'static'),
  limits: optional(limits, 'Limits of what it may spawn.'),
}, 'spawn keys');

/** `null` is a static unit. */
export const spawn: Kind<SpawnSpec | null> = {
  schema: block.schema,
  read(place) {
    const values = block.read(place);
    if (values === undefined) return undefined;
    if (values.mode === 'static') return null;
    if (values.limits === null) note(place, 'systemg 0.33.0 lets nothing be spawned without a limits map; the default limits hold');
    const found = values.limits ?? defaults;
    return {
      children: found.children,
      depth: found.depth,
      descendants: found.descendants,
      totalMemoryBytes: found.total_memory,
      terminationPolicy: found.termination_policy,
    };
  },
};
