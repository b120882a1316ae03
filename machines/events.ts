import type { ProbeReport } from './check.ts';
import type { ChildAdoption, ChildFact, SpawnOrder } from './child-facts.ts';
import type { ProcessReport } from './process-facts.ts';
import type { RolloutFact, SlotIndex, SwitchRecord } from './rollout-facts.ts';
import type { ServiceSpec, SignalName } from './spec.ts';
import type { AdoptOrder, DeadlineKind, Place, RecoveryVerdict, ServiceFact, Trigger, UnitRecord } from './unit-facts.ts';

/** What units and the root are ordered, and what the root reports. */

/** Who asked. `ticket` is answered once, through the `settle` port. */
export interface Command {
  readonly at: number;
  readonly ticket: number | null;
}

/** With a name of its own, of which each place that speaks of deadlines has ten. */
export interface DeadlineOf<K extends DeadlineKind> {
  readonly type: `deadline.${K}`;
  readonly generation: number;
  readonly at: number;
}

export type DeadlineEvent = { [K in DeadlineKind]: DeadlineOf<K> }[DeadlineKind];

/** SIGKILL now to what is being ended: the time to follow the stop signal is over. */
export interface Hurry {
  readonly type: 'hurry';
  readonly at: number;
}

/** `origin`: not a person, but the first start, a reload that brought the unit, or a unit that needs it. `note`: goes into the answer when it succeeds. */
export interface Start extends Command {
  readonly type: 'start';
  readonly origin?: Trigger;
  readonly note?: string;
}

/**
 * Of a job's run alone: `goesOn`, the schedule is wanted as before, and so the record says; `followed`, those that wait for this run wait for the next one;
 * `because`, what they are answered else.
 */
export interface Stop extends Command {
  readonly type: 'stop';
  readonly origin?: Trigger;
  readonly goesOn?: true;
  readonly followed?: true;
  readonly because?: string;
}

/** `origin`: not a person, but a schedule. */
export interface Restart extends Command {
  readonly type: 'restart';
  readonly spec: ServiceSpec | null;
  readonly origin?: Trigger;
  readonly note?: string;
}

export type ServiceCommand =
  | Start
  | Stop
  | Restart
  /** A dependency is not available. `stops`: end what runs until it is; `lost`: why it will not come by itself. */
  | { readonly type: 'hold'; readonly at: number; readonly dependency: string; readonly stops: boolean; readonly lost: string | null }
  | { readonly type: 'release'; readonly at: number; readonly dependency: string }
  /** `null`: the unit is no longer configured. */
  | { readonly type: 'reload'; readonly at: number; readonly spec: ServiceSpec | null }
  | { readonly type: 'signal'; readonly at: number; readonly signal: SignalName }
  | Hurry
  /** Another place among the unit's instances; `spec`: what it is from now on, null: as it was. */
  | { readonly type: 'move'; readonly at: number; readonly from: Place; readonly to: Place; readonly spec: ServiceSpec | null }
  /** The unit's queue of hooks is empty again. */
  | { readonly type: 'hooks.idle'; readonly at: number }
  | { readonly type: 'limit.exceeded'; readonly at: number; readonly generation: number; readonly reason: string }
  | { readonly type: 'adopt'; readonly at: number; readonly record: UnitRecord; readonly verdict: RecoveryVerdict };

export type ServiceEvent = ServiceCommand | ProcessReport | ProbeReport | DeadlineEvent;

/** `units: null` is every unit it can mean. */
export type SupervisorCommand =
  /** The first event: what recovery found, and which units to start. */
  | { readonly type: 'boot'; readonly at: number; readonly adopt: readonly AdoptOrder[]; readonly start: readonly string[]; readonly children?: readonly ChildAdoption[]; readonly switches?: readonly SwitchRecord[] }
  | (Command & { readonly type: 'start'; readonly units: readonly string[]; readonly origin?: Trigger })
  | (Command & { readonly type: 'stop'; readonly units: readonly string[] })
  | (Command & { readonly type: 'restart'; readonly units: readonly string[]; readonly specs: readonly ServiceSpec[] | null; readonly slots?: Readonly<Record<string, SlotIndex>> })
  /** Takes over a whole configuration: new units appear, missing ones go, changed ones change. New ones start. */
  | { readonly type: 'reload'; readonly at: number; readonly specs: readonly ServiceSpec[]; readonly slots?: Readonly<Record<string, SlotIndex>>; readonly ticket?: number | null }
  | { readonly type: 'shutdown'; readonly at: number; readonly ticket: number | null; readonly exitCode: number; readonly origin?: Trigger }
  /** While everything ends: what still ends gets SIGKILL at once, and so does what is to be ended later. */
  | Hurry
  | { readonly type: 'signal'; readonly at: number; readonly unit: string; readonly signal: SignalName }
  /** `usedBytes`: what all children of the service use now. The ticket is answered for the service. */
  | (Command & { readonly type: 'spawn'; readonly order: SpawnOrder; readonly usedBytes: number })
  /** Ends a child that uses more than its service's children may. */
  | { readonly type: 'child.limit'; readonly at: number; readonly child: string }
  /** The answer to `lookup` after a unit's actor threw. */
  | { readonly type: 'recovered'; readonly at: number; readonly unit: string; readonly adopt: AdoptOrder | null };

export type SupervisorEvent = SupervisorCommand | ServiceFact | ChildFact | RolloutFact;

/** What listeners of the root get. */
export type SupervisorFact =
  | Exclude<ServiceFact, { readonly type: 'unit.settled' }>
  | ChildFact
  | RolloutFact
  | { readonly type: 'unit.crashed'; readonly at: number; readonly unit: string; readonly error: string }
  | { readonly type: 'supervisor.ending'; readonly at: number; readonly because: string; readonly exitCode: number }
  /** Everything has ended. The root goes on to exist: to stop each of its actors would cost the square of their number. */
  | { readonly type: 'supervisor.ended'; readonly at: number; readonly exitCode: number };
