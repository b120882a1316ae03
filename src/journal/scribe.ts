import type { SupervisorFact } from '../../machines/supervisor.ts';
import type { Child } from '../../machines/children.ts';
import type { RolloutFacts, UnitFacts } from '../../machines/types.ts';
import type { JournalCause, JournalRecord } from '../wire/payloads.ts';
import { childDraft } from './child-record.ts';
import type { Journal, JournalDraft } from './journal.ts';

export interface ScribeOutside {
  readonly journal: Pick<Journal, 'append' | 'lastOf'>;
  wallNow(): number;
  /** Monotonic, in milliseconds: deadlines are. */
  now(): number;
  /** The last lines the unit's present process wrote to standard error. */
  lastWords(unit: string): readonly string[];
  /** How often failures in a row are restarted; null without a limit. */
  maxRestarts(unit: string): number | null;
  /** A spawned child, living or gone of late. */
  childOf?(id: string): Child | null;
}

/** More changes than this within `STORM_MS` are a storm: of one unit only where it comes to rest is told then, of its children nothing. */
const STORM_CHANGES = 60;
const STORM_MS = 10_000;
const LANDINGS: readonly string[] = ['stopped', 'failed', 'running', 'backoff'];

/** That a process was born is no cause of its own: the start is what it was begun for. */
function isPartOfStart({ event, state }: UnitFacts): boolean {
  return event === 'process.spawned' && state === 'starting';
}

/** Turns the facts of the machines into records of the journal. */
export function makeScribe(outside: ScribeOutside): (fact: SupervisorFact) => void {
  const { journal, wallNow } = outside;
  const before = new Map<string, UnitFacts>();
  const causes = new Map<string, JournalCause>();
  /** Numbers of the newest changes: records about a unit's children are the cause of nothing. */
  const newest = new Map<string, number>();
  const storms = new Map<string, { since: number; changes: number; left: number }>();

  /** How many records were left out before this one; null: this one is left out too. */
  const leftOut = (key: string, at: number, isLanding: boolean): number | null => {
    const storm = storms.get(key);
    if (storm === undefined || at - storm.since > STORM_MS) {
      storms.set(key, { since: at, changes: 1, left: 0 });
      return storm?.left ?? 0;
    }
    storm.changes += 1;
    if (storm.changes > STORM_CHANGES && !isLanding) {
      storm.left += 1;
      return null;
    }
    const { left } = storm;
    storm.left = 0;
    return left;
  };

  const change = (facts: UnitFacts): void => {
    const old = before.get(facts.unit);
    before.set(facts.unit, facts);
    if (old?.state === facts.state && old.ready === facts.ready && old.wanted === facts.wanted && old.generation === facts.generation) return;
    const omitted = leftOut(facts.unit, facts.at, LANDINGS.includes(facts.state));
    if (omitted === null) return;
    const { seq } = journal.append({
      at: new Date(wallNow()).toISOString(), unit: facts.unit, generation: facts.generation, event: facts.event, from: old?.state ?? 'stopped',
      to: facts.state, cause: isPartOfStart(facts) ? (causes.get(facts.unit) ?? causeOf(facts)) : remember(facts), detail: detailOf(facts, omitted),
    });
    newest.set(facts.unit, seq);
  };

  const remember = (facts: UnitFacts): JournalCause => {
    const cause = causeOf(facts);
    causes.set(facts.unit, cause);
    return cause;
  };

  const causeOf = ({ unit, trigger }: UnitFacts): JournalCause => {
    const { kind, by } = trigger;
    const lastOf = (name: string): number | null => newest.get(name) ?? journal.lastOf(name);
    const follows = kind === 'dependency' && by !== null ? lastOf(by) : ['exit', 'probe', 'timer', 'limit'].includes(kind) ? lastOf(unit) : null;
    return { kind, ...(follows !== null && { seq: follows }), ...(by !== null && { by }) };
  };

  const detailOf = (facts: UnitFacts, omitted: number): Readonly<Record<string, unknown>> => {
    const { ended, pid, reason, deadline, state, failures, ready, wanted, cause } = facts;
    const failing = state === 'backoff' || state === 'failed';
    const words = failing ? outside.lastWords(facts.unit) : [];
    const limit = outside.maxRestarts(facts.unit);
    return {
      ...(pid !== null && { pid }),
      ...(ended?.code != null && { exit_code: ended.code }),
      ...(ended?.signal != null && { signal: ended.signal }),
      ...(failing && { attempt: failures, ...(limit !== null && { max_restarts: limit }) }),
      ...(reason !== null && failing && { reason }),
      ...(cause !== null && { because: cause }),
      ...(deadline?.kind === 'backoff' && { next_at: new Date(wallNow() + deadline.at - outside.now()).toISOString() }),
      ...(ready !== null && { ready }),
      ...(wanted === 'down' && { wanted }),
      ...(words.length > 0 && { last_stderr: words }),
      ...(omitted > 0 && { omitted }),
    };
  };

  const own = (event: string, detail: Readonly<Record<string, unknown>>, unit: string | null = null): JournalRecord => {
    const draft: JournalDraft = { at: new Date(wallNow()).toISOString(), unit, event, detail };
    return journal.append(draft);
  };

  const rollout = ({ unit, step, slots, result, reason }: RolloutFacts): JournalRecord => own('rollout', {
    step, ...(slots !== null && { slots: [slots.from, slots.to] }), ...(result !== null && { result }), ...(reason !== null && { reason }),
  }, unit);

  return (fact) => {
    switch (fact.type) {
      // Of the instance beside a unit its rollout tells what matters.
      case 'unit.changed': return fact.facts.place === 'current' ? change(fact.facts) : undefined;
      case 'rollout.changed': return void rollout(fact.facts);
      case 'unit.removed':
        before.delete(fact.unit);
        storms.delete(fact.unit);
        storms.delete(childrenOf(fact.unit));
        newest.delete(fact.unit);
        causes.delete(fact.unit);
        return void own('removed', {}, fact.unit);
      case 'child.changed': {
        const draft = childDraft(fact.facts, (id) => outside.childOf?.(id) ?? null, before.get(fact.facts.unit)?.state ?? null);
        const omitted = draft === null ? null : leftOut(childrenOf(fact.facts.unit), fact.at, false);
        if (draft === null || omitted === null) return undefined;
        return void journal.append({ at: new Date(wallNow()).toISOString(), ...draft, detail: { ...draft.detail, ...(omitted > 0 && { omitted }) } });
      }
      case 'unit.crashed': return void own('actor.failed', { error: fact.error.split('\n')[0] ?? '' }, fact.unit);
      case 'supervisor.ending': return void own('supervisor.ending', { because: fact.because, exit_code: fact.exitCode });
    }
  };
}

/** The children of a unit are a storm of their own. No unit has such a name. */
function childrenOf(unit: string): string {
  return `${unit}/`;
}
