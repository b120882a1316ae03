import { assign, setup, spawnChild, stopChild, type AnyActorRef } from 'xstate';
import { describeExit } from './ends.ts';
import type { DeadlineEvent, ServiceCommand } from './events.ts';
import { rolloutTaskPort } from './ports.ts';
import type { RolloutFact, RolloutReport, RolloutResult, RolloutTask, SlotChange } from './rollout-facts.ts';
import { momentOf } from './service-facts.ts';
import { gateOf } from './slots.ts';
import type { ServiceSpec } from './spec.ts';
import { SECOND_INSTANCE, type Deadline, type UnitFacts } from './unit-facts.ts';

export interface RolloutInput {
  /** What the candidate is, its slot in it. */
  readonly spec: ServiceSpec;
  readonly slots: SlotChange | null;
  /**
   * `switch-back`: there is no candidate; a switch that another supervisor left open is undone. `abandon`, `retire`: takes
   * the place of a rollout whose actor threw.
   */
  readonly mode: 'replace' | 'switch-back' | 'abandon' | 'retire';
  readonly at: number;
  readonly parent: AnyActorRef;
}

export interface RolloutContext extends Omit<RolloutInput, 'at'> {
  /** What the outside was asked for last. */
  readonly task: RolloutTask;
  readonly deadline: Deadline | null;
  /** The switch command may have run and was not undone. */
  readonly switchOpen: boolean;
  /** The candidate's latest report. */
  readonly candidate: UnitFacts | null;
  /** The latest report of the other instance: the old one. */
  readonly old: UnitFacts | null;
  /** Why it failed or was called off. */
  readonly reason: string | null;
  readonly result: RolloutResult;
  /** When it began. */
  readonly since: number;
}

/** Why a rollout is called off: the unit is to be down, at once where somebody is in a hurry, or another rollout or restart is to follow. */
export type CancelReason = 'stop' | 'hold' | 'restart' | 'reload' | 'shutdown' | 'hurry' | 'internal';

export type RolloutEvent =
  | RolloutReport
  | DeadlineEvent
  | { readonly type: 'instance.changed'; readonly at: number; readonly facts: UnitFacts }
  /** The instance that is not the unit's is no more. */
  | { readonly type: 'aside.gone'; readonly at: number }
  | { readonly type: 'cancel'; readonly at: number; readonly because: CancelReason };

/** What a rollout asks of the root: to hand an order to one of the two instances, to make the other one the unit's. */
export type RolloutOrder =
  | { readonly type: 'rollout.order'; readonly at: number; readonly unit: string; readonly to: 'current' | 'aside'; readonly order: ServiceCommand }
  | { readonly type: 'rollout.swap'; readonly at: number; readonly unit: string };

/** How long a candidate without a slot of its own is watched before the old instance may go. */
const OBSERVED_MS = 1000;

const base = setup({
  types: {} as { context: RolloutContext; events: RolloutEvent; input: RolloutInput; emitted: RolloutFact },
  actors: { task: rolloutTaskPort },
});

function order(to: 'current' | 'aside', make: (at: number) => ServiceCommand) {
  return base.enqueueActions(({ context, event, enqueue }) => {
    const at = momentOf(event) ?? context.since;
    enqueue.sendTo(context.parent, { type: 'rollout.order', at, unit: context.spec.name, to, order: make(at) } satisfies RolloutOrder);
  });
}

/** @internal What the words of the chart mean. */
export const rolloutSetup = base.extend({
  guards: {
    hasCandidate: ({ context }) => context.mode !== 'switch-back',
    isToBegin: ({ context }) => context.mode === 'replace',
    isToRetire: ({ context }) => context.mode === 'retire',
    isToAbandon: ({ context }) => context.mode === 'abandon',
    isGated: ({ context }) => gateOf(context.spec, context.slots) !== null,
    isSwitched: ({ context }) => context.slots !== null,
    isVerified: ({ context }) => context.spec.deployment.blueGreen?.switchVerify != null,
    hasGrace: ({ context }) => context.spec.deployment.gracePeriodMs > 0,
    /** A slot of its own to be checked in. */
    provesItself: ({ context }) => context.slots !== null && (context.spec.check !== null || gateOf(context.spec, context.slots) !== null),
    candidateServes: ({ event }) => event.type === 'instance.changed' && event.facts.place === 'candidate' && event.facts.state === 'running',
    /** Nothing of it is to run: skipped, or a one-shot that is through. Traffic has nowhere to go then. */
    candidateIsThrough: ({ context: { spec, slots }, event }) => slots === null && isOf(event, 'candidate', ({ state, outcome }) =>
      state === 'stopped' && (outcome === 'skipped' || (outcome === 'completed' && spec.restart.oneshot))),
    candidateFell: ({ event }) => isOf(event, 'candidate', ({ state }) => state !== 'running' && state !== 'starting'),
    candidateFailed: ({ event }) => isOf(event, 'candidate', ({ state }) => state === 'failed' || state === 'stopped' || state === 'backoff'),
    /** The unit's new instance ended by itself while the old one still serves. */
    successorFell: ({ context, event }) =>
      isOf(event, 'current', ({ state, cause }) => state !== 'running' && (cause === null || cause === 'unhealthy' || cause === 'limit'))
      && context.old?.state === 'running',
    mayReplace: ({ context, event }) =>
      event.type === 'task.done' && event.addressInUse === true && context.slots === null && context.spec.deployment.onAddressInUse === 'replace',
  },
  actions: {
    await: assign(({ context, event }, { wait }: { wait: 'observed' | 'grace' }) => {
      const from = wait === 'observed' ? (context.candidate?.at ?? context.since) : (momentOf(event) ?? context.since);
      return { deadline: { kind: 'rollout' as const, at: from + (wait === 'observed' ? OBSERVED_MS : context.spec.deployment.gracePeriodMs) } };
    }),
    /** A unit that is to be down waits for its way back no longer than for its process. */
    limitSwitchBack: assign(({ context: { deadline, spec: { stopTimeoutMs } }, event }) => {
      if (event.type !== 'cancel') return {};
      if (event.because === 'hurry') return { deadline: { kind: 'rollout' as const, at: event.at } };
      const goesDown = event.because === 'stop' || event.because === 'shutdown';
      return goesDown && deadline === null ? { deadline: { kind: 'rollout' as const, at: event.at + stopTimeoutMs } } : {};
    }),
    unplan: assign({ deadline: null }),
    follow: assign(({ event }) => {
      if (event.type !== 'instance.changed') return {};
      return event.facts.place === 'candidate' ? { candidate: event.facts } : { old: event.facts };
    }),
    followAfterSwap: assign(({ event }) => {
      if (event.type !== 'instance.changed') return {};
      return event.facts.place === 'current' ? { candidate: event.facts } : { old: event.facts };
    }),
    choose: assign((_, params: { task: RolloutTask }) => ({ task: params.task })),
    perform: spawnChild('task', { id: 'task', input: ({ context: { task, spec, slots } }) => ({ task, spec, slots }) }),
    callOff: stopChild('task'),
    openSwitch: assign({ switchOpen: true }),
    closeSwitch: assign({ switchOpen: false }),
    sayWhy: assign(({ context, event }) => ({ reason: context.reason ?? whyOf(event, context) })),
    sayWhyBackFailed: assign(({ context, event }) => ({
      reason: [context.reason, event.type === 'task.failed' ? `it could not be switched back: ${event.reason}` : null].filter((part) => part !== null).join('; and '),
    })),
    sayWhyBackLeft: assign(({ context }) => ({
      reason: [context.reason, 'its switch back was ended with it: the next start switches back first'].filter((part) => part !== null).join('; '),
    })),
    keepResult: assign((_, params: { result: RolloutResult }) => ({ result: params.result })),
    holdCurrent: order('current', (at) => ({ type: 'hold', at, dependency: SECOND_INSTANCE, stops: false, lost: null })),
    releaseCurrent: order('current', (at) => ({ type: 'release', at, dependency: SECOND_INSTANCE })),
    startAside: order('aside', (at) => ({ type: 'start', at, ticket: null, origin: { kind: 'command', by: 'rollout' } })),
    endAside: order('aside', (at) => ({ type: 'reload', at, spec: null })),
    swap: base.enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(context.parent, { type: 'rollout.swap', at: momentOf(event) ?? context.since, unit: context.spec.name } satisfies RolloutOrder);
    }),
  },
});

function isOf(event: RolloutEvent, place: UnitFacts['place'], holds: (facts: UnitFacts) => boolean): boolean {
  return event.type === 'instance.changed' && event.facts.place === place && holds(event.facts);
}

function whyOf(event: RolloutEvent, { spec }: RolloutContext): string | null {
  switch (event.type) {
    case 'task.failed': return event.reason;
    case 'cancel': return `superseded by ${event.because}`;
    case 'instance.changed': {
      const { reason, ended, outcome } = event.facts;
      if (outcome === 'skipped') return `the new instance of '${spec.name}' was skipped`;
      return reason ?? (ended === null ? `the new instance of '${spec.name}' ended` : describeExit(ended));
    }
    default: return null;
  }
}
