import { leafOf } from '../../machines/service-facts.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { identityOf } from '../machines/rig.ts';
import type { ModelEvent, ModelProcess, ModelState } from './os.ts';

/** What a unit's user and its dependencies may do. */
export interface Possibilities {
  readonly specs: readonly ServiceSpec[];
  readonly dependencies: readonly string[];
  /** Answers that may be owed at a time. */
  readonly tickets: number;
}

const at = 0;

export function possibleEvents(state: ModelState, options: Possibilities): readonly ModelEvent[] {
  const { snapshot, owed } = state;
  if (snapshot.status !== 'active') return [];
  const { generation } = snapshot.context;
  const ticket = owed.length < options.tickets ? [1, 2, 3].find((id) => !owed.includes(id)) ?? null : null;
  return [
    { type: 'start', at, ticket }, { type: 'stop', at, ticket }, { type: 'restart', at, ticket, spec: null },
    ...options.specs.map((spec): ModelEvent => ({ type: 'reload', at, spec })), { type: 'reload', at, spec: null },
    ...options.specs.map((spec): ModelEvent => ({ type: 'restart', at, ticket, spec })),
    ...options.dependencies.flatMap((dependency): readonly ModelEvent[] => [
      { type: 'hold', at, dependency, stops: true, lost: null }, { type: 'hold', at, dependency, stops: false, lost: 'lost' },
      { type: 'release', at, dependency },
    ]),
    // Late reports of a process that is no longer meant.
    { type: 'process.exited', at, generation: generation - 1, exit: { code: 1, signal: null } }, { type: 'process.gone', at, generation: generation - 1 },
    { type: 'probe.timeout', at, generation: generation - 1, reason: 'late', attempts: 1, finding: 'late' }, { type: 'limit.exceeded', at, generation: generation - 1, reason: 'late' },
    ...reportsTo(state),
  ];
}

/** What the operating system, the checks, the clock and the hooks may tell a unit now. */
export function reportsTo({ snapshot, process, armed }: ModelState): readonly ModelEvent[] {
  if (snapshot.status !== 'active') return [];
  const { spec, generation, hooksPending } = snapshot.context;
  const leaf = leafOf(snapshot.value);
  const events: ModelEvent[] = [];
  if (hooksPending) events.push({ type: 'hooks.idle', at });
  if (armed !== null) events.push(deadlineOf(armed));
  if (process !== null) events.push(...processEvents(process));
  if (spec.check !== null && process?.state === 'alive') {
    if (leaf === 'starting') events.push({ type: 'probe.ok', generation, at }, { type: 'probe.timeout', generation, at, reason: 'unready', attempts: 1, finding: 'unready' });
    if (leaf === 'running') events.push({ type: 'probe.bad', generation, at, reason: 'unhealthy' }, { type: 'probe.ok', generation, at });
  }
  return events;
}

export function deadlineOf({ kind, generation }: { readonly kind: string; readonly generation: number }): ModelEvent {
  return { type: `deadline.${kind}`, generation, at } as ModelEvent;
}

export function processEvents({ state, generation, ordered, adopted }: ModelProcess): readonly ModelEvent[] {
  const exits: readonly ModelEvent[] = [0, 1].map((code) => ({ type: 'process.exited', generation, at, exit: { code, signal: null } }));
  const gone: ModelEvent = { type: 'process.gone', generation, at };
  switch (state) {
    // An order before anything was started calls the start off.
    case 'forking': return ordered === 'nothing'
      ? [{ type: 'process.spawned', generation, at, identity: identityOf(7) }, { type: 'process.refused', generation, at, reason: 'refused' }]
      : [{ type: 'process.spawned', generation, at, identity: identityOf(7) }, gone];
    // What is not our child is seen to be gone, and not how it ended.
    case 'alive': return adopted ? [...exits, gone] : exits;
    case 'leader-dead': return ordered === 'nothing' && !adopted ? [] : [gone];
  }
}

export function nameOf(event: ModelEvent): string {
  switch (event.type) {
    case 'process.exited': return `exited ${event.exit?.code ?? event.exit?.signal}`;
    case 'start': case 'stop': return event.ticket === null ? event.type : `${event.type} with a ticket`;
    case 'restart': return `restart${event.spec === null ? '' : ` with ${definitionOf(event.spec)}`}${event.ticket === null ? '' : ' with a ticket'}`;
    case 'reload': return event.spec === null ? 'remove' : `reload ${definitionOf(event.spec)}`;
    case 'hold': return `hold ${event.dependency}${event.stops ? ' (stops)' : ''}${event.lost === null ? '' : ' (lost)'}`;
    case 'release': return `release ${event.dependency}`;
    case 'adopt': return `adopt ${event.record.state} ${event.verdict}`;
    default: return event.type.replace('process.', '');
  }
}

export function definitionOf({ definition }: ServiceSpec): string {
  return `${definition.process}/${definition.policy}`;
}
