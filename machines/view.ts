import { consequenceOf } from './consequence.ts';
import type { Unit } from './context.ts';
import type { OwnedProcess } from './process-facts.ts';
import type { RolloutStep, SlotChange } from './rollout-facts.ts';
import { leafOf } from './service-facts.ts';
import type { ServiceSpec } from './spec.ts';
import type { SupervisorSnapshot } from './supervisor.ts';
import { SECOND_INSTANCE, type Phase, type Place, type UnitFacts } from './unit-facts.ts';
import { phaseOf } from './unit.ts';

/** systemg 0.33.0's words. */
export type Lifecycle = 'running' | 'skipped' | 'exited_successfully' | 'exited_with_error' | 'stopped';
export type Health = 'healthy' | 'degraded' | 'failing';

/** Everything the machines know of a unit, for the rooms that show it. Times are of the monotonic clock, in milliseconds. */
export interface UnitView extends Pick<
  UnitFacts, 'state' | 'phase' | 'wanted' | 'ready' | 'outcome' | 'generation' | 'restarts' | 'failures' | 'cause' | 'reason' | 'exit' | 'deadline'
> {
  readonly spec: ServiceSpec;
  /** The definition of the last process that has ended. */
  readonly ran: ServiceSpec['definition'];
  readonly lifecycle: Lifecycle;
  readonly health: Health;
  /** What is left of it may still be there when `alive` is false. */
  readonly process: OwnedProcess | null;
  /** The leader of the service's own process lives, as far as was reported. */
  readonly alive: boolean;
  readonly held: Readonly<Record<string, string | null>>;
  /** An accepted command that the unit gets when others have made way. */
  readonly ordered: NonNullable<Unit['turn']>['command'] | null;
  readonly since: number;
  /** A cron unit's next instant of the wall clock; null for services and while the schedule is suspended. */
  readonly nextWallMs: number | null;
  /** Null: nothing replaces it at present. */
  readonly rollout: RolloutView | null;
}

/** The instance beside the unit: the candidate that is to replace it, or the old one on its way out. */
export interface RolloutView {
  readonly step: RolloutStep;
  readonly place: Exclude<Place, 'current'>;
  readonly slots: SlotChange | null;
  readonly phase: Phase;
  readonly generation: number;
  readonly process: OwnedProcess | null;
}

/** What each unit is to be from now on, in the order of their names: an instance that still ends is what it was. */
export function configuredSpecs({ context }: SupervisorSnapshot): readonly ServiceSpec[] {
  return [...context.units.keys()].sort().flatMap((name) => {
    const unit = context.units.get(name);
    return unit === undefined ? [] : [unit.returning ?? unit.spec];
  });
}

/** All units in the order of their names. The one selector behind Status. */
export function viewAll(snapshot: SupervisorSnapshot): readonly UnitView[] {
  return [...snapshot.context.units.keys()].sort().flatMap((name) => viewUnit(snapshot, name) ?? []);
}

/** As `viewAll`; a unit's view stays the same one until something that it is made of has changed, and so does the list. */
export function keepViews(): (snapshot: SupervisorSnapshot) => readonly UnitView[] {
  const kept = new Map<string, KeptView>();
  let list: readonly UnitView[] = [];
  return (snapshot) => {
    const { units } = snapshot.context;
    const left = [...kept.keys()].filter((name) => !units.has(name));
    for (const name of left) kept.delete(name);
    let isSame = left.length === 0;
    for (const name of units.keys()) {
      const before = kept.get(name);
      if (before !== undefined && isCurrent(before, snapshot, name)) continue;
      const view = viewUnit(snapshot, name);
      if (view !== null) kept.set(name, { ...sourcesOf(snapshot, name), view });
      else if (!kept.delete(name)) continue;
      isSame = false;
    }
    if (!isSame) list = [...kept.keys()].sort().flatMap((name) => kept.get(name)?.view ?? []);
    return list;
  };
}

type KeptView = ReturnType<typeof sourcesOf> & { readonly view: UnitView };

/** What a view is made of: each of these is replaced, never changed. */
function sourcesOf({ context }: SupervisorSnapshot, name: string) {
  const unit = context.units.get(name);
  const actor = unit?.ref?.getSnapshot();
  const runner = actor !== undefined && 'runner' in actor.context ? actor.context.runner.getSnapshot() : null;
  const rollout = context.rollouts.get(name);
  return { unit, actor, runner, rollout, aside: rollout?.aside.ref?.getSnapshot() };
}

function isCurrent(kept: KeptView, snapshot: SupervisorSnapshot, name: string): boolean {
  const { unit, actor, runner, rollout, aside } = sourcesOf(snapshot, name);
  return kept.unit === unit && kept.actor === actor && kept.runner === runner && kept.rollout === rollout && kept.aside === aside;
}

export function viewUnit(snapshot: SupervisorSnapshot, name: string): UnitView | null {
  const unit = snapshot.context.units.get(name);
  const actor = unit?.ref?.getSnapshot();
  if (unit === undefined || actor === undefined) return null;
  const job = 'runner' in actor.context ? actor.context : null;
  const { context, value } = 'runner' in actor.context ? actor.context.runner.getSnapshot() : { context: actor.context, value: actor.value };
  const alive = context.process?.identity != null && context.process.role === 'main' && !context.leaderEnded;
  const state = leafOf(value);
  const phase = job === null ? phaseOf(state) : actor.value === 'running' ? 'running' : 'waiting';
  const wanted = (job ?? context).wanted;
  const facts = { phase, wanted, outcome: context.outcome, ready: context.ready, alive };
  return {
    spec: (job ?? context).spec, ran: context.ran, state, phase, wanted, ready: context.ready, outcome: context.outcome,
    lifecycle: lifecycleOf(facts), health: healthOf(facts), process: context.process, alive, generation: context.generation, restarts: context.restarts,
    failures: context.streak, cause: context.cause, reason: context.reason ?? context.refusal, exit: context.exit,
    held: Object.fromEntries(Object.entries(context.held).filter(([dependency]) => dependency !== SECOND_INSTANCE)),
    ordered: unit.turn?.command ?? null, since: (job ?? context).since, deadline: context.deadline, nextWallMs: job?.wanted === 'up' ? job.nextWallMs : null,
    rollout: rolloutView(snapshot, name),
  };
}

function rolloutView({ context }: SupervisorSnapshot, name: string): RolloutView | null {
  const rollout = context.rollouts.get(name);
  if (rollout === undefined) return null;
  const { aside, facts, slots } = rollout;
  const { process = null } = aside.ref?.getSnapshot().context ?? {};
  return { step: facts?.step ?? 'starting', place: aside.place, slots, phase: aside.facts.phase, generation: aside.facts.generation, process };
}

/** A one-shot that has completed, and with this definition would do the same again: a restart of everything leaves it as it is. */
export function isDone(view: UnitView, next: ServiceSpec): boolean {
  return next.restart.oneshot && view.lifecycle === 'exited_successfully' && view.phase === 'stopped' && consequenceOf({ ...view, spec: { ...view.spec, definition: view.ran } }, next) === 'unchanged';
}

export interface ShownFacts extends Pick<UnitFacts, 'phase' | 'wanted' | 'outcome' | 'ready'> {
  /** The service's own process lives. */
  readonly alive: boolean;
}

export function lifecycleOf({ phase, wanted, outcome, alive }: ShownFacts): Lifecycle {
  if (alive) return 'running';
  if (outcome === 'skipped') return 'skipped';
  // A failure counts before a unit waits for its next try: one that waits without has ended well.
  if (outcome === 'completed' || (phase === 'backoff' && outcome === 'none')) return 'exited_successfully';
  if (phase === 'backoff' || phase === 'failed' || (outcome === 'failed' && wanted === 'up')) return 'exited_with_error';
  return 'stopped';
}

export function healthOf({ phase, wanted, outcome, ready, alive }: ShownFacts): Health {
  if ((phase === 'backoff' && outcome === 'failed') || phase === 'failed') return 'failing';
  if (phase === 'waiting') return 'healthy';
  // A unit that comes up does not serve yet, whether or not its process lives.
  if (phase === 'starting') return 'degraded';
  const done = outcome === 'completed' || outcome === 'skipped';
  if ((wanted === 'up' && !alive && !done) || ready === false) return 'degraded';
  return 'healthy';
}
