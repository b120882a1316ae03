import type { Dependency, SupervisorCommand } from '../../machines/types.ts';
import type { NamedContext, UnitNode } from './nodes.ts';
import type { SystemState, Trace } from './system.ts';

/** What an observer of a whole system remembers, and what he saw that must not be. */
export interface Watch {
  /** Units that the last accepted command wants up. */
  readonly up: readonly string[];
  /** Answers that are due, as `ticket unit`. */
  readonly owed: readonly string[];
  /** Edges `dependent dependency` with `on_restart: restart` that were met while the dependent was up, and that no person undid since. */
  readonly relied: readonly string[];
  /** Units that one command stops together, dependents first. */
  readonly stopping: readonly string[];
  readonly ending: boolean;
  readonly violations: readonly string[];
}

/** There are few, in very many states: each is kept once, and known by its number. */
export interface NotedWatch extends Watch {
  readonly id: number;
}

const noted = new Map<string, NotedWatch>();

export function note({ up, owed, relied, stopping, ending, violations }: Watch): NotedWatch {
  const key = `${up.join()}|${owed.join()}|${relied.join()}|${stopping.join()}|${ending}|${violations.join()}`;
  const known = noted.get(key) ?? { id: noted.size, up, owed, relied, stopping, ending, violations };
  noted.set(key, known);
  return known;
}

const ACTIVE = ['preparing', 'spawning', 'starting', 'running'];
const RESTING = ['stopped', 'failed', 'waiting', 'backoff', 'removed'];

export function begunWatch(): Watch {
  return { up: [], owed: [], relied: [], stopping: [], ending: false, violations: [] };
}

/** What a command promises. */
export function watchCommand({ root, units, watch }: SystemState, command: SupervisorCommand): Watch {
  const specs = new Map([...root.snapshot.context.units].map(([name, { spec }]) => [name, spec]));
  const due = (named: readonly string[]): readonly string[] =>
    'ticket' in command && command.ticket !== null ? [...watch.owed, ...named.map((name) => `${command.ticket} ${name}`)] : watch.owed;
  const down = (name: string): boolean => {
    const context = contextOf(units, name);
    const willStop = root.snapshot.context.units.get(name)?.turn?.command === 'stop';
    return context === null || context.wanted === 'down' || context.leaf === 'failed' || willStop;
  };
  const needs = (name: string): readonly string[] => (specs.get(name)?.dependsOn ?? []).flatMap(({ service }) => [service, ...needs(service)]);
  const withNeeds = (named: readonly string[]): readonly string[] => [...named, ...named.flatMap(needs).filter((name) => specs.has(name) && down(name))];
  switch (command.type) {
    case 'boot': return { ...watch, up: unite(watch.up, withNeeds(command.start)) };
    case 'start': {
      if (watch.ending) return { ...watch, owed: due(command.units) };
      const meant = withNeeds(command.units);
      // To start what had ended, under those that need it, is no restart.
      const anew = meant.filter((name) => !isActive(contextOf(units, name)));
      return {
        ...watch, up: unite(watch.up, meant), owed: due(command.units), stopping: [], relied: watch.relied.filter((edge) => !anew.includes(edge.split(' ')[1] ?? '')),
      };
    }
    case 'restart': return watch.ending
      ? { ...watch, owed: due(command.units) }
      : { ...watch, up: unite(watch.up, command.units), owed: due(command.units), stopping: [] };
    case 'stop': return {
      ...watch, up: watch.up.filter((name) => !command.units.includes(name)), owed: due(command.units), stopping: command.units.filter((name) => isActive(contextOf(units, name))),
    };
    case 'shutdown': return {
      ...watch, up: [], owed: due(['']), ending: true,
      stopping: watch.ending ? watch.stopping : [...specs.keys()].filter((name) => isActive(contextOf(units, name))),
    };
    case 'reload': {
      if (watch.ending) return watch;
      const kept = command.specs.map(({ name }) => name);
      const fresh = kept.filter((name) => !specs.has(name));
      // One that is still going while it is configured again comes back, if what it needs is there.
      const back = kept.filter((name) => contextOf(units, name)?.removed === true);
      const all = new Map(command.specs.map((spec) => [spec.name, spec]));
      const needed = fresh.flatMap((name) => all.get(name)?.dependsOn ?? []).map(({ service }) => service).filter((name) => down(name));
      return { ...watch, up: unite(watch.up.filter((name) => kept.includes(name)), [...fresh, ...back, ...needed]), stopping: [] };
    }
    default: return watch;
  }
}

/** What must hold of a step as a whole. */
export function watchStep(before: SystemState, after: Pick<SystemState, 'units' | 'root'> & { readonly watch: Watch }, trace: Trace, names: readonly string[]): Watch {
  const { watch, units } = after;
  const violations: string[] = [...watch.violations];
  const owed = [...watch.owed];
  for (const { ticket, unit } of trace.answers) {
    const index = owed.indexOf(`${ticket} ${unit}`);
    if (index < 0) violations.push(`ticket ${ticket} of ${unit} was answered twice`);
    else owed.splice(index, 1);
  }
  let { stopping, up, ending } = watch;
  if (!ending && !isServing(after)) {
    // An essential unit ended.
    ending = true;
    up = [];
    stopping = names.filter((name) => isActive(contextOf(before.units, name)));
  }
  const relied: string[] = [];
  for (const name of names) {
    const context = contextOf(units, name);
    if (context === null) continue;
    for (const edge of context.spec.dependsOn) {
      const dependency = contextOf(units, edge.service);
      const met = dependency !== null && isMet(edge, dependency);
      if (trace.effects.includes(`spawn ${name}`) && !met && isActive(context)) violations.push(`${name} was started before ${edge.service} was there`);
      if (edge.onRestart !== 'restart' || edge.condition === 'completed' || !isActive(context) || dependency?.wanted !== 'up' || !up.includes(edge.service)) continue;
      const id = `${name} ${edge.service}`;
      const isJudged = dependency.hasRun || dependency.leaf !== 'clearing';
      if (met || (watch.relied.includes(id) && !isJudged)) relied.push(id);
      else if (watch.relied.includes(id)) violations.push(`${name} goes on without ${edge.service}`);
    }
    if (context.cause === 'hold' && contextOf(before.units, name)?.cause !== 'hold' && !context.spec.dependsOn.some((edge) => mayStop(edge, before))) {
      violations.push(`${name} is stopped for a dependency that neither restarts it nor has ended at once`);
    }
    for (const edge of context.spec.dependsOn) {
      if (!stopping.includes(name) || !stopping.includes(edge.service)) continue;
      const dependency = contextOf(units, edge.service);
      const hasMadeWay = RESTING.includes(context.leaf) || (context.leaf === 'killing' && context.killsOrdered > 1);
      if (!hasMadeWay && dependency?.wanted === 'down') violations.push(`${edge.service} is stopped before ${name} is down`);
    }
  }
  return { up, owed, relied, stopping, ending, violations };
}

/** By the documentation, not by the machines. */
export function isMet({ condition }: Dependency, { leaf, outcome, ready, spec, restarts }: Context): boolean {
  if (leaf === 'stopped' && (outcome === 'completed' || outcome === 'skipped')) return true;
  if (leaf === 'starting' && condition === 'started' && spec.check === null && restarts === 0) return true;
  if (leaf !== 'running' || condition === 'completed') return false;
  return condition === 'started' || ready !== false;
}

/** Whether the end of the dependency may stop the dependent. */
function mayStop({ service, condition, onRestart }: Dependency, { units }: SystemState): boolean {
  return onRestart === 'restart' || (condition === 'started' && contextOf(units, service)?.hasRun === false);
}

export type Context = NamedContext;

export function contextOf(units: readonly (UnitNode | null)[], name: string): Context | null {
  return units.find((node) => node?.context.spec.name === name)?.context ?? null;
}

export function isActive(context: Context | null): boolean {
  return context !== null && ACTIVE.includes(context.leaf);
}

function isServing({ root: { snapshot } }: Pick<SystemState, 'root'>): boolean {
  return snapshot.matches({ working: 'serving' }) || snapshot.matches({ working: 'booting' });
}

function unite(some: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set([...some, ...others])].sort();
}
