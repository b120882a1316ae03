import { identityOf } from '../machines/rig.ts';
import { leafOf } from '../../machines/service-facts.ts';
import { metaOf } from '../../machines/unit.ts';
import { definitionOf, deadlineOf } from './os-events.ts';
import { stepModel, type ModelEvent, type ModelState } from './os.ts';
import { makeRestFinderOf } from './rest.ts';

/** States that differ in nothing that matters are one. `forOthers`: what matters to the root and to dependents matters. */
export function keyOf({ snapshot, process, probed, armed, owed, lastCommand, newestSpec, restartsSinceForgiven, removed, violations }: ModelState, forOthers = false): string {
  const { context, value, status } = snapshot;
  return [
    status, typeof value === 'string' ? value : JSON.stringify(value), definitionOf(context.spec), context.nextSpec === null ? '' : definitionOf(context.nextSpec), context.removed, context.wanted,
    Object.keys(context.held).length === 0 ? '' : JSON.stringify(context.held), context.process?.role, context.leaderEnded, context.cause,
    context.refusal !== null, context.refused, context.ended?.code, context.spec.essential ? context.exit?.code : '', Math.min(context.streak, 4), context.outcome, context.ready,
    context.tickets.map(({ id, kind }) => `${id}${kind}`).join('+'), context.deadline?.kind, context.resumed?.kind, Math.min(context.killsOrdered, 2),
    context.process === null ? '' : `${context.process.adopted}${context.process.identity !== null}`,
    process === null ? '' : `${process.actor.split('.')[0]} ${process.state} ${process.ordered} ${process.generation - context.generation} ${definitionOf(process.spec)} ${process.adopted}`,
    probed, armed?.kind, owed.join('+'), lastCommand === 'restart' ? 'start' : lastCommand, definitionOf(newestSpec), restartsSinceForgiven, context.hooksPending, removed,
    context.spec.hooks.length === 0 ? '' : `${context.hasRun}${context.automatic}`, forOthers && context.spec.check === null ? context.restarts > 0 : '', violations.join('+'),
  ].join('|');
}


/** What must hold in every state, each with the sentence that says it. */
export const invariants: readonly { readonly name: string; readonly holds: (state: ModelState) => boolean }[] = [
  { name: 'nothing forbidden happened on the way', holds: ({ violations }) => violations.length === 0 },
  { name: 'a process exists only in states that own one', holds: ({ snapshot, process }) => (process !== null) === metaOf(leafOf(snapshot.value)).owns },
  { name: 'the machine knows of its process', holds: ({ snapshot, process }) => (process === null) === (snapshot.context.process === null) },
  { name: 'a resting unit owes no answer', holds: ({ snapshot, owed }) => !['stopped', 'failed', 'backoff', 'removed'].includes(leafOf(snapshot.value)) || owed.length === 0 },
  { name: 'the machine keeps the tickets it owes', holds: ({ snapshot, owed }) => snapshot.context.tickets.map(({ id }) => id).sort().join() === [...owed].sort().join() },
  {
    name: 'wanted is the last accepted command',
    holds: ({ snapshot, lastCommand, removed }) => {
      if (removed) return snapshot.context.wanted === 'down';
      return snapshot.context.wanted === (lastCommand === 'start' || lastCommand === 'restart' ? 'up' : 'down');
    },
  },
  { name: 'the restart budget is kept', holds: ({ snapshot, restartsSinceForgiven }) => restartsSinceForgiven <= (snapshot.context.spec.restart.maxRestarts ?? Infinity) },
  { name: 'the state on record is the state the machine is in', holds: ({ snapshot, record }) => record === null || record.state === leafOf(snapshot.value) },
  {
    name: 'a deadline is one that the chart says the state may wait for',
    holds: ({ snapshot: { value, context } }) => context.deadline === null || metaOf(leafOf(value)).deadline.includes(context.deadline.kind),
  },
  { name: 'a deadline is armed where the chart waits for one', holds: ({ snapshot, armed }) => !['stopping', 'killing', 'clearing', 'backoff'].includes(leafOf(snapshot.value)) || armed !== null },
  { name: 'what is armed is what is shown', holds: ({ snapshot, armed }) => armed === null || armed.kind === snapshot.context.deadline?.kind },
  {
    name: 'a probe goes on only while the process runs',
    holds: ({ snapshot: { context, value }, probed }) => !probed || (['starting', 'running'].includes(leafOf(value)) && context.spec.check !== null),
  },
  { name: 'what a probe has to decide is probed', holds: ({ snapshot: { context, value }, probed }) => probed || leafOf(value) !== 'starting' || context.spec.check === null },
  {
    name: 'a unit that is being stopped has been signalled',
    holds: ({ snapshot: { value }, process }) => process === null || process.state !== 'alive' || !['stopping', 'killing'].includes(leafOf(value)) || process.ordered !== 'nothing',
  },
  {
    name: 'the ledger names the process there is',
    holds: ({ process, record }) => process === null || (record?.process?.generation === process.generation && (process.state === 'forking' || record.process.identity !== null)),
  },
  { name: 'the ledger has what is wanted', holds: ({ snapshot: { context }, record }) => record === null || context.removed || record.wanted === (context.goesOn ? 'up' : context.wanted) },
];

export function brokenIn(state: ModelState): string | null {
  for (const { name, holds } of invariants) if (!holds(state)) return state.violations.length > 0 ? `${name}: ${state.violations.join(', ')}` : name;
  return null;
}

/**
 * The wanted state is reached once faults cease: processes start, live, and end when they are told to; deadlines fire;
 * dependencies are released. What happens next then, or null at rest.
 */
export function quietEvent({ snapshot, process, armed }: ModelState, holds: 'released' | 'kept' = 'released'): ModelEvent | null {
  const at = 0;
  if (snapshot.status !== 'active') return null;
  const { generation, held, hooksPending, spec } = snapshot.context;
  const leaf = leafOf(snapshot.value);
  if (hooksPending) return { type: 'hooks.idle', at };
  const dependency = Object.keys(held)[0];
  if (dependency !== undefined && holds === 'released') return { type: 'release', at, dependency };
  if (process?.state === 'forking') {
    return process.ordered === 'nothing' ? { type: 'process.spawned', generation: process.generation, at, identity: identityOf(7) } : { type: 'process.gone', generation: process.generation, at };
  }
  if (process?.state === 'leader-dead' && (process.ordered !== 'nothing' || process.adopted)) return { type: 'process.gone', generation: process.generation, at };
  if (process?.state === 'alive' && (process.ordered !== 'nothing' || process.actor.startsWith('task.'))) {
    // A skip command that fails, and a pre_start that succeeds, let the service run.
    return { type: 'process.exited', generation: process.generation, at, exit: { code: process.actor.endsWith('skip') ? 1 : 0, signal: null } };
  }
  if (spec.check !== null && leaf === 'starting') return { type: 'probe.ok', generation, at };
  return armed === null ? null : deadlineOf(armed);
}

/** Up and running, or down and gone; or an end that nobody may undo by itself. */
export function restsWhereItIsWanted({ snapshot, process }: ModelState): boolean {
  const { wanted, outcome } = snapshot.context;
  const leaf = leafOf(snapshot.value);
  if (leaf === 'removed') return process === null;
  if (wanted === 'down') return leaf === 'stopped' && process === null;
  return (leaf === 'running' && process?.state === 'alive') || leaf === 'failed' || (leaf === 'stopped' && (outcome === 'completed' || outcome === 'skipped'));
}

/** Tells what is wrong with the rest that a state comes to; null: nothing. */
export function makeRestFinder(): (from: ModelState) => string | null {
  return makeRestFinderOf<ModelState>({
    keyOf, steps: 60,
    next: (state) => {
      const event = quietEvent(state);
      return event === null ? null : stepModel(state, event).state;
    },
    unrest: (state) => {
      if (!restsWhereItIsWanted(state)) return `comes to rest in ${leafOf(state.snapshot.value)}, wanted ${state.snapshot.context.wanted}`;
      return state.owed.length > 0 ? 'comes to rest and owes an answer' : null;
    },
  });
}
