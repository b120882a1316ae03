import { initialTransition, transition } from 'xstate';
import { serviceMachine, type ServiceSnapshot } from '../../machines/service.ts';
import type { ServiceEvent, ServiceSpec, Settlement, SignalName } from '../../machines/types.ts';
import { identityOf } from '../machines/rig.ts';

/** A process as the kernel has it: being started, alive, or with a dead leader and perhaps leftovers; or none. */
export interface ModelProcess {
  readonly actor: string;
  readonly generation: number;
  readonly state: 'forking' | 'alive' | 'leader-dead';
  /** What its actor was last ordered to do. */
  readonly ordered: 'nothing' | 'stop' | 'clear' | 'kill';
  readonly spec: ServiceSpec;
}

/** The real machine, the operating system beside it, and what an observer remembers of both. */
export interface ModelState {
  readonly snapshot: ServiceSnapshot;
  readonly process: ModelProcess | null;
  readonly armed: { readonly kind: string; readonly generation: number } | null;
  /** Tickets given and not answered yet. */
  readonly owed: readonly number[];
  readonly lastCommand: 'start' | 'stop' | 'restart' | 'none';
  readonly newestSpec: ServiceSpec;
  /** Automatic restarts since failures were last forgiven. */
  readonly restartsSinceForgiven: number;
  readonly removed: boolean;
  /** What must never happen and did. */
  readonly violations: readonly string[];
}

export type ModelEvent = ServiceEvent;

interface Action {
  readonly type: string;
  readonly params?: unknown;
}

export function beginModel(spec: ServiceSpec, held: readonly string[] = []): ModelState {
  const [snapshot, actions] = initialTransition(serviceMachine, { spec, held, tokenBase: 't', seed: 1, at: 0, parent: null });
  const empty: ModelState = {
    snapshot, process: null, armed: null, owed: [], lastCommand: 'none', newestSpec: spec, restartsSinceForgiven: 0, removed: false, violations: [],
  };
  return actions.reduce((state, action) => perform(state, action), empty);
}

/** One event through the real machine, its orders through the model of the system. */
export function stepModel(state: ModelState, event: ModelEvent): ModelState {
  const [snapshot, actions] = transition(serviceMachine, state.snapshot, event);
  const before = observe({ ...state, violations: [] }, event);
  const after = actions.reduce((next, action) => perform(next, action), { ...before, snapshot });
  const forgiven = snapshot.context.streak === 0 && state.snapshot.context.streak > 0;
  return { ...after, restartsSinceForgiven: forgiven ? 0 : after.restartsSinceForgiven };
}

/** What the event itself says about the world. */
function observe(state: ModelState, event: ModelEvent): ModelState {
  if (event.type.startsWith('process.') && 'generation' in event && event.generation !== state.process?.generation) return state;
  switch (event.type) {
    case 'start': case 'stop': case 'restart': {
      if (state.removed) return { ...state, owed: event.ticket === null ? state.owed : [...state.owed, event.ticket] };
      const spec = event.type === 'restart' && event.spec !== null ? event.spec : state.newestSpec;
      return {
        ...state, lastCommand: event.type, newestSpec: spec, owed: event.ticket === null ? state.owed : [...state.owed, event.ticket],
        restartsSinceForgiven: event.type === 'stop' ? state.restartsSinceForgiven : 0,
      };
    }
    case 'reload': return event.spec === null ? { ...state, removed: true } : { ...state, newestSpec: event.spec, removed: false, restartsSinceForgiven: 0, lastCommand: state.removed ? 'start' : state.lastCommand };
    case 'process.spawned': return state.process === null ? state : { ...state, process: { ...state.process, state: 'alive' } };
    case 'process.exited': return state.process === null ? state : { ...state, process: { ...state.process, state: 'leader-dead' } };
    case 'process.refused': case 'process.gone': return { ...state, process: null };
    case 'deadline.backoff': {
      // A clean exit that restarts is no failure.
      const failed = state.snapshot.context.streak > 0;
      return { ...state, armed: null, restartsSinceForgiven: state.restartsSinceForgiven + (failed ? 1 : 0) };
    }
    default: return event.type.startsWith('deadline.') ? { ...state, armed: null } : state;
  }
}

/** An action of the machine, as its port would carry it out. */
function perform(state: ModelState, action: Action): ModelState {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.spawnChild': {
      const { actorRef: { id }, input } = params as { actorRef: { id: string }; input: { spec: ServiceSpec; generation: number } };
      if (id === 'probe') return state;
      const second = state.process === null ? [] : [`a second process: ${id} beside ${state.process.actor}`];
      const stale = id.startsWith('process.') && input.spec !== state.newestSpec ? ['a stale definition was started'] : [];
      return {
        ...state, violations: [...state.violations, ...second, ...stale],
        process: { actor: id, generation: input.generation, state: 'forking', ordered: 'nothing', spec: input.spec },
      };
    }
    case 'xstate.sendTo': {
      const { targetId, event } = params as { targetId: string; event: { type: 'stop' | 'clear' | 'kill'; signal?: SignalName } };
      if (!/^(process|task)\./.test(targetId ?? '')) return state;
      if (state.process?.actor !== targetId) return { ...state, violations: [...state.violations, `${event.type} to ${targetId}, which has no process`] };
      return { ...state, process: { ...state.process, ordered: event.type } };
    }
    case 'armClock': {
      const { deadline, generation } = state.snapshot.context;
      return deadline === null ? state : { ...state, armed: { kind: deadline.kind, generation } };
    }
    case 'disarmClock': return { ...state, armed: null };
    case 'answer': {
      const { settlements } = params as { settlements: readonly Settlement[] };
      const ids = settlements.map(({ ticket }) => ticket);
      const twice = ids.filter((id) => !state.owed.includes(id)).map((id) => `ticket ${id} was answered twice`);
      return { ...state, owed: state.owed.filter((id) => !ids.includes(id)), violations: [...state.violations, ...twice] };
    }
    default: return state;
  }
}

/** All that the system and its user may do now. */
export interface Possibilities {
  readonly specs: readonly ServiceSpec[];
  readonly dependencies: readonly string[];
  /** Answers that may be owed at a time. */
  readonly tickets: number;
}

export function possibleEvents(state: ModelState, options: Possibilities): readonly ModelEvent[] {
  const { snapshot, process, armed, owed } = state;
  if (snapshot.status !== 'active') return [];
  const { generation } = snapshot.context;
  const at = 0;
  const ticket = owed.length < options.tickets ? [1, 2, 3].find((id) => !owed.includes(id)) ?? null : null;
  const events: ModelEvent[] = [
    { type: 'start', at, ticket }, { type: 'stop', at, ticket }, { type: 'restart', at, ticket, spec: null },
    ...options.specs.map((spec): ModelEvent => ({ type: 'reload', at, spec })), { type: 'reload', at, spec: null },
    ...options.specs.map((spec): ModelEvent => ({ type: 'restart', at, ticket, spec })),
    ...options.dependencies.flatMap((dependency): readonly ModelEvent[] => [
      { type: 'hold', at, dependency, stops: true, lost: null }, { type: 'hold', at, dependency, stops: false, lost: 'lost' },
      { type: 'release', at, dependency },
    ]),
    ...(snapshot.context.hooksPending ? [{ type: 'hooks.idle', at } as const] : []),
    // Late reports of a process that is no longer meant.
    { type: 'process.exited', at, generation: generation - 1, exit: { code: 1, signal: null } }, { type: 'process.gone', at, generation: generation - 1 },
  ];
  if (armed !== null) events.push({ type: `deadline.${armed.kind}`, generation: armed.generation, at } as ModelEvent);
  if (process !== null) events.push(...processEvents(process));
  const { spec, leaf } = snapshot.context;
  if (spec.check !== null && process?.state === 'alive') {
    if (leaf === 'starting') events.push({ type: 'probe.ok', generation, at }, { type: 'probe.timeout', generation, at, reason: 'unready' });
    if (leaf === 'running') events.push({ type: 'probe.bad', generation, at, reason: 'unhealthy' }, { type: 'probe.ok', generation, at });
  }
  return events;
}

export function processEvents({ state, generation, ordered }: ModelProcess): readonly ModelEvent[] {
  const at = 0;
  const exits: readonly ModelEvent[] = [0, 1].map((code) => ({ type: 'process.exited', generation, at, exit: { code, signal: null } }));
  switch (state) {
    case 'forking': return [{ type: 'process.spawned', generation, at, identity: identityOf(7) }, { type: 'process.refused', generation, at, reason: 'refused' }];
    case 'alive': return exits;
    case 'leader-dead': return ordered === 'nothing' ? [] : [{ type: 'process.gone', generation, at }];
  }
}

/** States that differ in nothing that matters are one. */
export function keyOf({ snapshot, process, armed, owed, lastCommand, newestSpec, restartsSinceForgiven, removed, violations }: ModelState): string {
  const { context, value, status } = snapshot;
  return JSON.stringify([
    status, value, context.spec.definition, context.nextSpec?.definition ?? null, context.removed, context.wanted, context.held, context.step, context.cause,
    context.refusal !== null, context.refused, context.ended?.code ?? null, Math.min(context.streak, 4), context.outcome, context.ready,
    context.tickets.map(({ id, kind }) => [id, kind]), context.deadline?.kind ?? null, Math.min(context.killsOrdered, 2), context.process === null,
    process === null ? null : [process.actor.split('.')[0], process.state, process.ordered, process.generation - context.generation, process.spec.definition],
    armed?.kind ?? null, owed, lastCommand === 'restart' ? 'start' : lastCommand, newestSpec.definition, restartsSinceForgiven, context.hooksPending, removed, violations,
  ]);
}

/** What must hold in every state, each with the sentence that says it. */
export const invariants: readonly { readonly name: string; readonly holds: (state: ModelState) => boolean }[] = [
  { name: 'nothing forbidden happened on the way', holds: ({ violations }) => violations.length === 0 },
  {
    name: 'a process exists only in states that own one',
    holds: ({ snapshot, process }) => (process !== null) === ['preparing', 'spawning', 'starting', 'running', 'stopping', 'killing', 'clearing'].includes(snapshot.context.leaf),
  },
  { name: 'the machine knows of its process', holds: ({ snapshot, process }) => (process === null) === (snapshot.context.process === null) },
  {
    name: 'a resting unit owes no answer',
    holds: ({ snapshot, owed }) => !['stopped', 'failed', 'backoff', 'removed'].includes(snapshot.context.leaf) || owed.length === 0,
  },
  { name: 'the machine keeps the tickets it owes', holds: ({ snapshot, owed }) => snapshot.context.tickets.map(({ id }) => id).sort().join() === [...owed].sort().join() },
  {
    name: 'wanted is the last accepted command',
    holds: ({ snapshot, lastCommand, removed }) => {
      if (removed) return snapshot.context.wanted === 'down';
      return snapshot.context.wanted === (lastCommand === 'start' || lastCommand === 'restart' ? 'up' : 'down');
    },
  },
  {
    name: 'the restart budget is kept',
    holds: ({ snapshot, restartsSinceForgiven }) => restartsSinceForgiven <= (snapshot.context.spec.restart.maxRestarts ?? Infinity),
  },
  { name: 'the leaf on record is the leaf the machine is in', holds: ({ snapshot }) => JSON.stringify(snapshot.value).includes(`"${snapshot.context.leaf}"`) },
  {
    name: 'a deadline is armed where the chart waits for one',
    holds: ({ snapshot, armed }) => !['stopping', 'killing', 'clearing', 'backoff'].includes(snapshot.context.leaf) || armed !== null,
  },
];

/**
 * The wanted state is reached once faults cease: processes start, live, and end when they are told to; deadlines fire;
 * dependencies are released. Returns where the unit comes to rest.
 */
export function settleQuietly(from: ModelState): ModelState {
  let state = from;
  for (let step = 0; step < 60; step += 1) {
    const next = quietEvent(state);
    if (next === null) return state;
    state = stepModel(state, next);
  }
  throw new Error(`no rest after 60 quiet steps: ${keyOf(state)}`);
}

function quietEvent({ snapshot, process, armed }: ModelState): ModelEvent | null {
  const at = 0;
  if (snapshot.status !== 'active') return null;
  const { generation, held, hooksPending, leaf, spec } = snapshot.context;
  if (hooksPending) return { type: 'hooks.idle', at };
  const dependency = Object.keys(held)[0];
  if (dependency !== undefined) return { type: 'release', at, dependency };
  if (process?.state === 'forking') return { type: 'process.spawned', generation: process.generation, at, identity: identityOf(7) };
  if (process?.state === 'leader-dead') return { type: 'process.gone', generation: process.generation, at };
  if (process?.state === 'alive' && (process.ordered !== 'nothing' || process.actor.startsWith('task.'))) {
    // A skip command that fails, and a pre_start that succeeds, let the service run.
    return { type: 'process.exited', generation: process.generation, at, exit: { code: process.actor.endsWith('skip') ? 1 : 0, signal: null } };
  }
  if (spec.check !== null && leaf === 'starting') return { type: 'probe.ok', generation, at };
  if (armed !== null) return { type: `deadline.${armed.kind}`, generation: armed.generation, at } as ModelEvent;
  return null;
}
