import type { ServiceSnapshot } from '../../machines/service.ts';
import { leafOf } from '../../machines/service-facts.ts';
import { publishedService } from '../../machines/unit.ts';
import type { ServiceFact, ServiceEvent, ServiceSpec, Settlement, SignalName, UnitRecord } from '../../machines/types.ts';
import { purely, type Action, type Pure } from './pure.ts';

/** A process as the kernel has it: being started, alive, or with a dead leader and perhaps leftovers; or none. */
export interface ModelProcess {
  readonly actor: string;
  readonly generation: number;
  readonly state: 'forking' | 'alive' | 'leader-dead';
  /** What its actor was last ordered to do. */
  readonly ordered: 'nothing' | 'stop' | 'clear' | 'kill';
  readonly spec: ServiceSpec;
  /** Not a child of this supervisor. */
  readonly adopted: boolean;
}

/** The real machine, the operating system beside it, and what an observer remembers of both. */
export interface ModelState {
  readonly snapshot: ServiceSnapshot;
  readonly process: ModelProcess | null;
  readonly probed: boolean;
  readonly armed: { readonly kind: string; readonly generation: number } | null;
  /** What the ledger has of it. */
  readonly record: UnitRecord | null;
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

/** What a step did to the outside. */
export interface Deeds {
  readonly facts: readonly ServiceFact[];
  readonly answers: readonly Settlement[];
  /** `spawn web`, `SIGTERM web`, `kill web`, in the order they were ordered. */
  readonly effects: readonly string[];
}

export interface Stepped {
  readonly state: ModelState;
  readonly deeds: Deeds;
}

const anyInput = { held: [], tokenBase: 't', seed: 1, at: 0, parent: null } as const;
/** One for all units: what differs between them is in their snapshots. */
let pureService: Pure<typeof publishedService> | null = null;

export function beginModel(spec: ServiceSpec, held: readonly string[] = []): ModelState {
  const { first, firstActions } = purely(publishedService, { spec, ...anyInput, held });
  const empty: ModelState = {
    snapshot: first, process: null, probed: false, armed: null, record: null, owed: [], lastCommand: 'none', newestSpec: spec, restartsSinceForgiven: 0,
    removed: false, violations: [],
  };
  return carryOut(empty, firstActions).state;
}

/** One event through the real machine, its orders through the model of the system. */
export function stepModel(state: ModelState, event: ModelEvent): Stepped {
  pureService ??= purely(publishedService, { spec: state.newestSpec, ...anyInput });
  const { snapshot, actions } = pureService.step(state.snapshot, event);
  const { state: after, deeds } = carryOut({ ...observe(state, event), snapshot }, actions);
  const forgiven = snapshot.context.streak === 0 && state.snapshot.context.streak > 0;
  return { state: forgiven ? { ...after, restartsSinceForgiven: 0 } : after, deeds };
}

/** What the event itself says about the world. */
function observe(state: ModelState, event: ModelEvent): ModelState {
  if (event.type.startsWith('process.') && 'generation' in event && event.generation !== state.process?.generation) return state;
  switch (event.type) {
    case 'start': case 'stop': case 'restart': {
      const owed = event.ticket === null ? state.owed : [...state.owed, event.ticket];
      if (state.removed) return { ...state, owed };
      const spec = event.type === 'restart' && event.spec !== null ? event.spec : state.newestSpec;
      const anew = event.type !== 'stop' && !(event.type === 'start' && isUnderway(state));
      return { ...state, lastCommand: event.type, newestSpec: spec, owed, restartsSinceForgiven: anew ? 0 : state.restartsSinceForgiven };
    }
    case 'reload': {
      if (event.spec === null) return { ...state, removed: true };
      const sameProcess = event.spec.definition.process === state.newestSpec.definition.process;
      return {
        ...state, newestSpec: event.spec, removed: false, lastCommand: state.removed ? 'start' : state.lastCommand,
        restartsSinceForgiven: sameProcess && !state.removed && isUnderway(state) ? state.restartsSinceForgiven : 0,
      };
    }
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

/** On its way up or up: to start it again begins nothing anew. */
function isUnderway({ snapshot }: ModelState): boolean {
  return ['waiting', 'preparing', 'spawning', 'starting', 'running'].includes(leafOf(snapshot.value));
}

/** The machine's actions as the ports would carry them out: its own first, then what goes to other actors. */
function carryOut(state: ModelState, actions: readonly Action[]): Stepped {
  const deeds = { facts: [] as ServiceFact[], answers: [] as Settlement[], effects: [] as string[] };
  return { state: actions.reduce((next, action) => perform(next, action, deeds), state), deeds };
}

interface OpenDeeds {
  readonly facts: ServiceFact[];
  readonly answers: Settlement[];
  readonly effects: string[];
}

function perform(state: ModelState, action: Action, deeds: OpenDeeds): ModelState {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.spawnChild': {
      const { actorRef: { id }, input } = params as { actorRef: { id: string }; input: { spec: ServiceSpec; generation: number; adopt?: object | null } };
      if (id === 'probe') return { ...state, probed: true, violations: state.probed ? [...state.violations, 'a second probe'] : state.violations };
      return launch(state, { id, ...input }, deeds);
    }
    case 'xstate.stopChild': {
      const ref = (action as { readonly params?: { readonly id?: string } | string }).params;
      const id = typeof ref === 'string' ? ref : (ref?.id ?? '');
      return id === 'probe' ? { ...state, probed: false } : state;
    }
    case 'xstate.sendTo': {
      const { targetId, event } = params as { targetId: string; event: { type: 'stop' | 'clear' | 'kill' | 'signal'; signal?: SignalName } };
      if (!/^(process|task)\./.test(targetId ?? '')) return state;
      deeds.effects.push(`${event.type === 'stop' || event.type === 'signal' ? event.signal : event.type} ${state.snapshot.context.spec.name}`);
      if (state.process?.actor !== targetId) return { ...state, violations: [...state.violations, `${event.type} to ${targetId}, which has no process`] };
      return event.type === 'signal' ? state : { ...state, process: { ...state.process, ordered: event.type } };
    }
    case 'report': {
      const { fact } = params as { fact: ServiceFact };
      deeds.facts.push(fact);
      deeds.answers.push(...fact.settlements);
      const ids = fact.settlements.map(({ ticket }) => ticket);
      const twice = ids.filter((id) => !state.owed.includes(id)).map((id) => `ticket ${id} was answered twice`);
      return { ...state, owed: state.owed.filter((id) => !ids.includes(id)), violations: [...state.violations, ...twice] };
    }
    case 'armClock': {
      const { deadline, generation } = state.snapshot.context;
      return deadline === null ? state : { ...state, armed: { kind: deadline.kind, generation } };
    }
    case 'disarmClock': return { ...state, armed: null };
    case 'writeRecord': return { ...state, record: (params as { record: UnitRecord }).record };
    case 'forgetRecord': return { ...state, record: null };
    case 'runHooks': {
      deeds.effects.push(...(params as { runs: readonly { unit: string; hook: { stage: string; outcome: string } }[] }).runs
        .map(({ unit, hook }) => `hook ${unit} ${hook.stage}.${hook.outcome}`));
      return state;
    }
    default: return state;
  }
}

interface Launch {
  readonly id: string;
  readonly spec: ServiceSpec;
  readonly generation: number;
  readonly adopt?: object | null;
}

function launch(state: ModelState, { id, spec, generation, adopt }: Launch, deeds: OpenDeeds): ModelState {
  if (adopt != null) {
    deeds.effects.push(`adopt ${spec.name}`);
    // The process is there already, and now somebody watches it.
    if (state.process === null) return { ...state, violations: [...state.violations, `${id} takes over a process that is not there`] };
    return { ...state, process: { ...state.process, actor: id, generation, adopted: true, ordered: 'nothing' } };
  }
  deeds.effects.push(`spawn ${spec.name}`);
  const second = state.process === null ? [] : [`a second process: ${id} beside ${state.process.actor}`];
  const stale = id.startsWith('process.') && spec !== state.newestSpec ? ['a stale definition was started'] : [];
  return {
    ...state, violations: [...state.violations, ...second, ...stale],
    process: { actor: id, generation, state: 'forking', ordered: 'nothing', spec, adopted: false },
  };
}
