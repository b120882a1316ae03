import { PENDING } from './context.ts';
import { bringUp, cancelRollout, send, setRollout, setUnit, type Draft } from './draft.ts';
import { availability, isAboutToChange, isAtRest, restartsWith, type Availability } from './order.ts';
import type { ServiceSpec } from './spec.ts';

/** Which unit is held back by which of its dependencies, and when a dependent restarts. */

/** Of a dependency that ended at once: it has failed or is complete. Meanwhile nothing is started upon it. */
const UNJUDGED: Availability = { met: false, lost: null, unproven: true };

/** After a change of `dependency`: those that need it are held or released. */
export function informDependents(draft: Draft, dependency: string, at: number): void {
  for (const name of draft.dependents.get(dependency) ?? []) informOf(draft, name, at, dependency);
}

/** What has changed for a unit since it was last informed of its dependencies, or of one of them. */
export function informOf(draft: Draft, name: string, at: number, about: string | null = null): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  const informed = { ...unit.informed };
  let [changed, goesDown] = [false, false];
  for (const edge of unit.spec.dependsOn) {
    if (about !== null && edge.service !== about) continue;
    const dependency = draft.units.get(edge.service);
    // A replacement is no news to those that need the unit.
    const turn = dependency?.turn?.command === 'rollout' ? null : (dependency?.turn ?? null);
    const now = turn !== null || dependency?.expected === true ? PENDING : availability(edge, dependency);
    const old = informed[edge.service] ?? PENDING;
    const endedAtOnce = old.unproven === true && !now.met && turn === null && dependency?.facts.wanted === 'up';
    const isJudged = !endedAtOnce || dependency.facts.state !== 'clearing';
    // A candidate is tried once: it waits until the dependency has lived for a moment.
    const news = !isJudged ? UNJUDGED : now.unproven === true && draft.rollouts.has(name) ? PENDING : now;
    if (news.met === old.met && news.lost === old.lost && news.unproven === old.unproven) continue;
    informed[edge.service] = news;
    changed = true;
    if (news.met && old.met) continue;
    // The rule "when does a dependent restart": its edge says so, and the dependency is to come back; or it was started upon a dependency that ended at once.
    const relied = (old.met || old.unproven === true) && dependency?.facts.wanted === 'up' && turn?.command !== 'stop';
    const restarts = isJudged && relied && (restartsWith(edge) || (endedAtOnce && unit.facts.phase === 'starting'));
    send(draft, name, news.met
      ? { type: 'release', at, dependency: edge.service }
      : { type: 'hold', at, dependency: edge.service, stops: restarts, lost: news.lost });
    goesDown ||= !news.met && restarts;
  }
  if (!changed) return;
  setUnit(draft, { ...unit, informed });
  if (goesDown) {
    const rollout = draft.rollouts.get(name);
    if (rollout?.aside.place === 'candidate' && rollout.mode === 'replace' && !rollout.calledOff) restartInstead(draft, name, at);
    cancelRollout(draft, name, 'hold', at);
  }
  // Those that wait for a unit that waits in vain wait in vain too.
  if (unit.facts.state === 'waiting') informDependents(draft, name, at);
}

/** What a replacement was to bring, a plain restart brings; it answers for both. */
export function restartInstead(draft: Draft, name: string, at: number): void {
  const rollout = draft.rollouts.get(name);
  if (rollout === undefined) return;
  setRollout(draft, { ...rollout, tickets: [] });
  restartPlainly(draft, name, rollout.tickets, at);
}

export function restartPlainly(draft: Draft, name: string, tickets: readonly number[], at: number, note?: string): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  setUnit(draft, { ...unit, inForce: unit.spec.definition, expected: isAboutToChange(unit.facts, 'restart') });
  bringUp(draft, name, { type: 'restart', spec: unit.spec, ...(note !== undefined && { note }) }, tickets, at);
}

/** The named units are about to come up: those that need them wait for them from now on, whatever they knew before. */
export function expect(draft: Draft, names: readonly string[], at: number): void {
  const together = new Set(names);
  const concerned = new Set(names.flatMap((name) => draft.dependents.get(name) ?? []));
  for (const other of concerned) {
    const unit = draft.units.get(other);
    if (unit === undefined || (!together.has(other) && isAtRest(unit.facts) && unit.facts.wanted === 'down')) continue;
    const informed = { ...unit.informed };
    for (const edge of unit.spec.dependsOn) {
      if (!together.has(edge.service)) continue;
      if (!together.has(other) && (informed[edge.service] === UNJUDGED || availability(edge, draft.units.get(edge.service)).met)) continue;
      informed[edge.service] = PENDING;
      send(draft, other, { type: 'hold', at, dependency: edge.service, stops: false, lost: null });
    }
    setUnit(draft, { ...unit, informed });
  }
}

/** A new definition: edges that went are released, edges that came hold until they are met. `inForce`: the present instance has it already. */
export function redefine(draft: Draft, name: string, spec: ServiceSpec, at: number, inForce = true): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  const kept = new Set(spec.dependsOn.map(({ service }) => service));
  for (const { service } of unit.spec.dependsOn) if (!kept.has(service)) send(draft, name, { type: 'release', at, dependency: service });
  for (const service of kept) {
    if (!Object.hasOwn(unit.informed, service)) send(draft, name, { type: 'hold', at, dependency: service, stops: false, lost: null });
  }
  setUnit(draft, {
    ...unit, spec, inForce: inForce ? spec.definition : unit.inForce,
    informed: Object.fromEntries([...kept].map((service) => [service, unit.informed[service] ?? PENDING])),
  });
}
