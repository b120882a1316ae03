import type { ActorRefFrom } from 'xstate';
import { rolloutTaskPort, type ClockPort, type SwitchLedgerPort } from './ports.ts';
import { clockDoers, deadlineDeeds, publishing, report, type Deed, type Publisher } from './publishing.ts';
import type { RolloutFact, RolloutFacts, RolloutStep, RolloutTask, SwitchRecord } from './rollout-facts.ts';
import { rolloutSetup, type RolloutContext, type RolloutEvent } from './rollout-setup.ts';
import { momentOf } from './service-facts.ts';

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
export const rolloutMachine = rolloutSetup.createMachine({
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

function factsOf({ spec, slots, result, reason }: RolloutContext, step: RolloutStep, at: number): RolloutFacts {
  return { unit: spec.name, step, slots, result: step === 'done' ? result : null, reason, at };
}
