import { assign, setup, spawnChild, stopChild, type ActorRefFrom, type AnyActorRef } from 'xstate';
import { notProvided, rolloutTaskPort, type ClockPort, type SwitchLedgerPort, type TicketPort } from './ports.ts';
import { describeExit, momentOf } from './service-facts.ts';
import { gateOf } from './slots.ts';
import { SECOND_INSTANCE } from './types.ts';
import type {
  DeadlineEvent, RolloutFact, RolloutFacts, RolloutReport, RolloutResult, RolloutStep, RolloutTask, ServiceCommand, ServiceSpec, Settlement, SlotChange,
  SwitchRecord, UnitFacts,
} from './types.ts';

export interface RolloutInput {
  /** What the candidate is, its slot in it. */
  readonly spec: ServiceSpec;
  readonly slots: SlotChange | null;
  readonly ticket: number | null;
  /**
   * `switch-back`: there is no candidate; a switch that another supervisor left open is undone. `abandon`, `retire`: takes
   * the place of a rollout whose actor threw.
   */
  readonly mode: 'replace' | 'switch-back' | 'abandon' | 'retire';
  readonly at: number;
  readonly parent: AnyActorRef;
}

export interface RolloutContext extends Omit<RolloutInput, 'at'> {
  readonly step: RolloutStep;
  /** What the outside was asked for last. */
  readonly task: RolloutTask;
  /** What the candidate told last. */
  readonly candidate: UnitFacts | null;
  /** What the other instance told last: the old one. */
  readonly old: UnitFacts | null;
  /** Why it failed or was called off. */
  readonly reason: string | null;
  readonly result: RolloutResult;
  readonly since: number;
}

/** Why a rollout is called off: the unit is to be down, or another rollout or restart is to follow. */
export type CancelReason = 'stop' | 'hold' | 'restart' | 'reload' | 'shutdown' | 'internal';

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
  cancel: { target: 'switchingBack', actions: 'sayWhy' },
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
    mustEndBoth: ({ event }) => event.type === 'cancel' && event.because !== 'restart' && event.because !== 'reload',
  },
  actions: {
    // Ports: see `provideRollout`.
    armClock: () => notProvided('clock'),
    disarmClock: () => notProvided('clock'),
    writeSwitch: (_, _params: { record: SwitchRecord }) => notProvided('ledger'),
    forgetSwitch: () => notProvided('ledger'),
    answer: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),

    note: assign(({ context, event }, params: { step: RolloutStep }) => ({ step: params.step, since: momentOf(event) ?? context.since })),
    tell: base.enqueueActions(({ context, event, enqueue }) => {
      const at = momentOf(event) ?? context.since;
      const fact: RolloutFact = { type: 'rollout.changed', at, facts: factsOf(context, at) };
      enqueue.emit(fact);
      enqueue.sendTo(context.parent, fact);
    }),
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
    openSwitch: base.enqueueActions(({ context: { spec, slots, candidate }, enqueue }) => {
      if (slots === null) return;
      enqueue({ type: 'writeSwitch', params: { record: { unit: spec.name, generation: candidate?.generation ?? 0, slots } } } as never);
    }),
    sayWhy: assign(({ context, event }) => ({ reason: context.reason ?? whyOf(event, context) })),
    sayWhyBackFailed: assign(({ context, event }) => ({
      reason: [context.reason, event.type === 'task.failed' ? `and it could not be switched back: ${event.reason}` : null].filter((part) => part !== null).join('; '),
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
  context: ({ input: { at, ...input } }) => ({ ...input, step: 'starting', task: 'words', candidate: null, old: null, reason: null, result: 'kept', since: at }),
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
      entry: [...enter('starting'), 'holdCurrent', 'startAside'],
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
      entry: [...enter('inquiring'), ...perform('words')],
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
      entry: 'armClock',
      exit: 'disarmClock',
      on: {
        'deadline.rollout': 'passing',
        'instance.changed': FELL,
        cancel: { target: 'ending', actions: 'sayWhy' },
      },
    },
    /** Running is the first gate, its own check included; then the deployment's. */
    passing: { always: [{ guard: 'isGated', target: 'checking' }, { guard: 'isSwitched', target: 'switching' }, { target: 'swapping' }] },
    checking: {
      entry: [...enter('checking'), ...perform('gate')],
      exit: 'callOff',
      on: {
        'task.done': [{ guard: 'isSwitched', target: 'switching' }, { target: 'swapping' }],
        'task.failed': { target: 'ending', actions: 'sayWhy' },
        'instance.changed': FELL,
        cancel: { target: 'ending', actions: 'sayWhy' },
      },
    },
    switching: {
      entry: ['openSwitch', ...enter('switching'), ...perform('switch')],
      exit: 'callOff',
      on: {
        'task.done': [{ guard: 'isVerified', target: 'verifying' }, { target: 'recording' }],
        // It may have had its effect all the same.
        ...SWITCHES_BACK,
      },
    },
    verifying: {
      entry: [...enter('verifying'), ...perform('verify')],
      exit: 'callOff',
      on: {
        'task.done': 'recording',
        ...SWITCHES_BACK,
      },
    },
    recording: {
      entry: [...enter('recording'), ...perform('record')],
      exit: 'callOff',
      on: {
        'task.done': 'swapping',
        ...SWITCHES_BACK,
      },
    },
    /** From here on the candidate is the unit. */
    swapping: {
      entry: ['swap', 'forgetSwitch', { type: 'keepResult', params: { result: 'replaced' } }],
      always: [{ guard: 'hasGrace', target: 'grace' }, { target: 'retiring' }],
    },
    grace: {
      entry: [...enter('grace'), 'armClock'],
      exit: 'disarmClock',
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
      entry: [...enter('retiring'), 'endAside'],
      on: { 'aside.gone': 'done', 'instance.changed': { actions: 'followAfterSwap' } },
    },
    swappingBack: { entry: ['openSwitch', 'swap'], always: 'undoing' },
    undoing: { always: [{ guard: 'isSwitched', target: 'switchingBack' }, { target: 'ending' }] },
    switchingBack: {
      entry: [...enter('switching-back'), ...perform('switch-back')],
      exit: ['callOff', 'forgetSwitch'],
      on: {
        'task.done': [{ guard: 'hasCandidate', target: 'ending' }, { target: 'done' }],
        'task.failed': [
          { guard: 'hasCandidate', target: 'ending', actions: 'sayWhyBackFailed' },
          { target: 'done', actions: 'sayWhyBackFailed' },
        ],
      },
    },
    ending: {
      entry: [...enter('ending'), 'endAside'],
      on: { 'aside.gone': 'done' },
    },
    // The hold first: what follows the news may be a rollout with a hold of its own.
    done: { type: 'final', entry: ['releaseCurrent', ...enter('done'), settle()] },
  },
});

export type RolloutRef = ActorRefFrom<typeof rolloutMachine>;

export interface RolloutPorts {
  readonly clock: ClockPort;
  readonly switches: SwitchLedgerPort;
  readonly tickets: TicketPort;
  readonly rolloutTask: typeof rolloutTaskPort;
}

/** The machine that runs: `rolloutMachine` with its ports filled. */
export function provideRollout({ clock, switches, tickets, rolloutTask }: RolloutPorts): typeof rolloutMachine {
  return rolloutMachine.provide({
    actors: { task: rolloutTask },
    actions: {
      armClock: ({ context, self }) => clock.arm({ target: self, kind: 'rollout', generation: 0, at: deadlineOf(context) }),
      disarmClock: ({ self }) => clock.disarm(self),
      writeSwitch: (_, { record }) => switches.recordSwitch(record),
      forgetSwitch: ({ context }) => {
        if (context.slots !== null) switches.forgetSwitch(context.spec.name);
      },
      answer: (_, { settlements }) => settlements.forEach((settlement) => tickets.settle(settlement)),
    },
  });
}

// ─── Words of the chart ──────────────────────────────────────────────────────────────────────────────────────────

function enter(step: RolloutStep) {
  return [{ type: 'note', params: { step } }, 'tell'] as const;
}

function perform(task: RolloutTask) {
  return [{ type: 'choose', params: { task } }, 'perform'] as const;
}

/** A rollout that gives way to a plain restart leaves the answer to that one. */
function settle() {
  return {
    type: 'answer',
    params: ({ context: { ticket, spec, result, reason } }: { readonly context: RolloutContext }): { settlements: readonly Settlement[] } => ({
      settlements: result === 'replace' || ticket === null ? [] : [{
        ticket, unit: spec.name, result: result === 'replaced' ? 'started' : 'failed', error: result === 'replaced' ? null : (reason ?? 'called off'),
      }],
    }),
  } as const;
}

function isOf(event: RolloutEvent, place: UnitFacts['place'], holds: (facts: UnitFacts) => boolean): boolean {
  return event.type === 'instance.changed' && event.facts.place === place && holds(event.facts);
}

function factsOf({ spec, step, slots, result, reason }: RolloutContext, at: number): RolloutFacts {
  return { unit: spec.name, step, slots, result: step === 'done' ? result : null, reason, at };
}

function deadlineOf({ step, since, candidate, spec }: RolloutContext): number {
  return step === 'grace' ? since + spec.deployment.gracePeriodMs : (candidate?.at ?? since) + OBSERVED_MS;
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
