import type { Child } from '../../machines/children.ts';
import type { SupervisorCommand } from '../../machines/types.ts';
import type { Journal } from '../journal/journal.ts';
import type { SupervisorLog } from '../logs/supervisor-log.ts';
import type { MemoryVerdict } from './memory-policy.ts';

export interface MemoryCase {
  readonly unit: string;
  readonly verdict: Exclude<MemoryVerdict, { kind: 'nothing' }>;
  readonly limitBytes: number;
}

export interface EnforcerOutside {
  readonly journal: Pick<Journal, 'append'>;
  readonly log: Pick<SupervisorLog, 'warn'>;
  send(command: SupervisorCommand): void;
  now(): number;
  wallNow(): number;
  childOf(id: string): Child | null;
  /** Ends the service itself as one that is over a limit. */
  exceed(unit: string, reason: string): void;
}

/** Carries out a verdict on the memory of spawned children, and notes with figures which child is ended and why. */
export function makeMemoryEnforcer(outside: EnforcerOutside): (found: MemoryCase) => void {
  return ({ unit, verdict, limitBytes }) => {
    const total = `all spawned children of service '${unit}' use ${verdict.usedBytes} bytes, spawn.limits.total_memory is ${limitBytes}`;
    const figures = { used_bytes: verdict.usedBytes, limit_bytes: limitBytes };
    const note = (event: string, detail: Readonly<Record<string, unknown>>): void => {
      outside.journal.append({ at: new Date(outside.wallNow()).toISOString(), unit, event, cause: { kind: 'limit' }, detail });
    };
    if (verdict.kind === 'exceeded') {
      outside.log.warn('sysg::memory', `${total}, and none of them ends: the service is ended`);
      note('spawn.limit', figures);
      return outside.exceed(unit, total);
    }
    const child = outside.childOf(verdict.child);
    const name = child?.record.order.name ?? verdict.child;
    const pid = child?.facts.identity?.pid ?? null;
    outside.log.warn('sysg::memory', `${total}: '${name}' (PID: ${pid ?? 'unknown'}), which uses most (${verdict.childBytes}), is ended`);
    note('spawn.limit', { child: name, ...(pid !== null && { pid }), child_bytes: verdict.childBytes, ...figures });
    outside.send({ type: 'child.limit', at: outside.now(), child: verdict.child });
  };
}
