import type { Dependency, DependencyCondition, ServiceSpec } from '../../machines/types.ts';
import { didYouMean } from '../words.ts';
import type { SourceNode } from './document.ts';
import { choice, either, filled, list, meaning, yamlList } from './kind.ts';
import { below, complain, complainAbsent, valueAt, warn, type Place } from './place.ts';
import { defaultsOf, optional, record, required } from './record.ts';

/** A dependency as written; what is `null` follows from the service that it names. */
export interface WrittenDependency {
  readonly place: Place;
  readonly service: string;
  readonly condition: DependencyCondition | null;
  readonly onRestart: Dependency['onRestart'] | null;
}

/** A service but for its dependencies and its digests, which need the other services. */
export type PlainService = Omit<ServiceSpec, 'hash' | 'definition' | 'dependsOn'>;

/** A service with the dependencies that were written for it. */
export interface Dependent {
  readonly name: string;
  /** `null`: it was refused, so nothing is known of it. */
  readonly unit: PlainService | null;
  readonly dependsOn: readonly WrittenDependency[];
}

const name = filled('the name of a service');

const dependencyKeys = {
  service: required(name, 'Name of the service.'),
  condition: optional(choice(['started', 'healthy', 'completed']), 'What is waited for: healthy if that service has a health check, completed if it is a one-shot, else started.'),
  on_restart: optional(choice(['ignore', 'restart']), 'What a crash, an unhealthy finding or a restart of that service does to this one.'),
};

const dependency = meaning(
  either(meaning(name, (service) => ({ ...defaultsOf(dependencyKeys), service })), record(dependencyKeys, 'dependency keys')),
  ({ service, condition, on_restart: onRestart }, place): WrittenDependency => ({ place, service, condition, onRestart }),
);

export const dependsOn = list(dependency, 'a list of service names', 0, (node) => {
  if (node.kind === 'list') return null;
  if (node.kind === 'scalar') return yamlList(node.text.split(/[\s,]+/).filter((written) => written !== ''));
  return `[${node.entries.map(({ key, value }) => conditioned(key, conditionIn(value))).join(', ')}]`;
});

/** The condition in the form of other supervisors: `db: {condition: service_healthy}`. */
function conditionIn(node: SourceNode): string | null {
  const written = node.kind === 'map' ? valueAt(node, 'condition') : node;
  return written?.kind === 'scalar' ? (/healthy|started|completed/.exec(written.text)?.[0] ?? null) : null;
}

function conditioned(name: string, condition: string | null): string {
  return condition === null ? yamlList([name]).slice(1, -1) : `{service: ${yamlList([name]).slice(1, -1)}, condition: ${condition}}`;
}

/** Resolves the dependencies of one service and complains about what makes no sense. */
export function resolveDependencies({ name: dependent, dependsOn: all }: Dependent, units: ReadonlyMap<string, Dependent>): readonly Dependency[] {
  const resolved = new Map<string, Dependency>();
  for (const written of all) {
    const target = units.get(written.service);
    if (target === undefined) {
      const others = [...units.keys()].filter((other) => other !== dependent);
      complainAbsent(below(written.place, 'service') ?? written.place,
        `Service '${dependent}' declares unknown dependency '${written.service}'${didYouMean(written.service, others)}`);
      continue;
    }
    const found = resolveOne(written, target);
    const earlier = resolved.get(target.name);
    if (earlier === undefined) resolved.set(target.name, found);
    else if (earlier.condition === found.condition && earlier.onRestart === found.onRestart) warn(written.place, `'${target.name}' is listed twice`);
    else complain(written.place, `'${target.name}' is listed twice, with different conditions`);
  }
  return [...resolved.values()];
}

/** Complains about circles, each named by its path `a -> b -> a`; once for each service in which one closes. */
export function complainCycles(units: ReadonlyMap<string, Dependent>): void {
  const visited = new Map<string, 'open' | 'done'>();
  const closed = new Set<string>();
  for (const start of units.keys()) {
    // An explicit stack: a chain of dependencies may be longer than the call stack.
    const stack: { readonly name: string; readonly left: Iterator<WrittenDependency, undefined> }[] = [];
    const enter = (unitName: string): void => {
      const entered = units.get(unitName);
      if (entered === undefined || visited.has(unitName)) return;
      visited.set(unitName, 'open');
      stack.push({ name: unitName, left: entered.dependsOn.values() });
    };
    enter(start);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const written = top.left.next().value;
      if (written === undefined) {
        visited.set(top.name, 'done');
        stack.pop();
      } else if (visited.get(written.service) !== 'open') enter(written.service);
      else if (!closed.has(written.service)) {
        closed.add(written.service);
        const names = stack.map((frame) => frame.name);
        complain(written.place, `Detected dependency cycle: ${[...names.slice(names.indexOf(written.service)), written.service].join(' -> ')}`);
      }
    }
  }
}

function resolveOne(written: WrittenDependency, { name: service, unit }: Dependent): Dependency {
  const implied: DependencyCondition = unit === null || unit.check !== null ? 'healthy' : unit.restart.oneshot ? 'completed' : 'started';
  const condition = written.condition ?? implied;
  const place = below(written.place, 'condition') ?? written.place;
  if (unit !== null && unit.cron === null) {
    if (condition === 'healthy' && unit.check === null) complainAbsent(place, `'${service}' has no health_check that could make it healthy`);
    const isEndless = unit.restart.mode === 'always' && !unit.restart.oneshot;
    if (condition === 'completed' && isEndless) warn(place, `'${service}' is restarted after every exit and never completes`);
  }
  const restarts = written.condition === null ? condition !== 'completed' : condition === 'healthy';
  return { service, condition, onRestart: written.onRestart ?? (restarts ? 'restart' : 'ignore') };
}
