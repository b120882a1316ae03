import type { AnyActorRef, AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject, StateValue } from 'xstate';
import type { ClockPort } from './ports.ts';
import type { Deadline } from './unit-facts.ts';

/**
 * What a machine does to the outside after a transition, in one place: records are written, deadlines armed and facts
 * reported here and not in the chart, so that the chart shows decisions alone.
 */

/** One order to the outside. Doers carry it out; an exploration reads it. */
export interface Deed {
  readonly type: string;
  readonly params?: object;
}

/** Carries out one sort of deed for the actor `self`. */
export type Doer = (self: AnyActorRef, params: never) => void;

/** What a publisher reads of a snapshot. */
export interface Moment<Context> {
  readonly context: Context;
  readonly value: StateValue;
}

export interface Publication<Context> {
  /** The context after the transition, with what was collected for the outside taken out. */
  readonly context: Context;
  readonly deeds: readonly Deed[];
}

export interface Publisher<Context, Event> {
  /** `before` is null for the first snapshot. */
  publish(before: Moment<Context> | null, after: Moment<Context>, event: Event): Publication<Context>;
  /** An event for which the machine changes nothing: a report about an earlier generation. */
  ignores?(context: Context, event: Event): boolean;
}

/**
 * The machine with its publisher. The deeds come after the chart's own actions and before what the chart sends or
 * spawns: XState defers both until the snapshot stands, so a record is written ahead of the process that it names.
 */
export function publishing<Machine extends AnyStateMachine, Context, Event>(
  machine: Machine, publisher: Publisher<Context, Event>, doers: Readonly<Record<string, Doer>> = {},
): Machine {
  const finish = (before: AnyMachineSnapshot | null, after: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope): AnyMachineSnapshot => {
    const { context, deeds } = publisher.publish(before, after, event as Event);
    for (const { type, params } of deeds) {
      const doer = type === 'report' ? reporter(scope) : doers[type];
      scope.actionExecutor({
        type, params, info: { context: context as never, event, self: scope.self, system: scope.system }, exec: doer === undefined ? undefined : () => doer(scope.self, params as never),
      });
    }
    return context === after.context ? after : { ...after, context } as AnyMachineSnapshot;
  };
  return Object.create(machine, {
    getInitialSnapshot: {
      value: (scope: AnyActorScope, input: unknown) => finish(null, machine.getInitialSnapshot(scope, input), { type: 'xstate.init' }, scope),
    },
    transition: {
      value: (before: AnyMachineSnapshot, event: EventObject, scope: AnyActorScope) => {
        if (publisher.ignores?.(before.context as Context, event as Event) === true) return before;
        return finish(before, machine.transition(before, event, scope), event, scope);
      },
    },
  }) as Machine;
}

/** A fact for the parent actor and for listeners. It leaves when the transition is complete, after everything that the chart itself sends. */
export function report<Fact extends EventObject>(fact: Fact, to: AnyActorRef | null): Deed {
  return { type: 'report', params: { fact, to } };
}

function reporter(scope: AnyActorScope): Doer {
  return (_, { fact, to }: { readonly fact: EventObject; readonly to: AnyActorRef | null }) => {
    scope.emit(fact);
    if (to !== null) scope.defer(() => to.send(fact));
  };
}

// ─── Deadlines ───────────────────────────────────────────────────────────────────────────────────────────────────────

interface WithDeadline {
  readonly deadline: Deadline | null;
  readonly generation?: number;
}

/** Arms the clock where the deadline in the context is another one than before, disarms it where there is none any more. */
export function deadlineDeeds(before: WithDeadline | null, after: WithDeadline): readonly Deed[] {
  if ((before?.deadline ?? null) === after.deadline) return [];
  return [after.deadline === null ? { type: 'disarmClock' } : { type: 'armClock', params: { ...after.deadline, generation: after.generation ?? 1 } }];
}

/** The publisher of a machine that has nothing but deadlines to publish. */
export const deadlinesOnly: Publisher<WithDeadline, EventObject> = {
  publish: (before, { context }) => ({ context, deeds: deadlineDeeds(before?.context ?? null, context) }),
};

export function clockDoers(clock: ClockPort): Readonly<Record<string, Doer>> {
  return {
    armClock: (self, params: Deadline & { readonly generation: number }) => clock.arm({ target: self, ...params }),
    disarmClock: (self) => clock.disarm(self),
  };
}
