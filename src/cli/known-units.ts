import type { ServiceSpec } from '../../machines/types.ts';
import type { Result } from '../errors.ts';
import type { UnitKind, UnitStatus } from '../wire/payloads.ts';
import { askStatus } from './ask.ts';
import type { Call } from './call.ts';
import { chooseConfigAtRest, chooseConfigToRead } from './config-choice.ts';

export interface KnownUnit {
  readonly name: string;
  readonly hash: string;
  readonly kind: UnitKind;
  readonly pid: number | null;
  /** Null: nobody knows. */
  readonly hasRun: boolean | null;
  readonly isSkipped: boolean;
}

/** From the supervisor, else from the configuration; a configuration that does not load leaves only the files. */
export async function knownUnits(call: Call): Promise<Result<{ readonly isLive: boolean; readonly units: readonly KnownUnit[] }>> {
  const status = await askStatus(call);
  if (status.ok) return { ok: true, isLive: true, units: status.snapshot.units.map(knownUnit) };
  return status.refusal.code === 'no-supervisor' ? { ok: true, isLive: false, units: await configuredUnits(call) } : status;
}

/** As `knownUnits`, and the services that a running supervisor leaves out by their profiles. */
export async function startableUnits(call: Call): ReturnType<typeof knownUnits> {
  const known = await knownUnits(call);
  const config = known.ok && known.isLive && call.host === null ? chooseConfigToRead(call) : null;
  if (!known.ok || config?.ok !== true) return known;
  const [{ loadConfigFor }, { profilesOf }] = await Promise.all([import('./load-config.ts'), import('../config/profiles.ts')]);
  const loaded = loadConfigFor(call, config.path);
  const leftOut = loaded.ok ? loaded.config.services.filter(({ name }) => profilesOf(loaded.config.profiles, name).length > 0 && !known.units.some((unit) => unit.name === name)) : [];
  return { ...known, units: [...known.units, ...leftOut.map(atRest)] };
}

function knownUnit({ name, hash, kind, process, generation, lifecycle }: UnitStatus): KnownUnit {
  return { name, hash, kind, pid: process?.pid ?? null, hasRun: generation === undefined ? null : generation > 0, isSkipped: lifecycle === 'skipped' };
}

/** The services of the configuration that a start would use, or of another one; none when there is no such file, or the file is refused. */
export async function configuredUnits(call: Call, config = chooseConfigAtRest(call)): Promise<readonly KnownUnit[]> {
  if (!config.ok) return [];
  const { combinedFor, loadConfigFor } = await import('./load-config.ts');
  const loaded = loadConfigFor(call, config.path);
  return loaded.ok ? combinedFor(call, loaded.config).specs.map(atRest) : [];
}

function atRest({ name, hash, cron }: Pick<ServiceSpec, 'name' | 'hash' | 'cron'>): KnownUnit {
  return { name, hash, kind: cron === null ? 'service' : 'cron', pid: null, hasRun: null, isSkipped: false };
}
