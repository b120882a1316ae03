import { createActor, initialTransition, type AnyStateMachine, type EventFromLogic, type ExecutableActionsFrom, type InputFrom, type SnapshotFrom } from 'xstate';

/** What a machine did with an event: actions of its own in the order they are carried out, then what goes to other actors. */
export interface Action {
  readonly type: string;
  readonly params?: unknown;
}

export interface Pure<Machine extends AnyStateMachine> {
  readonly first: SnapshotFrom<Machine>;
  readonly firstActions: readonly Action[];
  step(snapshot: SnapshotFrom<Machine>, event: EventFromLogic<Machine>): { readonly snapshot: SnapshotFrom<Machine>; readonly actions: readonly Action[] };
}

/** XState's `transition()` with one scope for all steps: it makes an actor for each, which takes as long as the step itself. */
export function purely<Machine extends AnyStateMachine>(machine: Machine, input: InputFrom<Machine>): Pure<Machine> {
  const [first, firstActions] = initialTransition(machine, input as never) as unknown as [SnapshotFrom<Machine>, ExecutableActionsFrom<Machine>[]];
  const actor = createActor(machine, { input: input as never });
  let current: SnapshotFrom<Machine> = first;
  const self = Object.create(actor, { getSnapshot: { value: () => current } }) as typeof actor;
  let actions: Action[] = [];
  const scope = {
    self, system: actor.system, id: '', sessionId: '', defer: () => undefined, logger: () => undefined, stopChild: () => undefined, emit: () => undefined,
    actionExecutor: (action: Action) => void actions.push(action),
  };
  return {
    first, firstActions,
    step: (snapshot, event) => {
      current = snapshot;
      actions = [];
      const next = machine.transition(snapshot, event, scope as never) as SnapshotFrom<Machine>;
      return { snapshot: next, actions };
    },
  };
}
