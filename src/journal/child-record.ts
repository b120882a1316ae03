import type { Child } from '../../machines/children.ts';
import type { ChildCause, ChildFacts, Leaf } from '../../machines/types.ts';
import type { JournalCause } from '../wire/payloads.ts';
import type { JournalDraft } from './journal.ts';

/** What the journal holds of a spawned child: that it was born, that it is being ended and why, and its end. Null: not worth a record. */
export function childDraft(facts: ChildFacts, childOf: (id: string) => Child | null, service: Leaf | null): Omit<JournalDraft, 'at'> | null {
  const child = childOf(facts.child);
  const event = EVENTS[facts.state];
  if (child === null || event === undefined || facts.identity === null) return null;
  const { order, depth } = child.record;
  // Its service's own ending may have reached it first.
  const cause = facts.cause ?? (facts.state === 'gone' && service !== null && LEAVING.includes(service) ? 'service' : null);
  const because = cause === null ? null : WORDS[cause];
  return {
    unit: facts.unit, generation: order.generation, event,
    cause: event === 'child.spawned' ? { kind: 'command', by: 'spawn' } : causeOf(cause, child, childOf),
    detail: {
      child: order.name, pid: facts.identity.pid,
      ...(event === 'child.spawned' && { parent_pid: order.parentPid, depth, ...(order.ttlMs !== null && { ttl_secs: order.ttlMs / 1000 }) }),
      ...(facts.state === 'gone' && facts.exit?.code != null && { exit_code: facts.exit.code }),
      ...(facts.state === 'gone' && facts.exit?.signal != null && { signal: facts.exit.signal }),
      ...(because !== null && { because }),
    },
  };
}

const EVENTS: Partial<Readonly<Record<ChildFacts['state'], string>>> = { living: 'child.spawned', stopping: 'child.ending', killing: 'child.killing', gone: 'child.ended' };
const LEAVING: readonly Leaf[] = ['stopping', 'killing', 'clearing', 'stopped', 'failed', 'backoff', 'waiting', 'removed'];
const WORDS: Readonly<Record<ChildCause, string>> = {
  ttl: 'its time is over', cascade: 'its parent has ended', service: 'its service has ended', limit: 'spawn.limits.total_memory is used up',
};

function causeOf(cause: ChildCause | null, { parent, record }: Child, childOf: (id: string) => Child | null): JournalCause {
  const above = parent === null ? null : childOf(parent);
  switch (cause) {
    case 'ttl': return { kind: 'timer' };
    case 'limit': return { kind: 'limit' };
    case 'service': return { kind: 'exit', by: record.order.unit };
    case 'cascade': return { kind: 'exit', ...(above !== null && { by: above.record.order.name }) };
    case null: return { kind: 'exit' };
  }
}
