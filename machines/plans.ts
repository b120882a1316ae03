import { availability, dependentsOf, inOrder, isAtRest, withDependencies, type Availability } from './order.ts';
import { exitCodeOf } from './policy.ts';
import type { JobRef } from './job.ts';
import type { ServiceRef } from './service.ts';
import { afterChange, afterService, childSpec, depthOf, isLiving, refusalOf, type Child, type ChildEnding } from './spawning.ts';
import type {
  AdoptOrder, ChildFacts, ChildRecord, ServiceCommand, ServiceSpec, Settlement, SupervisorCommand, Trigger, UnitFacts, UnitRecord,
} from './types.ts';

/**
 * What the root does with an event, as data: the context after it, the events for the units, the answers for the
 * clients. Pure, so that order and tickets can be read and tested without an actor.
 */
export interface Unit {
  readonly name: string;
  readonly spec: ServiceSpec;
  /** Null until its actor was spawned. */
  readonly ref: ServiceRef | JobRef | null;
  readonly facts: UnitFacts;
  /** What the unit was last told of each of its dependencies. */
  readonly told: Readonly<Record<string, Availability>>;
}

/** A part of a command that waits until the unit's dependents own no process. */
export interface Turn {
  readonly unit: string;
  readonly command: 'stop' | 'restart';
  readonly ticket: number | null;
  readonly origin: Trigger;
  readonly spec: ServiceSpec | null;
  readonly after: readonly string[];
}

export interface SupervisorContext {
  readonly units: ReadonlyMap<string, Unit>;
  readonly turns: readonly Turn[];
  /** Units that were sent up and have not answered: what is known of them is about to change. */
  readonly expected: ReadonlySet<string>;
  /** Units whose old actor has to be gone before a new one can be made: a service that became a cron unit, or the reverse. */
  readonly returning: ReadonlyMap<string, ServiceSpec>;
  /** Processes that services spawned, by id; ended ones as long as they are shown. */
  readonly children: ReadonlyMap<string, Child>;
  readonly childrenMade: number;
  readonly tokenSeed: string;
  readonly unitsMade: number;
  readonly seed: number;
  /** When each unit's actor threw. */
  readonly crashes: ReadonlyMap<string, readonly number[]>;
  readonly ending: boolean;
  readonly exitCode: number;
  readonly endTickets: readonly number[];
  /** The latest moment any event spoke of. */
  readonly now: number;
}

export interface Plan {
  readonly context: SupervisorContext;
  readonly sends: readonly { readonly unit: string; readonly event: ServiceCommand }[];
  readonly settlements: readonly Settlement[];
  /** Spawned children to end. */
  readonly endings: readonly ChildEnding[];
}

type Of<T extends SupervisorCommand['type']> = Extract<SupervisorCommand, { type: T }>;

export const CRASHES_ALLOWED = { count: 3, windowMs: 60_000 } as const;
const PENDING: Availability = { met: false, lost: null };
const NOTHING = { children: 0, depth: 0, descendants: 0, totalMemoryBytes: null, terminationPolicy: 'cascade' } as const;

export function unitOf(spec: ServiceSpec, at: number): Unit {
  const facts: UnitFacts = {
    unit: spec.name, state: 'stopped', phase: 'stopped', wanted: 'down', ready: null, outcome: 'none', cause: null, generation: 0, exit: null, ended: null,
    reason: null, restarts: 0, stuck: false, pid: null, failures: 0, deadline: null, trigger: { kind: 'boot', by: null }, event: 'boot', at,
  };
  return { name: spec.name, spec, ref: null, facts, told: pending(spec) };
}

export function planBoot(context: SupervisorContext, event: Of<'boot'>): Plan {
  const draft = drafted(context);
  for (const { record, verdict } of event.adopt) send(draft, record.unit, { type: 'adopt', at: event.at, record, verdict });
  for (const { record, alive } of event.children ?? []) if (alive) addChild(draft, record, null, event.at);
  startInto(draft, event.start, null, event.at, { kind: 'boot', by: null });
  return finished(draft, event.at);
}

/** Brings the named units up, and what they need: their dependencies that are down or have failed. */
export function planStart(context: SupervisorContext, event: Of<'start'>): Plan {
  const draft = drafted(context);
  startInto(draft, known(draft, event.units, event.ticket), event.ticket, event.at, event.origin);
  return finished(draft, event.at);
}

/** Each unit stops when those of the same command that need it are down. */
export function planStop(context: SupervisorContext, event: Of<'stop'>): Plan {
  const draft = drafted(context);
  const names = known(draft, event.units, event.ticket);
  queue(draft, names, 'stop', event.ticket, new Map());
  return finished(draft, event.at);
}

/** Down in the order of a stop, up in the order of a start: a unit comes back when its dependencies have. */
export function planRestart(context: SupervisorContext, event: Of<'restart'>): Plan {
  const draft = drafted(context);
  const names = known(draft, event.units, event.ticket);
  const specs = new Map((event.specs ?? []).map((spec) => [spec.name, spec]));
  for (const name of names) {
    const spec = specs.get(name);
    if (spec !== undefined) redefine(draft, name, spec, event.at);
  }
  expect(draft, names, event.at);
  queue(draft, names, 'restart', event.ticket, specs);
  const plan = finished(draft, event.at);
  const lost = lostAmong(plan.context, names);
  return { ...plan, sends: [...plan.sends, ...lost.map(({ unit, dependency, reason }) => ({
    unit, event: { type: 'hold' as const, at: event.at, dependency, stops: false, lost: reason },
  }))] };
}

export function planReload(context: SupervisorContext, event: Of<'reload'>): Plan {
  const draft = drafted(context);
  const specs = new Map(event.specs.map((spec) => [spec.name, spec]));
  for (const name of context.units.keys()) if (!specs.has(name)) send(draft, name, { type: 'reload', at: event.at, spec: null });
  const fresh = event.specs.filter((spec) => !context.units.has(spec.name));
  for (const spec of fresh) draft.units.set(spec.name, unitOf(spec, event.at));
  draft.returning.clear();
  for (const spec of event.specs) {
    const unit = context.units.get(spec.name);
    if (unit === undefined) continue;
    if ((unit.spec.cron === null) !== (spec.cron === null)) {
      draft.returning.set(spec.name, spec);
      send(draft, spec.name, { type: 'reload', at: event.at, spec: null });
      continue;
    }
    redefine(draft, spec.name, spec, event.at);
    send(draft, spec.name, { type: 'reload', at: event.at, spec });
  }
  startInto(draft, fresh.map((spec) => spec.name), null, event.at, { kind: 'reload', by: null });
  return finished(draft, event.at);
}

export function planChange(context: SupervisorContext, facts: UnitFacts): Plan {
  const draft = drafted(context);
  const unit = draft.units.get(facts.unit);
  if (unit !== undefined) draft.units.set(unit.name, { ...unit, facts });
  draft.expected.delete(facts.unit);
  takeChildren(draft, afterService(draft.children, facts));
  return finished(draft, facts.at, facts.unit);
}

/** A child of a dynamic service, when its limits let it be. */
export function planSpawn(context: SupervisorContext, { order, usedBytes, ticket, at }: Of<'spawn'>): Plan {
  const draft = drafted(context);
  const unit = draft.units.get(order.unit);
  const refusal = refusalOfParent(unit, order.generation) ?? refusalOf(draft.children, unit?.spec.spawn ?? NOTHING, order, usedBytes, at);
  if (refusal !== null) answer(draft, { ticket, unit: order.unit, error: refusal });
  else addChild(draft, { order, depth: depthOf(draft.children, order), startedAt: at, identity: null }, ticket, at);
  return finished(draft, at);
}

export function planChildChange(context: SupervisorContext, facts: ChildFacts): Plan {
  const draft = drafted(context);
  takeChildren(draft, afterChange(draft.children, facts, (unit) => draft.units.get(unit)?.spec.spawn?.terminationPolicy ?? 'cascade'));
  return finished(draft, facts.at);
}

/** More memory than its service's children may use. */
export function planChildLimit(context: SupervisorContext, child: string, at: number): Plan {
  const draft = drafted(context);
  if (draft.children.has(child)) draft.endings.push({ child, cause: 'limit' });
  return finished(draft, at);
}

function refusalOfParent(unit: Unit | undefined, generation: number): string | null {
  if (unit?.spec.spawn == null) return 'Spawn authorization failed: No spawn tree found for process';
  const { facts, name } = unit;
  const serves = facts.generation === generation && (facts.state === 'running' || facts.state === 'starting');
  return serves ? null : `Spawn authorization failed: service '${name}' is ${facts.phase}`;
}

export function planRemoved(context: SupervisorContext, name: string, at: number): Plan {
  const draft = drafted(context);
  draft.units.delete(name);
  draft.expected.delete(name);
  draft.turns = draft.turns.filter((turn) => turn.unit !== name);
  for (const child of draft.children.values()) {
    if (child.record.order.unit === name && isLiving(child)) draft.endings.push({ child: child.record.id, cause: 'service' });
  }
  const spec = draft.returning.get(name);
  if (spec !== undefined && !context.ending) {
    draft.returning.delete(name);
    draft.units.set(name, unitOf(spec, at));
    startInto(draft, [name], null, at, { kind: 'reload', by: null });
  }
  return finished(draft, at);
}

export function planEnding(context: SupervisorContext, at: number, exitCode: number, origin: Trigger = { kind: 'command', by: 'shutdown' }): Plan {
  const draft = drafted({ ...context, ending: true, exitCode });
  queue(draft, [...draft.units.keys()], 'stop', null, new Map(), origin);
  return finished(draft, at);
}

/** A new actor for a unit whose actor threw takes over what the old one had; a unit that keeps throwing is failed. */
export function planRecovered(context: SupervisorContext, name: string, adopt: AdoptOrder | null, at: number): Plan {
  const draft = drafted(context);
  const unit = draft.units.get(name);
  if (unit === undefined) return finished(draft, at);
  draft.units.set(name, { ...unit, told: pending(unit.spec) });
  const broken = (context.crashes.get(name) ?? []).length >= CRASHES_ALLOWED.count;
  if (adopt !== null) {
    const owns = adopt.verdict === 'alive' || adopt.verdict === 'dead';
    const record: UnitRecord = broken ? { ...adopt.record, state: owns ? 'stopping' : 'failed', cause: 'internal' } : adopt.record;
    send(draft, name, { type: 'adopt', at, record, verdict: broken && !owns ? 'rest' : adopt.verdict });
  } else if (unit.facts.wanted === 'up') {
    send(draft, name, { type: 'start', at, ticket: null });
  }
  if (context.ending) send(draft, name, { type: 'stop', at, ticket: null });
  return finished(draft, at);
}

/** The exit code with which the end of an essential unit ends everything; null when it does not. */
export function endingOf(context: SupervisorContext, facts: UnitFacts): number | null {
  const spec = context.units.get(facts.unit)?.spec;
  if (spec === undefined || !spec.essential) return null;
  if (facts.state === 'failed') return exitCodeOf(facts.exit) || 1;
  return facts.state === 'stopped' && facts.outcome === 'completed' && spec.restart.oneshot ? exitCodeOf(facts.exit) : null;
}

// ─── Drafts ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Draft {
  readonly base: SupervisorContext;
  readonly units: Map<string, Unit>;
  turns: readonly Turn[];
  readonly expected: Set<string>;
  readonly returning: Map<string, ServiceSpec>;
  children: ReadonlyMap<string, Child>;
  childrenMade: number;
  readonly sends: { unit: string; event: ServiceCommand }[];
  readonly settlements: Settlement[];
  readonly endings: ChildEnding[];
}

function drafted(context: SupervisorContext): Draft {
  const { turns, children, childrenMade } = context;
  return {
    base: context, units: new Map(context.units), turns, expected: new Set(context.expected), returning: new Map(context.returning), children, childrenMade,
    sends: [], settlements: [], endings: [],
  };
}

/** What follows from any change: dependents are told, and units whose turn has come get their command. */
function finished(draft: Draft, at: number, changed?: string): Plan {
  const dependents = changed === undefined ? [...draft.units.keys()] : dependentsOf(draft.units, changed);
  for (const name of dependents) tellDependencies(draft, name, at);
  takeTurns(draft, at);
  const { base, units, turns, expected, returning, children, childrenMade, sends, settlements, endings } = draft;
  return { context: { ...base, units, turns, expected, returning, children, childrenMade, now: Math.max(base.now, at) }, sends, settlements, endings };
}

function addChild(draft: Draft, known: Omit<ChildRecord, 'id' | 'token'> & Partial<ChildRecord>, ticket: number | null, at: number): void {
  draft.childrenMade += 1;
  const fresh = `${draft.base.tokenSeed}.c${draft.childrenMade}`;
  const record: ChildRecord = { ...known, id: known.id ?? fresh, token: known.token ?? fresh };
  const { id, order, depth } = record;
  const service = draft.units.get(order.unit)?.spec;
  if (service === undefined) return;
  const facts: ChildFacts = { child: id, unit: order.unit, state: record.identity === null ? 'spawning' : 'living', cause: null, identity: record.identity, exit: null, stuck: false, at };
  draft.children = new Map(draft.children).set(id, { record, spec: childSpec(service, order, depth), parent: order.parent, ref: null, facts, ticket });
}

function takeChildren(draft: Draft, { children, endings }: { readonly children: Draft['children']; readonly endings: readonly ChildEnding[] }): void {
  draft.children = children;
  draft.endings.push(...endings);
}

function send(draft: Draft, unit: string, event: ServiceCommand): void {
  if (draft.units.has(unit)) draft.sends.push({ unit, event });
}

function known(draft: Draft, names: readonly string[], ticket: number | null): readonly string[] {
  for (const unit of names) {
    if (!draft.units.has(unit)) answer(draft, { ticket, unit, error: `Service '${unit}' not found in configuration` });
  }
  return names.filter((name) => draft.units.has(name));
}

function answer(draft: Draft, refusal: { ticket: number | null; unit: string; error: string }): void {
  const { ticket, unit, error } = refusal;
  if (ticket !== null) draft.settlements.push({ ticket, unit, result: 'failed', error });
}

function startInto(draft: Draft, names: readonly string[], ticket: number | null, at: number, origin: Trigger = { kind: 'command', by: 'start' }): void {
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
  return facts !== undefined && (facts.wanted === 'down' || facts.state === 'failed');
}

/** Their dependents wait for the named units from now on, whatever they were told before. */
function expect(draft: Draft, names: readonly string[], at: number): void {
  for (const name of names) {
    // A running unit that is told to start has nothing to tell.
    if (draft.units.get(name)?.facts.state !== 'running') draft.expected.add(name);
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
    draft.units.set(unit.name, { ...unit, told });
  }
}

function queue(
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

function dropTurns(draft: Draft, names: readonly string[], error: string): void {
  for (const { unit, ticket } of draft.turns.filter((turn) => names.includes(turn.unit))) answer(draft, { ticket, unit, error });
  draft.turns = draft.turns.filter((turn) => !names.includes(turn.unit));
}

function takeTurns(draft: Draft, at: number): void {
  const due = draft.turns.filter((turn) => turn.after.every((name) => hasMadeWay(draft, name)));
  draft.turns = draft.turns.filter((turn) => !due.includes(turn));
  for (const { unit, command, ticket, spec, origin } of due) {
    if (command === 'restart') draft.expected.add(unit);
    send(draft, unit, command === 'stop' ? { type: 'stop', at, ticket, origin } : { type: 'restart', at, ticket, spec });
  }
}

function hasMadeWay(draft: Draft, name: string): boolean {
  const facts = draft.units.get(name)?.facts;
  if (facts === undefined) return true;
  return !draft.turns.some((turn) => turn.unit === name) && (isAtRest(facts) || facts.stuck);
}

function tellDependencies(draft: Draft, name: string, at: number): void {
  const unit = draft.units.get(name);
  if (unit === undefined || unit.spec.dependsOn.length === 0) return;
  const told = { ...unit.told };
  for (const edge of unit.spec.dependsOn) {
    const dependency = draft.units.get(edge.service);
    const restarting = draft.turns.some((turn) => turn.unit === edge.service && turn.command === 'restart');
    const news = restarting || draft.expected.has(edge.service) ? PENDING : availability(edge, dependency);
    const old = told[edge.service] ?? PENDING;
    if (news.met === old.met && news.lost === old.lost) continue;
    told[edge.service] = news;
    const stops = old.met && edge.onRestart === 'restart' && edge.condition !== 'completed' && dependency?.facts.wanted === 'up';
    send(draft, name, news.met
      ? { type: 'release', at, dependency: edge.service }
      : { type: 'hold', at, dependency: edge.service, stops, lost: news.lost });
  }
  draft.units.set(name, { ...unit, told });
}

/** A new definition: edges that went are released, edges that came hold until they are met. */
function redefine(draft: Draft, name: string, spec: ServiceSpec, at: number): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  const kept = new Set(spec.dependsOn.map(({ service }) => service));
  for (const { service } of unit.spec.dependsOn) if (!kept.has(service)) send(draft, name, { type: 'release', at, dependency: service });
  for (const service of kept) {
    if (!Object.hasOwn(unit.told, service)) send(draft, name, { type: 'hold', at, dependency: service, stops: false, lost: null });
  }
  draft.units.set(name, { ...unit, spec, told: Object.fromEntries([...kept].map((service) => [service, unit.told[service] ?? PENDING])) });
}

function lostAmong(context: SupervisorContext, names: readonly string[]): readonly { unit: string; dependency: string; reason: string }[] {
  return names.flatMap((name) => {
    const unit = context.units.get(name);
    if (unit === undefined) return [];
    return unit.spec.dependsOn.flatMap(({ service }) => {
      const reason = names.includes(service) ? null : (unit.told[service]?.lost ?? null);
      return reason === null ? [] : [{ unit: name, dependency: service, reason }];
    });
  });
}

function pending(spec: ServiceSpec): Record<string, Availability> {
  return Object.fromEntries(spec.dependsOn.map(({ service }) => [service, PENDING]));
}
