import { availability, dependentsOf, inOrder, isAtRest, withDependencies } from './order.ts';
import { PENDING, type Plan, type SupervisorContext, type Turn } from './context.ts';
import { answer, expectNews, planned, send, setUnit, tellDependencies, type Draft } from './draft.ts';
import { beginRollout, hasRolledOver } from './rollouts.ts';
import type { ServiceSpec, Trigger } from './types.ts';

/** Who of a command's units is told when: the order of starts, stops, restarts and rollouts. */

/** What follows from any change: dependents are told, and units whose turn has come get their command. */
export function finished(draft: Draft, at: number, changed?: string): Plan {
  const dependents = changed === undefined ? [...draft.units.keys()] : dependentsOf(draft.units, changed);
  for (const name of dependents) tellDependencies(draft, name, at);
  takeTurns(draft, at);
  return planned(draft, at);
}

export function startInto(draft: Draft, names: readonly string[], ticket: number | null, at: number, origin: Trigger = { kind: 'command', by: 'start' }): void {
  const named = new Set(names);
  const meant = [...withDependencies(draft.units, names)].filter((name) => draft.units.has(name) && (named.has(name) || isDown(draft, name)));
  dropTurns(draft, meant, 'superseded by start');
  expect(draft, meant, at);
  for (const name of inOrder(draft.units, meant)) {
    const needy = [...named].find((other) => withDependencies(draft.units, [other]).has(name)) ?? null;
    send(draft, name, named.has(name) ? { type: 'start', at, ticket, origin } : { type: 'start', at, ticket: null, origin: { kind: 'dependency', by: needy } });
  }
}

function isDown(draft: Draft, name: string): boolean {
  const facts = draft.units.get(name)?.facts;
  // One that is about to be stopped, too.
  const willStop = draft.turns.some((turn) => turn.unit === name && turn.command === 'stop');
  return facts !== undefined && (facts.wanted === 'down' || facts.state === 'failed' || willStop);
}

/** Their dependents wait for the named units from now on, whatever they were told before. */
export function expect(draft: Draft, names: readonly string[], at: number): void {
  for (const name of names) {
    // A running unit that is told to start has nothing to tell.
    if (draft.units.get(name)?.facts.state !== 'running') expectNews(draft, name);
  }
  for (const unit of draft.units.values()) {
    const edges = unit.spec.dependsOn.filter(({ service }) => names.includes(service));
    if (edges.length === 0 || (!names.includes(unit.name) && isAtRest(unit.facts) && unit.facts.wanted === 'down')) continue;
    const told = { ...unit.told };
    for (const edge of edges) {
      if (names.includes(unit.name) || !availability(edge, draft.units.get(edge.service)).met) {
        told[edge.service] = PENDING;
        send(draft, unit.name, { type: 'hold', at, dependency: edge.service, stops: false, lost: null });
      }
    }
    setUnit(draft, { ...unit, told });
  }
}

/** Each of them when those that need it are out of the way. */
export function queue(
  draft: Draft, names: readonly string[], command: Turn['command'], ticket: number | null, specs: ReadonlyMap<string, ServiceSpec>,
  origin: Trigger = { kind: 'command', by: command },
): void {
  dropTurns(draft, names, `superseded by ${command}`);
  const together = new Set(names);
  const turns = [...inOrder(draft.units, names)].reverse().map((unit): Turn => ({
    unit, command, ticket, origin, spec: specs.get(unit) ?? null, after: dependentsOf(draft.units, unit).filter((name) => together.has(name)),
  }));
  draft.turns = [...draft.turns, ...turns];
}

/** Replacements one after the other, each after those of its dependencies. */
export function queueRollouts(draft: Draft, names: ReadonlySet<string>, ticket: number | null, specs: ReadonlyMap<string, ServiceSpec>, origin: Trigger): void {
  dropTurns(draft, [...names], 'superseded by restart');
  const turns = inOrder(draft.units, names).map((unit): Turn => ({
    unit, command: 'rollout', ticket, origin, spec: specs.get(unit) ?? null, after: [...withDependencies(draft.units, [unit])].filter((name) => name !== unit),
  }));
  draft.turns = [...draft.turns, ...turns];
}

export function dropTurns(draft: Draft, names: readonly string[], error: string): void {
  for (const { unit, ticket } of draft.turns.filter((turn) => names.includes(turn.unit))) answer(draft, { ticket, unit, error });
  draft.turns = draft.turns.filter((turn) => !names.includes(turn.unit));
}

function takeTurns(draft: Draft, at: number): void {
  if (draft.turns.length === 0) return;
  const due = draft.turns.filter((turn) => isDue(draft, turn));
  draft.turns = draft.turns.filter((turn) => !due.includes(turn));
  for (const turn of due) {
    const { unit, command, ticket, spec, origin } = turn;
    if (command === 'rollout') {
      beginRollout(draft, turn, at);
      continue;
    }
    if (command === 'restart') expectNews(draft, unit);
    send(draft, unit, command === 'stop' ? { type: 'stop', at, ticket, origin } : { type: 'restart', at, ticket, spec, ...(turn.note !== undefined && { note: turn.note }) });
  }
}

function isDue(draft: Draft, { unit, command, after }: Turn): boolean {
  if (command === 'rollout') return !draft.rollouts.has(unit) && after.every((name) => hasRolledOver(draft, name));
  return after.every((name) => hasMadeWay(draft, name));
}

function hasMadeWay(draft: Draft, name: string): boolean {
  const facts = draft.units.get(name)?.facts;
  if (facts === undefined) return true;
  return !draft.turns.some((turn) => turn.unit === name) && (isAtRest(facts) || facts.stuck);
}

export function lostAmong(context: SupervisorContext, names: readonly string[]): readonly { unit: string; dependency: string; reason: string }[] {
  return names.flatMap((name) => {
    const unit = context.units.get(name);
    if (unit === undefined) return [];
    return unit.spec.dependsOn.flatMap(({ service }) => {
      const reason = names.includes(service) ? null : (unit.told[service]?.lost ?? null);
      return reason === null ? [] : [{ unit: name, dependency: service, reason }];
    });
  });
}
