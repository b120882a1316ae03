import type { SpawnSpec } from '../../machines/types.ts';
import { choice, integer, meaning, size, type Kind } from './kind.ts';
import { note } from './place.ts';
import { defaultsOf, optional, record, withDefault } from './record.ts';

const count = integer(0, 4_294_967_295);

const limitKeys = {
  children: withDefault(count, 'Children that one parent may have at a time.', 100),
  depth: withDefault(count, 'A child is allowed while its depth is below this; 1 is a child of the service itself.', 3),
  descendants: withDefault(count, 'Children of one service that may live at a time, at any depth.', 500),
  total_memory: optional(size, 'Resident memory of all children together, with what they started.'),
  termination_policy: withDefault(choice(['cascade', 'orphan', 'reparent']), 'What the end of a child means to its own children.', 'cascade'),
};

const block = record({
  mode: withDefault(choice(['static', 'dynamic']), '`dynamic` lets the service spawn children through the supervisor.', 'static'),
  limits: optional(record(limitKeys, 'spawn limits'), 'Limits of what it may spawn.'),
}, 'spawn keys');

/** `null` is a static unit. */
export const spawn: Kind<SpawnSpec | null> = meaning(block, ({ mode, limits }, place) => {
  if (mode === 'static') return null;
  if (limits === null) note(place, 'systemg 0.33.0 lets nothing be spawned without a limits map; the default limits apply');
  const { total_memory: totalMemoryBytes, termination_policy: terminationPolicy, ...counts } = limits ?? defaultsOf(limitKeys);
  return { ...counts, totalMemoryBytes, terminationPolicy };
});
