import type { Child } from '../../machines/children.ts';
import { isOrdered } from '../../machines/service-ends.ts';
import { SECOND_INSTANCE } from '../../machines/unit-facts.ts';
import type { ChildFacts, RolloutFacts, SignalName, SupervisorFact, UnitFacts } from '../../machines/types.ts';
import { signalBehind } from '../signals.ts';
import type { JournalCause, JournalRecord } from '../wire/payloads.ts';
import { childDraft } from './child-record.ts';
import { REMOVED, type Journal, type JournalDraft } from './journal.ts';
import { causeOfSignalled, openRequestsSeen, requestDraft, type AcceptedRequest, type SentSignal } from './request-record.ts';

export interface ScribeOutside {
  readonly journal: Pick<Journal, 'append' | 'lastOf'>;
  wallNow(): number;
  /** Monotonic, in milliseconds: deadlines are. */
  now(): number;
  /** The last lines the unit's present process wrote to standard error. */
  lastWords(unit: string): readonly string[];
  /** How often failures in a row are restarted; null without a limit. */
  maxRestarts(unit: string): number | null;
  /** How often the kernel has killed a process of the unit for its memory limit, and that limit as it is written; null without one. */
  memoryKills?(unit: string): { readonly count: number; readonly limit: string } | null;
  /** A spawned child, living or gone of late. */
  childOf?(id: string): Child | null;
}

/** The event of a record about a hook that failed. */
export const HOOK_FAILED = 'hook.failed';

/** More changes than this within `STORM_MS` are a storm: then of a unit only where it comes to rest is recorded, and nothing of its children. */
const STORM_CHANGES = 60;
const STORM_MS = 10_000;
const LANDINGS: readonly string[] = ['stopped', 'failed', 'running', 'backoff'];

interface Storm {
  since: number;
  changes: number;
  /** Records that were left out and are not counted in one that was written. */
  left: number;
}

/** What is remembered of a unit for its next record. */
interface Story {
  facts: UnitFacts | null;
  cause: JournalCause | null;
  /** Why its process is being ended; null while it is not. */
  ending: JournalCause | null;
  sent: SentSignal | null;
  /** The number of its newest change: records about its children are the cause of nothing. */
  seq: number | null;
  /** What `memoryKills` counted when its process began. */
  memoryKills: number;
  readonly changes: Storm;
  readonly children: Storm;
  readonly hooks: Storm;
}

export type Scribe = ReturnType<typeof makeScribe>;

/** Turns requests and the facts of the machines into records of the journal. */
export function makeScribe(outside: ScribeOutside) {
  const { journal, wallNow } = outside;
  const stories = new Map<string, Story>();
  const requests = openRequestsSeen();

  const storyOf = (unit: string): Story => {
    const story = stories.get(unit) ?? { facts: null, cause: null, ending: null, sent: null, seq: null, memoryKills: 0, changes: calm(), children: calm(), hooks: calm() };
    stories.set(unit, story);
    return story;
  };

  const append = (draft: Omit<JournalDraft, 'at'>): JournalRecord => journal.append({ at: new Date(wallNow()).toISOString(), ...draft });

  const change = (facts: UnitFacts): void => {
    const story = storyOf(facts.unit);
    const { facts: old } = story;
    story.facts = facts;
    if (old?.state !== facts.state && (facts.state === 'spawning' || facts.event === 'adopt')) story.memoryKills = outside.memoryKills?.(facts.unit)?.count ?? 0;
    if (old?.state === facts.state && old.ready === facts.ready && old.wanted === facts.wanted && old.generation === facts.generation) return;
    const omitted = leftOut(story.changes, facts.at, LANDINGS.includes(facts.state));
    if (omitted === null) return;
    // That a process was born, or that hooks or a second instance are over for which a start waited, is no cause of its own: the start is what it was begun for.
    const isPartOfStart = (facts.event === 'process.spawned' && facts.state === 'starting') || facts.event === 'hooks.idle' || facts.trigger.by === SECOND_INSTANCE;
    const cause = (isPartOfStart ? story.cause : null) ?? causeOf(facts, old, story);
    if (!isPartOfStart) story.cause = cause;
    const isOrder = cause.kind !== 'exit' && cause.kind !== 'timer';
    story.ending = !ENDING.includes(facts.state) || !isOrdered(facts.cause) ? null : isOrder ? cause : (story.ending ?? cause);
    story.seq = append({
      unit: facts.unit, generation: facts.generation, event: facts.event, from: old?.state ?? 'stopped', to: facts.state, cause, detail: detailOf(facts, omitted),
    }).seq;
  };

  const lastOf = (name: string): number | null => stories.get(name)?.seq ?? journal.lastOf(name);

  const causeOf = ({ unit, trigger, event, ended, generation, at, state }: UnitFacts, old: UnitFacts | null, story: Story): JournalCause => {
    const { kind, by } = trigger;
    if (story.ending !== null && kind === 'exit') {
      const { kind: ordered, by: dependency } = story.ending;
      // One that was held starts at its end when the dependency is back by then, and not since that went away.
      const returned = ordered === 'dependency' && dependency !== undefined && BEGINNING.includes(state) ? lastOf(dependency) : null;
      // What else an ordered end leads to is due to the order, and not to the process that obeyed.
      return returned === null ? story.ending : { ...story.ending, seq: returned };
    }
    const signalled = kind === 'exit' && ended !== null && old?.ended == null ? causeOfSignalled(story.sent, generation, ended.signal, at) : null;
    if (signalled !== null) return signalled;
    const asked = requests.behind(trigger, unit, event);
    if (kind === 'reload' && asked !== null && requests.isStartOf(unit, asked)) return { kind: 'command', seq: asked, by: 'start' };
    const last = kind === 'dependency' && by !== null ? lastOf(by) : ['exit', 'probe', 'timer', 'limit'].includes(kind) ? lastOf(unit) : null;
    // A dependency that is to be restarted holds the unit before anything has happened to the dependency itself.
    const follows = event === 'hold' ? later(asked, last) : (asked ?? last);
    return { kind, ...(follows !== null && { seq: follows }), ...(by !== null && { by }) };
  };

  const detailOf = (facts: UnitFacts, omitted: number): Readonly<Record<string, unknown>> => {
    const { event, ended, pid, reason, blame, left, outcome, deadline, state, failures, ready, wanted, cause } = facts;
    const retried = state === 'backoff' || state === 'failed';
    const failing = retried || (facts.phase === 'waiting' && event.startsWith('process.') && outcome === 'failed');
    const words = failing ? outside.lastWords(facts.unit) : [];
    const limit = outside.maxRestarts(facts.unit);
    return {
      ...(pid !== null && { pid }),
      ...(ended?.code != null && { exit_code: ended.code }),
      ...(ended?.signal != null && { signal: ended.signal }),
      ...(retried && { attempt: failures, ...(limit !== null && { max_restarts: limit }) }),
      ...(reason !== null && (failing || outcome === 'completed') && { reason, ...(blame !== null && { blame }), ...(left.length > 0 && { left }) }),
      ...(failing && endedByKill(ended) && memoryLimitReached(facts.unit)),
      ...(cause !== null && { because: cause }),
      ...(deadline?.kind === 'backoff' && { next_at: new Date(wallNow() + deadline.at - outside.now()).toISOString() }),
      ...(ready !== null && { ready }),
      ...(wanted === 'down' && { wanted }),
      ...(words.length > 0 && { last_stderr: words }),
      ...(omitted > 0 && { omitted }),
    };
  };

  /** The limit for which the kernel killed a process of the unit since that began. */
  const memoryLimitReached = (unit: string): { readonly memory_max: string } | null => {
    const kills = outside.memoryKills?.(unit) ?? null;
    return kills !== null && kills.count > storyOf(unit).memoryKills ? { memory_max: kills.limit } : null;
  };

  const ofChild = (facts: ChildFacts, at: number): void => {
    const story = storyOf(facts.unit);
    const draft = childDraft(facts, (id) => outside.childOf?.(id) ?? null, story.facts?.state ?? null);
    const omitted = draft === null ? null : leftOut(story.children, at, false);
    if (draft !== null && omitted !== null) append({ ...draft, detail: { ...draft.detail, ...(omitted > 0 && { omitted }) } });
  };

  return {
    /** What the machines report. */
    fact(fact: SupervisorFact): void {
      switch (fact.type) {
        // Of the instance beside a unit its rollout says what matters.
        case 'unit.changed': return fact.facts.place === 'current' ? change(fact.facts) : undefined;
        case 'child.changed': return ofChild(fact.facts, fact.at);
        case 'rollout.changed': return void append({ unit: fact.facts.unit, event: 'rollout', detail: detailOfRollout(fact.facts) });
        case 'unit.removed':
          stories.delete(fact.unit);
          requests.forget(fact.unit);
          return void append({ unit: fact.unit, event: REMOVED, detail: {} });
        case 'unit.crashed': return void append({ unit: fact.unit, event: 'actor.failed', detail: { error: fact.error.split('\n')[0] ?? '' } });
        case 'supervisor.ending': return void append({ unit: null, event: 'supervisor.ending', detail: { because: fact.because, exit_code: fact.exitCode } });
      }
    },
    /** What somebody asked for; to be called before anything follows from that. */
    request(accepted: AcceptedRequest): void {
      const { unit, command, detail } = accepted;
      const { seq } = append(requestDraft(accepted));
      requests.note(accepted, seq);
      const story = unit === null ? null : storyOf(unit);
      if (command === 'signal' && story !== null) {
        story.sent = { signal: String(detail?.['signal']), generation: story.facts?.generation ?? 0, atMs: outside.now(), seq };
      }
    },
    /** A hook of the unit failed; `hook` is its name. */
    hookFailed(unit: string, hook: string, reason: string): void {
      const omitted = leftOut(storyOf(unit).hooks, outside.now(), false);
      if (omitted !== null) append({ unit, event: HOOK_FAILED, detail: { hook, reason, ...(omitted > 0 && { omitted }) } });
    },
    /** The configuration that a signal asked for was refused: no client is there that would hear of it. */
    reloadRefused: (by: SignalName, reason: string): void => void append({ unit: null, event: 'reload.refused', cause: { kind: 'signal', by }, detail: { reason } }),
  };
}

/** States in which a start is under way that waits for nothing. */
const BEGINNING: readonly string[] = ['preparing', 'spawning'];

/** States in which a process is being ended. */
const ENDING: readonly string[] = ['stopping', 'killing', 'clearing'];

function later(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

/** By SIGKILL, or as a shell ends whose command was. */
function endedByKill(ended: UnitFacts['ended']): boolean {
  return ended?.signal === 'SIGKILL' || signalBehind(ended?.code ?? null) === 'SIGKILL';
}

function detailOfRollout({ step, slots, result, reason }: RolloutFacts): JournalRecord['detail'] {
  return { step, ...(slots !== null && { slots: [slots.from, slots.to] }), ...(result !== null && { result }), ...(reason !== null && { reason }) };
}

function calm(): Storm {
  return { since: Number.NEGATIVE_INFINITY, changes: 0, left: 0 };
}

/** How many records were left out before this one; null: this one is left out too. */
function leftOut(storm: Storm, at: number, isLanding: boolean): number | null {
  if (at - storm.since > STORM_MS) Object.assign(storm, { since: at, changes: 0 });
  storm.changes += 1;
  if (storm.changes > STORM_CHANGES && !isLanding) {
    storm.left += 1;
    return null;
  }
  const { left } = storm;
  storm.left = 0;
  return left;
}
