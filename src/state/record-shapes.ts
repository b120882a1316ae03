import { LEAVES } from '../../machines/types.ts';
import type { ChildRecord, SignalName, SwitchRecord, UnitRecord } from '../../machines/types.ts';
import { boolean, count, list, nullable, number, oneOf, record, string, unexpected, whole, type Shape } from '../wire/shape.ts';

const signalName: Shape<SignalName> = (value, at) => (typeof value === 'string' && /^SIG[A-Z0-9+-]+$/.test(value) ? null : unexpected('a signal name', value, at));
const identity = record({ pid: whole(1), startTime: string, bootId: string });
const slot = oneOf(0, 1);

/** A unit's record as it was written by `JSON.stringify`. */
export const unitRecord: Shape<UnitRecord> = record({
  unit: string, hash: string, definition: record({ process: string, policy: string }), wanted: oneOf('up', 'down'), state: oneOf(...LEAVES),
  cause: nullable(oneOf('command', 'restart', 'reload', 'hold', 'unready', 'unhealthy', 'limit', 'internal')),
  generation: count,
  process: nullable(record({ generation: count, role: oneOf('main', 'skip', 'pre_start'), token: string, identity: nullable(identity), adopted: boolean })),
  outcome: oneOf('none', 'skipped', 'completed', 'failed'),
  exit: nullable(record({ code: nullable(count), signal: nullable(signalName) })),
  reason: nullable(string), failures: list(number), streak: count, restarts: count,
  deadline: nullable(record({ kind: oneOf('alive', 'stable', 'grace', 'kill', 'backoff', 'task', 'run'), at: number })),
  since: number,
}, { cron: boolean });

export const childRecord: Shape<ChildRecord> = record({
  id: string,
  order: record({
    unit: string, generation: count, token: string, parent: nullable(string), parentPid: whole(1), name: string, argv: list(string), ttlMs: nullable(number),
    logLevel: nullable(string),
  }),
  depth: whole(1), token: string, startedAt: number, identity: nullable(identity),
});

export const switchRecord: Shape<SwitchRecord> = record({ unit: string, generation: count, slots: record({ from: slot, to: slot }) });
