import { expect } from 'vitest';
import type { Dependency, HealthCheck, ServiceSpec, SupervisorCommand } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { counted } from './counts.ts';
import { explore } from './explore.ts';
import { openSystem, describeSystemEvent, type SystemEvent, type SystemState } from './system.ts';
import { brokenInSystem, keyOfSystem, makeSystemRestFinder } from './system-invariants.ts';

export const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
};
const restart = { mode: 'on-failure', maxRestarts: 1 } as const;

export interface Setting {
  readonly title: string;
  readonly edge: Omit<Dependency, 'service'>;
  readonly a?: Partial<ServiceSpec>;
  readonly reloads?: boolean;
  readonly depth?: number;
}

const at = 0;
/** `MODEL_DEPTH=20` follows those without reloads to their end, in some minutes. */
const asked = process.env['MODEL_DEPTH'];

/** Every state of two units of which `b` needs `a` that the root, the units and the operating system can reach together. */
export function exploreTwoUnits({ title, edge, a = {}, reloads = false, depth = 9 }: Setting): void {
  const specs = [specOf({ name: 'a', restart, ...a }), specOf({ name: 'b', restart, dependsOn: [{ service: 'a', ...edge }] })];
  const system = openSystem(specs);
  const commands = commandsOn(specs, reloads);
  const ticketed = commands(1).map((command): SystemEvent => ({ kind: 'command', command }));
  const silent = commands(null).map((command): SystemEvent => ({ kind: 'command', command }));
  const unrestOf = makeSystemRestFinder(system);
  const explored = explore<SystemState, SystemEvent>({
    begin: [system.step(system.first, { kind: 'command', command: { type: 'boot', at, adopt: [], start: ['a', 'b'] } })],
    keyOf: keyOfSystem, describe: describeSystemEvent, step: system.step,
    events: (state) => [
      ...(state.watch.owed.length === 0 ? ticketed : silent),
      ...state.units.flatMap((node, index): readonly SystemEvent[] => (node?.reports ?? []).map((event) => ({ kind: 'report', unit: system.names[index] ?? '', event }))),
    ],
    wrong: (state) => brokenInSystem(state, system.names) ?? unrestOf(state),
    depth: asked === undefined ? depth : Number(asked),
  });
  counted(`two units: ${title}`, explored);
  if (asked !== undefined) return;
  expect(explored.complete || explored.depth >= depth).toBe(true);
}

function commandsOn(specs: readonly ServiceSpec[], reloads: boolean): (ticket: number | null) => readonly SupervisorCommand[] {
  const [a, b] = specs as readonly [ServiceSpec, ServiceSpec];
  const changed: ServiceSpec = { ...a, definition: { process: 'p2', policy: 'q1' } };
  return (ticket) => [
    ...(reloads ? [['a', 'b']] : [['a'], ['b'], ['a', 'b']]).flatMap((units): readonly SupervisorCommand[] => [
      { type: 'start', at, units, ticket }, { type: 'stop', at, units, ticket }, { type: 'restart', at, units, ticket, specs: null },
    ]),
    ...(reloads ? [[a, b], [changed, b], [a]].map((next): SupervisorCommand => ({ type: 'reload', at, specs: next })) : []),
  ];
}
