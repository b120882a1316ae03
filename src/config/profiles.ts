import type { ServiceSpec } from '../../machines/types.ts';
import { didYouMean } from '../words.ts';
import type { LoadedConfig } from './load.ts';

type Profiled = Pick<LoadedConfig, 'services' | 'profiles'>;

export interface Chosen {
  readonly profiles: readonly string[];
  /** Services that somebody has started by name. */
  readonly names: ReadonlySet<string>;
}

/** The services that a supervisor has: those without profiles, those of a chosen one, those started by name, and whatever these need. In the order of the file. */
export function chosenServices({ services, profiles }: Profiled, chosen: Chosen): readonly ServiceSpec[] {
  const begun = services.filter(({ name }) => {
    const own = profilesOf(profiles, name);
    return own.length === 0 || chosen.names.has(name) || own.some((profile) => chosen.profiles.includes(profile));
  });
  const needed = withNeeded(services, begun.map(({ name }) => name));
  return services.filter(({ name }) => needed.has(name));
}

/** The named services and those that they depend on, directly or not. */
export function withNeeded(services: readonly ServiceSpec[], names: readonly string[]): ReadonlySet<string> {
  const specs = new Map(services.map((spec) => [spec.name, spec]));
  const found = new Set(names);
  for (const name of found) for (const { service } of specs.get(name)?.dependsOn ?? []) found.add(service);
  return found;
}

export function namesWithProfile({ services, profiles }: Profiled, chosen: readonly string[]): readonly string[] {
  return services.map(({ name }) => name).filter((name) => profilesOf(profiles, name).some((profile) => chosen.includes(profile)));
}

/** A sentence about a chosen profile that no service has, or null. */
export function unknownProfile({ profiles }: Pick<Profiled, 'profiles'>, chosen: readonly string[]): string | null {
  const known = [...new Set(Object.values(profiles).flat())];
  const unknown = chosen.find((profile) => !known.includes(profile));
  if (unknown === undefined) return null;
  return `no service has the profile '${unknown}'${didYouMean(unknown, known)}${known.length === 0 ? '' : `; there are: ${known.join(', ')}`}`;
}

/** Those that are written on the service. */
export function profilesOf(profiles: LoadedConfig['profiles'], name: string): readonly string[] {
  return Object.hasOwn(profiles, name) ? profiles[name] ?? [] : [];
}
