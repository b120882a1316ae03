import type { Child, Children } from '../../machines/children.ts';
import { signalNumber } from '../signals.ts';

/** A spawned child as people are told of it. Instants of the wall clock, in milliseconds. */
export interface ShownChild {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  /** The spawned child it hangs from; null: its service, or nothing any more. */
  readonly parent: string | null;
  /** As it was asked for. */
  readonly parentPid: number;
  readonly argv: readonly string[];
  readonly startedAtMs: number;
  readonly ttlMs: number | null;
  readonly depth: number;
  /** Null while it lives. */
  readonly ended: { readonly code: number | null; readonly signal: number | null; readonly atMs: number } | null;
}

/** The children of a unit that were born, in the order of their birth; `now` by both clocks. */
export function shownChildren(children: Children, unit: string, now: { readonly monotonicMs: number; readonly wallMs: number }): readonly ShownChild[] {
  const wallOf = (at: number): number => now.wallMs - (now.monotonicMs - at);
  return [...children.values()].filter(({ record }) => record.order.unit === unit).flatMap((child): ShownChild[] => {
    const { record: { id, order, depth, startedAt }, facts, parent } = child;
    if (facts.identity === null) return [];
    return [{
      id, name: order.name, pid: facts.identity.pid, startTime: facts.identity.startTime, parent, parentPid: order.parentPid, argv: order.argv,
      startedAtMs: wallOf(startedAt), ttlMs: order.ttlMs, depth, ended: endOf(child, wallOf),
    }];
  });
}

function endOf({ facts: { state, exit, at } }: Child, wallOf: (at: number) => number): ShownChild['ended'] {
  if (state !== 'gone') return null;
  return { code: exit?.code ?? null, signal: signalNumber(exit?.signal ?? null), atMs: wallOf(at) };
}
