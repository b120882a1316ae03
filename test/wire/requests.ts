import fc from 'fast-check';
import type { Request } from '../../src/wire/requests.ts';

const text = fc.string({ unit: 'binary' });
const optionalText = fc.option(text);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const whole = fc.maxSafeNat();

/** Every request there is. */
export const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ kind: fc.constant('start' as const), service: optionalText, settlements: fc.boolean() }),
  fc.record({ kind: fc.constant('stop' as const), service: optionalText, settlements: fc.boolean(), forget: fc.boolean(), notes: fc.boolean() }),
  fc.record({ kind: fc.constant('add' as const), name: text, command: fc.array(text), directory: text, settlements: fc.boolean() }),
  fc.record({ kind: fc.constant('restart' as const), config: optionalText, service: optionalText, wait: fc.boolean(), settlements: fc.boolean(), all: fc.boolean(), notes: fc.boolean() }),
  fc.record({ kind: fc.constant('shutdown' as const) }),
  fc.record({ kind: fc.constant('handover' as const) }),
  fc.record({ kind: fc.constant('status' as const) }),
  fc.record({ kind: fc.constant('inspect' as const), unit: text, samples: u32 }),
  fc.record({ kind: fc.constant('logs' as const), service: optionalText, lines: whole, logKind: text, follow: fc.boolean() }),
  fc.record({
    kind: fc.constant('spawn' as const), parentPid: u32, name: text, command: fc.array(text), ttl: fc.option(whole), logLevel: optionalText,
  }),
  fc.record({ kind: fc.constant('history' as const), unit: optionalText, limit: u32, since: fc.option(whole) }),
  fc.record({ kind: fc.constant('watch' as const), since: fc.option(whole), units: fc.option(fc.array(text)) }),
  fc.record({ kind: fc.constant('reload' as const), config: optionalText }),
  fc.record({ kind: fc.constant('plan' as const), config: optionalText }),
  fc.record({ kind: fc.constant('signal' as const), unit: text, signal: text }),
);
