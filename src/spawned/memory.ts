import type { Children } from '../../machines/children.ts';
import { makeObserver, reportingPass, type Origin } from '../metrics/observer.ts';
import { waitUnreferenced, type SamplerOutside } from '../metrics/sampler.ts';
import type { MemoryCase } from './memory-enforcer.ts';
import { CALM, judgeMemory, type ChildrenUse, type MemoryState } from './memory-policy.ts';

/** A child that is not gone. */
export interface WatchedChild {
  readonly child: string;
  readonly unit: string;
  readonly state: ChildrenUse['children'][number]['state'];
  readonly origin: Origin;
}

export interface MemoryOutside extends Pick<SamplerOutside, 'now' | 'onProblem' | 'wait' | 'observer'> {
  children(): readonly WatchedChild[];
  /** `spawn.limits.total_memory` of a unit, in bytes. */
  limitOf(unit: string): number | null;
  act(found: MemoryCase): void;
}

/** Measures what spawned children use, whole trees of them: once for a request, and each second while a limit is in force and a child lives. */
export type MemoryWatch = ReturnType<typeof openMemoryWatch>;

export function openMemoryWatch(outside: MemoryOutside) {
  const { now, limitOf, wait = waitUnreferenced, observer = makeObserver() } = outside;
  const states = new Map<string, MemoryState>();
  let cancel: (() => void) | null = null;
  // Without a measure nothing is ended on a guess.
  const observe = reportingPass(observer, 'the memory of spawned children', outside.onProblem);

  const limited = (): readonly WatchedChild[] => outside.children().filter(({ unit }) => limitOf(unit) !== null);

  const measure = (children: readonly WatchedChild[]): ReadonlyMap<string, number> => {
    const members = observe(new Map(children.map(({ child, origin }) => [child, [origin]])));
    return new Map([...members].map(([child, processes]) => [
      child, [...processes.values()].reduce((bytes, { zombie, usage }) => bytes + (zombie ? 0 : usage.rssBytes), 0),
    ]));
  };

  const tick = (): void => {
    cancel = null;
    const children = limited();
    const bytes = measure(children);
    const units = new Set(children.map(({ unit }) => unit));
    for (const unit of states.keys()) if (!units.has(unit)) states.delete(unit);
    for (const unit of units) {
      const limitBytes = limitOf(unit) ?? Infinity;
      const own = children.filter((child) => child.unit === unit).map(({ child, state }) => ({ child, state, bytes: bytes.get(child) ?? 0 }));
      const { state, verdict } = judgeMemory(states.get(unit) ?? CALM, { at: now(), limitBytes, children: own });
      states.set(unit, state);
      if (verdict.kind !== 'nothing') outside.act({ unit, verdict, limitBytes });
    }
    arm();
  };
  const arm = (): void => {
    if (cancel !== null) return;
    if (limited().length > 0) cancel = wait(INTERVAL_MS, tick);
    else observer.rest();
  };

  return {
    /** The resident bytes of all children of a unit together. */
    usedBytes(unit: string): number {
      const own = outside.children().filter((child) => child.unit === unit);
      const total = [...measure(own).values()].reduce((sum, bytes) => sum + bytes, 0);
      if (cancel === null) observer.rest();
      return total;
    },
    /** Something about the children has changed. */
    changed: arm,
    close(): void {
      cancel?.();
      cancel = null;
      observer.rest();
    },
  };
}

/** Those that are not gone, and have a process to be measured. */
export function watchedChildren(children: Children): readonly WatchedChild[] {
  return [...children.values()].flatMap(({ record: { id, order, token }, facts: { state, identity } }): WatchedChild[] => (identity === null || state === 'gone'
    ? []
    : [{ child: id, unit: order.unit, origin: { leader: identity, token }, state: state === 'killing' ? 'killed' : state === 'stopping' || state === 'clearing' ? 'ending' : 'living' }]));
}

const INTERVAL_MS = 1000;
