import { assign, setup, spawnChild, stopChild, type ActorRefFrom, type AnyActorRef } from 'xstate';
import { rolloutTaskPort, type ClockPort, type SwitchLedgerPort } from './ports.ts';
import { clockDoers, deadlineDeeds, publishing, report, type Deed, type Publisher } from './publishing.ts';
import { describeExit } from './ends.ts';
import { momentOf } from './service-facts.ts';
import { gateOf } from './slots.ts';
import { SECOND_INSTANCE } from './types.ts';
import type {
  Deadline, DeadlineEvent, RolloutFact, RolloutFacts, RolloutReport, RolloutResult, RolloutStep, RolloutTask, ServiceCommand, ServiceSpec, SlotChange,
  SwitchRecord, UnitFacts,
} from './types.ts';

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

/** Before the switch: the old one goes on, whatever made the new one end. */
const FELL = [{ guard: 'candidateFell', target: 'inquiring', actions: ['follow', 'sayWhy'] }, { actions: 'follow' }] as const;
/** Once the switch was begun. */
const SWITCHES_BACK = {
  'task.failed': { target: 'switchingBack', actions: 'sayWhy' },
  'instance.changed': [{ guard: 'candidateFell', target: 'switchingBack', actions: ['follow', 'sayWhy'] }, { actions: 'follow' }],
  cancel: { target: 'switchingBack', actions: ['sayWhy', 'limitSwitchBack'] },
} as const;

/**
 * The replacement of a running unit by a candidate beside it. The old instance is ended only after the candidate has
 * passed; until then every failure ends the candidate and keeps the old one.
 */
export const rolloutMachine = base.extend({
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
      reason: [context.reason, event.type === 'task.failed' ? `and it could not be switched back: ${event.reason}` : null].filter((part) => part !== null).join('; '),
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
}).createMachine({
  id: 'rollout',
  context: ({ input: { at, ...input } }) => ({
    ...input, task: 'words', deadline: null, switchOpen: input.mode === 'switch-back', candidate: null, old: null, reason: null, result: 'kept', since: at,
  }),
  initial: 'choosing',
  on: { 'instance.changed': { actions: 'follow' } },
  states: {
    choosing: {
      always: [
        { guard: 'isToBegin', target: 'starting' }, { guard: 'isToRetire', target: 'retiring' }, { guard: 'isToAbandon', target: 'undoing' },
        { target: 'switchingBack' },
      ],
    },
    starting: {
      meta: { step: 'starting' },
      entry: ['holdCurrent', 'startAside'],
      on: {
        'instance.changed': [
          { guard: 'candidateServes', target: 'serving', actions: 'follow' },
          { guard: 'candidateIsThrough', target: 'swapping', actions: 'follow' },
          { guard: 'candidateFailed', target: 'inquiring', actions: ['follow', 'sayWhy'] },
          { actions: 'follow' },
        ],
        cancel: { target: 'ending', actions: 'sayWhy' },
      },
    },
    inquiring: {
      meta: { step: 'inquiring' },
      entry: perform('words'),
      exit: 'callOff',
      on: {
        'task.done': [
          { guard: 'mayReplace', target: 'ending', actions: { type: 'keepResult', params: { result: 'replace' } } },
          { target: 'ending' },
        ],
        'task.failed': 'ending',
        cancel: 'ending',
      },
    },
    serving: { always: [{ guard: 'provesItself', target: 'passing' }, { target: 'observing' }] },
    /** What answers on an address that both share may be the old one: a candidate that cannot bind it ends within this time. */
    observing: {
      meta: { step: 'starting' },
      entry: wait('observed'),
      exit: 'unplan',
      on: {
        'deadline.rollout': 'passing',
        'instance.changed': FELL,
        cancel: { target: 'ending', actions: 'sayWhy' },
      },
    },
    /** Running is the first gate, its own check included; then the deployment's. */
    passing: { always: [{ guard: 'isGated', target: 'checking' }, { guard: 'isSwitched', target: 'switching' }, { target: 'swapping' }] },
    checking: {
      meta: { step: 'checking' },
      entry: perform('gate'),
      exit: 'callOff',
      on: {
        'task.done': [{ guard: 'isSwitched', target: 'switching' }, { target: 'swapping' }],
        'task.failed': { target: 'ending', actions: 'sayWhy' },
        'instance.changed': FELL,
        cancel: { target: 'ending', actions: 'sayWhy' },
      },
    },
    switching: {
      meta: { step: 'switching' },
      entry: ['openSwitch', ...perform('switch')],
      exit: 'callOff',
      on: {
        'task.done': [{ guard: 'isVerified', target: 'verifying' }, { target: 'recording' }],
        // It may have had its effect all the same.
        ...SWITCHES_BACK,
      },
    },
    verifying: {
      meta: { step: 'verifying' },
      entry: perform('verify'),
      exit: 'callOff',
      on: {
        'task.done': 'recording',
        ...SWITCHES_BACK,
      },
    },
    recording: {
      meta: { step: 'recording' },
      entry: perform('record'),
      exit: 'callOff',
      on: {
        'task.done': 'swapping',
        ...SWITCHES_BACK,
      },
    },
    /** From here on the candidate is the unit. */
    swapping: {
      entry: ['swap', 'closeSwitch', { type: 'keepResult', params: { result: 'replaced' } }],
      always: [{ guard: 'hasGrace', target: 'grace' }, { target: 'retiring' }],
    },
    grace: {
      meta: { step: 'grace' },
      entry: wait('grace'),
      exit: 'unplan',
      on: {
        'deadline.rollout': 'retiring',
        'instance.changed': [
          {
            guard: 'successorFell', target: 'swappingBack',
            actions: ['sayWhy', { type: 'keepResult', params: { result: 'kept' } }],
          },
          { actions: 'followAfterSwap' },
        ],
        'aside.gone': 'done',
        cancel: 'retiring',
      },
    },
    retiring: {
      meta: { step: 'retiring' },
      entry: 'endAside',
      on: { 'aside.gone': 'done', 'instance.changed': { actions: 'followAfterSwap' } },
    },
    swappingBack: { entry: ['openSwitch', 'swap'], always: 'undoing' },
    undoing: { always: [{ guard: 'isSwitched', target: 'switchingBack' }, { target: 'ending' }] },
    switchingBack: {
      meta: { step: 'switching-back' },
      entry: perform('switch-back'),
      exit: ['callOff', 'unplan'],
      on: {
        'task.done': [{ guard: 'hasCandidate', target: 'ending', actions: 'closeSwitch' }, { target: 'done', actions: 'closeSwitch' }],
        'task.failed': [
          { guard: 'hasCandidate', target: 'ending', actions: ['sayWhyBackFailed', 'closeSwitch'] },
          { target: 'done', actions: ['sayWhyBackFailed', 'closeSwitch'] },
        ],
        cancel: { actions: 'limitSwitchBack' },
        // The switch stays open.
        'deadline.rollout': [{ guard: 'hasCandidate', target: 'ending', actions: 'sayWhyBackLeft' }, { target: 'done', actions: 'sayWhyBackLeft' }],
      },
    },
    ending: {
      meta: { step: 'ending' },
      entry: 'endAside',
      on: { 'aside.gone': 'done' },
    },
    // The hold is released before the report: what follows the report may be a rollout with a hold of its own.
    done: { type: 'final', meta: { step: 'done' }, entry: 'releaseCurrent' },
  },
});

export type RolloutRef = ActorRefFrom<typeof rolloutMachine>;

const STEPS: ReadonlyMap<string, RolloutStep> = new Map(
  Object.entries(rolloutMachine.states).flatMap(([key, { meta }]) => (meta === undefined ? [] : [[key, (meta as { step: RolloutStep }).step] as const])),
);

const rolloutPublisher: Publisher<RolloutContext, RolloutEvent> = {
  publish(before, { context, value }, event) {
    const at = momentOf(event) ?? context.since;
    const step = STEPS.get(String(value)) ?? 'starting';
    const old = before === null ? null : (STEPS.get(String(before.value)) ?? 'starting');
    const { spec: { name: unit }, slots, candidate, switchOpen } = context;
    const deeds: Deed[] = [...deadlineDeeds(before?.context ?? null, context)];
    if (slots !== null && switchOpen && before?.context.switchOpen !== true) {
      deeds.push({ type: 'writeSwitch', params: { record: { unit, generation: candidate?.generation ?? 0, slots } satisfies SwitchRecord } });
    }
    if (slots !== null && !switchOpen && before?.context.switchOpen === true) deeds.push({ type: 'forgetSwitch', params: { unit } });
    if (step !== old) deeds.push(report({ type: 'rollout.changed', at, facts: factsOf(context, step, at), switchOpen } satisfies RolloutFact, context.parent));
    return { context, deeds };
  },
};

/** The rollout machine with its publisher, its ports unfilled: what explorations step. */
export const publishedRollout = publishing(rolloutMachine, rolloutPublisher);

export interface RolloutPorts {
  readonly clock: ClockPort;
  readonly switches: SwitchLedgerPort;
  readonly rolloutTask: typeof rolloutTaskPort;
}

/** The machine that runs. */
export function provideRollout({ clock, switches, rolloutTask }: RolloutPorts): typeof rolloutMachine {
  return publishing(rolloutMachine.provide({ actors: { task: rolloutTask } }), rolloutPublisher, {
    ...clockDoers(clock),
    writeSwitch: (_, { record }: { readonly record: SwitchRecord }) => switches.recordSwitch(record),
    forgetSwitch: (_, { unit }: { readonly unit: string }) => switches.forgetSwitch(unit),
  });
}

// ─── Words of the chart ──────────────────────────────────────────────────────────────────────────────────────────────

function wait(wait: 'observed' | 'grace') {
  return { type: 'await', params: { wait } } as const;
}

function perform(task: RolloutTask) {
  return [{ type: 'choose', params: { task } }, 'perform'] as const;
}

function isOf(event: RolloutEvent, place: UnitFacts['place'], holds: (facts: UnitFacts) => boolean): boolean {
  return event.type === 'instance.changed' && event.facts.place === place && holds(event.facts);
}

function factsOf({ spec, slots, result, reason }: RolloutContext, step: RolloutStep, at: number): RolloutFacts {
  return { unit: spec.name, step, slots, result: step === 'done' ? result : null, reason, at };
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
