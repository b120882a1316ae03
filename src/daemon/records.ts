import type { ChildFacts, ServiceSpec, UnitFacts } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { openJournal } from '../journal/journal.ts';
import { makeScribe } from '../journal/scribe.ts';
import { makeNarrator } from '../logs/narrator.ts';
import { killedForMemory } from '../process/cgroup.ts';
import { openMemoryWatch, watchedChildren } from '../spawned/memory.ts';
import { makeMemoryEnforcer } from '../spawned/memory-enforcer.ts';
import { openRoster } from '../spawned/roster.ts';
import { shownChildren } from '../status/process-tree.ts';
import { masked } from '../masked.ts';
import { isAside } from '../state/recovery.ts';
import type { Ledger } from '../state/ledger.ts';
import { openProjection, type ProjectedUnit } from '../compat/projection.ts';
import type { StateFiles } from '../compat/read-files.ts';
import { stillLiving } from '../compat/orphans.ts';
import type { Takeover } from '../compat/takeover.ts';
import { projectedUnit } from '../compat/recorded.ts';
import { openOrphans } from './orphans.ts';
import type { Outputs } from './outputs.ts';
import type { Setting } from './setting.ts';
import type { Units } from './units.ts';

/** What follows the facts of the machines: journal, supervisor's log, files of 0.33.0, the memory of spawned children. */
export type Records = ReturnType<typeof keepRecords>;

export function keepRecords({ clock, log, paths, secrets, onProblem }: Setting, ledger: Ledger, units: Units, outputs: Outputs, taken: Takeover, others: StateFiles | null) {
  const { root, runs, send, specOf, views } = units;
  const children = () => root.getSnapshot().context.children;
  const journal = openJournal({ stateDir: paths.stateDir, onProblem, mask: secrets.mask });
  const roster = openRoster(children);
  const childOf = roster.of;
  const narrate = makeNarrator(log, childOf, specOf);
  const scribe = makeScribe({
    journal, wallNow: Date.now, now: clock.now, lastWords: outputs.words.of, maxRestarts: (unit) => specOf(unit)?.restart.maxRestarts ?? null, childOf,
    memoryKills: (unit) => memoryKillsOf(specOf(unit)),
  });
  units.hooks.onFailure(scribe.hookFailed);
  const orphans = openOrphans(taken.orphans, { clock, onProblem, onEnded: () => projection.changed() });
  const projected = new WeakMap<UnitView, ProjectedUnit>();
  const projection = openProjection({
    stateDir: paths.stateDir, ledger, others, orphans: () => [...orphans.living(), ...stillLiving(taken.suspected)], onProblem,
    units: () => {
      const spawners = new Set([...children().values()].map(({ record }) => record.order.unit));
      return views().map((view) => {
        // Runs and children go by the wall clock; of all others the view says everything.
        const isPlain = view.spec.cron === null && !spawners.has(view.spec.name);
        const before = isPlain ? projected.get(view) : undefined;
        if (before !== undefined) return before;
        const now = { monotonicMs: clock.now(), wallMs: Date.now() };
        const living = isPlain ? [] : shownChildren(children(), view.spec.name, now).filter(({ ended }) => ended === null);
        const unit = masked(projectedUnit(view, runs.of(view.spec.name), living, now.wallMs), secrets.mask);
        if (isPlain) projected.set(view, unit);
        return unit;
      });
    },
  });
  const childMemory = openMemoryWatch({
    now: clock.now, onProblem, limitOf: (unit) => specOf(unit)?.spawn?.totalMemoryBytes ?? null, children: () => watchedChildren(children()),
    act: makeMemoryEnforcer({
      journal, log, send, now: clock.now, wallNow: Date.now, childOf,
      exceed: (unit, reason) => {
        const { ref, facts } = root.getSnapshot().context.units.get(unit) ?? {};
        if (ref != null && facts !== undefined) ref.send({ type: 'limit.exceeded', at: clock.now(), generation: facts.generation, reason });
      },
    }),
  });
  const followChild = ({ child: id, state, identity }: ChildFacts): void => {
    roster.see(id);
    const child = childOf(id);
    if (child !== null && state === 'living' && identity !== null) outputs.attachChild(child, identity.pid);
    if (state === 'gone') outputs.childLogs.release(id);
    setImmediate(childMemory.changed);
  };

  /** A process begins to write: one of the preparation, where there is any, or the unit's own. */
  const begins = ({ unit, state }: UnitFacts): boolean => {
    if (state !== 'preparing') return state === 'spawning';
    const spec = specOf(unit);
    return spec !== null && (spec.preStart !== null || typeof spec.skip === 'string');
  };

  root.on('*', (fact) => {
    projection.changed();
    if (fact.type === 'unit.changed' && begins(fact.facts)) outputs.words.begin(fact.facts.unit, `${fact.facts.state} ${fact.facts.generation}`);
    if (fact.type === 'child.changed') followChild(fact.facts);
    narrate(fact);
    scribe.fact(fact);
    // One that becomes a unit of the other kind is there again by now, and goes on with its logs.
    if (fact.type === 'unit.removed' && !isAside(fact.unit) && specOf(fact.unit) === null) outputs.forget(fact.unit);
  });
  return {
    journal, projection, childMemory, orphans, request: scribe.request, reloadRefused: scribe.reloadRefused,
    /** Children that were there from the start have reported nothing. */
    noteChildren: (): void => {
      for (const [id, child] of children()) {
        roster.see(id);
        if (child.facts.identity !== null) outputs.attachChild(child, child.facts.identity.pid);
      }
      outputs.childLogs.prune();
      childMemory.changed();
    },
  };
}

function memoryKillsOf(spec: ServiceSpec | null): { readonly count: number; readonly limit: string } | null {
  const { cgroup } = spec?.privileges.limits ?? {};
  return spec === null || cgroup?.memoryMax === undefined ? null : { count: killedForMemory(cgroup, spec.hash), limit: cgroup.memoryMax };
}
