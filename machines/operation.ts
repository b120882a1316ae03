import { assign, setup, type ActorRefFrom, type AnyActorRef } from 'xstate';
import type { OperationEvent, OperationInput, OperationKind, OperationReport, Part } from './operation-facts.ts';
import type { TicketPort } from './ports.ts';
import { publishing, type Publisher } from './publishing.ts';
import { momentOf } from './service-facts.ts';
import { Table } from './table.ts';
import type { Settlement } from './unit-facts.ts';

interface PartState {
  readonly part: Part;
  /** Units that still have to make way. */
  readonly left: number;
  readonly stage: 'waiting' | 'due' | 'ordered' | 'settled' | 'superseded';
}

export interface OperationContext {
  readonly id: number;
  readonly kind: OperationKind;
  readonly ticket: number | null;
  readonly parent: AnyActorRef | null;
  readonly parts: Table<PartState>;
  /** For each unit that has to make way: the units that wait for it. Emptied when it has. */
  readonly blocks: Table<readonly string[]>;
  readonly due: readonly string[];
  readonly waiting: number;
  /** Units whose answer is still to come, those that wait included. */
  readonly open: number;
  readonly superseded: number;
  readonly at: number;
  /** Collected in a transition and published after it. */
  readonly settled: readonly Settlement[];
}

const base = setup({
  types: {} as { context: OperationContext; events: OperationEvent; input: OperationInput },
});

/**
 * One accepted command on its way through the units that it names: each gets its order when those that have to go first
 * have made way, and the operation ends when each has answered. A later command takes a unit's turn away only while the
 * unit still waits for it; after the order, the unit itself answers what a later command means. Commands that want the
 * unit up join each other and settle together.
 */
export const operationMachine = base.extend({
  guards: {
    someAreDue: ({ context }) => context.due.length > 0,
    someWait: ({ context }) => context.waiting > 0,
    someOwe: ({ context }) => context.open > 0,
    allWereSuperseded: ({ context }) => context.parts.size > 0 && context.superseded === context.parts.size,
  },
  actions: {
    orderThoseDue: base.enqueueActions(({ context, event, enqueue }) => {
      const { due, parent, id } = context;
      const parts = due.flatMap((unit) => context.parts.get(unit)?.part ?? []);
      enqueue.assign({
        due: [], open: context.open - parts.filter(({ owes }) => !owes).length,
        parts: parts.reduce((states, { unit, owes }) => withStage(states, unit, owes ? 'ordered' : 'settled'), context.parts),
      });
      if (parent !== null) enqueue.sendTo(parent, { type: 'operation.order', at: momentOf(event) ?? context.at, operation: id, parts } satisfies OperationReport);
    }),
    noteClear: assign(({ context, event }) => {
      if (event.type !== 'way.clear') return {};
      const blocked = context.blocks.get(event.unit) ?? [];
      let { parts, waiting } = context;
      const due = [...context.due];
      const left = blocked.filter((unit) => {
        const state = parts.get(unit);
        // One that a later command has brought up again, where an edge went meanwhile, will not be down for this one.
        if (state === undefined || !(event.isThrough || (event.isDown && state.part.command !== 'rollout'))) return true;
        const isDue = state.left === 1 && state.stage === 'waiting';
        parts = parts.set(unit, { ...state, left: state.left - 1, stage: isDue ? 'due' : state.stage });
        if (isDue) due.push(unit);
        waiting -= Number(isDue);
        return false;
      });
      return left.length === blocked.length ? {} : { parts, due, waiting, blocks: context.blocks.set(event.unit, left) };
    }),
    noteSettled: assign(({ context, event }) => {
      if (event.type !== 'unit.settled') return {};
      const { settlement } = event;
      if (context.parts.get(settlement.unit)?.stage !== 'ordered') return {};
      return { parts: withStage(context.parts, settlement.unit, 'settled'), open: context.open - 1, ...answered(context, settlement) };
    }),
    noteSuperseded: assign(({ context, event }) => {
      if (event.type !== 'supersede') return {};
      const { unit, error } = event;
      if (context.parts.get(unit)?.stage !== 'waiting') return {};
      return {
        parts: withStage(context.parts, unit, 'superseded'), open: context.open - 1, superseded: context.superseded + 1, waiting: context.waiting - 1,
        ...answered(context, { ticket: context.id, unit, result: 'failed', error }),
      };
    }),
    noteJoined: assign(({ context, event }) => {
      if (event.type !== 'join') return {};
      const { part, stage } = context.parts.get(event.unit) ?? {};
      if (stage !== 'waiting') return {};
      return {
        parts: withStage(context.parts, event.unit, part?.owes === true ? 'ordered' : 'settled'), open: context.open - (part?.owes === true ? 0 : 1),
        waiting: context.waiting - 1,
      };
    }),
    giveUp: assign(({ context, event }) => {
      if (event.type !== 'give.up') return {};
      const owing = [...context.parts.values()].filter(({ stage }) => stage !== 'settled' && stage !== 'superseded');
      const settled = owing.reduce((all, { part: { unit } }) => answered({ ...context, settled: all }, { ticket: context.id, unit, result: 'failed', error: event.error }).settled, context.settled);
      return { open: 0, waiting: 0, due: [], settled };
    }),
    reportDone: base.enqueueActions(({ context, event, enqueue }) => {
      if (context.parent !== null) enqueue.sendTo(context.parent, { type: 'operation.done', at: momentOf(event) ?? context.at, operation: context.id } satisfies OperationReport);
    }),
  },
}).createMachine({
  id: 'operation',
  context: ({ input }) => begun(input),
  initial: 'deciding',
  states: {
    deciding: {
      always: [
        { guard: 'someAreDue', target: 'deciding', reenter: true, actions: 'orderThoseDue' },
        { guard: 'someWait', target: 'waiting' },
        { guard: 'someOwe', target: 'acting' },
        { guard: 'allWereSuperseded', target: 'superseded' },
        { target: 'settled' },
      ],
    },
    /** Some units wait for their turn; the others have their order. */
    waiting: {
      on: {
        'way.clear': { target: 'deciding', actions: 'noteClear' },
        'unit.settled': { target: 'deciding', actions: 'noteSettled' },
        supersede: { target: 'deciding', actions: 'noteSuperseded' },
        join: { target: 'deciding', actions: 'noteJoined' },
        'give.up': { target: 'settled', actions: 'giveUp' },
      },
    },
    /** Every unit has its order; some owe the client an answer. */
    acting: {
      on: { 'unit.settled': { target: 'deciding', actions: 'noteSettled' }, 'give.up': { target: 'settled', actions: 'giveUp' } },
    },
    // The actor lives until the root stops it: what the root has sent before it learns of the end changes nothing.
    settled: { meta: { ends: true }, entry: 'reportDone' },
    superseded: { meta: { ends: true }, entry: 'reportDone' },
  },
});

export type OperationRef = ActorRefFrom<typeof operationMachine>;

const operationPublisher: Publisher<OperationContext, OperationEvent> = {
  publish(_, { context }) {
    const { settled: settlements } = context;
    return settlements.length === 0 ? { context, deeds: [] } : { context: { ...context, settled: [] }, deeds: [{ type: 'settle', params: { settlements } }] };
  },
};

/** The operation machine with its publisher, its port unfilled: what explorations step. */
export const publishedOperation = publishing(operationMachine, operationPublisher);

/** The machine that runs. */
export function provideOperation({ tickets }: { readonly tickets: TicketPort }): typeof operationMachine {
  return publishing(operationMachine, operationPublisher, {
    settle: (_, { settlements }: { readonly settlements: readonly Settlement[] }) => settlements.forEach((settlement) => tickets.settle(settlement)),
  });
}

function begun({ id, kind, ticket, parts, at, parent }: OperationInput): OperationContext {
  const blocks = new Map<string, string[]>();
  for (const { unit, after } of parts) {
    for (const other of after) {
      const waiting = blocks.get(other) ?? [];
      waiting.push(unit);
      blocks.set(other, waiting);
    }
  }
  const due = parts.filter(({ after }) => after.length === 0).map(({ unit }) => unit);
  return {
    id, kind, ticket, parent, at, due, blocks: Table.of(blocks), waiting: parts.length - due.length, open: parts.length, superseded: 0, settled: [],
    parts: Table.of(parts.map((part) => [part.unit, { part, left: part.after.length, stage: part.after.length === 0 ? 'due' : 'waiting' }])),
  };
}

function withStage(parts: Table<PartState>, unit: string, stage: PartState['stage']): Table<PartState> {
  const state = parts.get(unit);
  return state === undefined ? parts : parts.set(unit, { ...state, stage });
}

/** The client's ticket in place of the operation's, where the client waits. */
function answered({ ticket, parts, settled }: OperationContext, settlement: Settlement): { readonly settled: readonly Settlement[] } {
  return { settled: ticket === null || parts.get(settlement.unit)?.part.owes !== true ? settled : [...settled, { ...settlement, ticket }] };
}
