import type { Result } from '../errors.ts';
import type { UnitKind, UnitStatus } from '../wire/payloads.ts';
import { askStatus } from './ask.ts';
import type { Call } from './call.ts';
import { chooseConfigAtRest } from './config-choice.ts';

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

function knownUnit({ name, hash, kind, process, generation, lifecycle }: UnitStatus): KnownUnit {
  return { name, hash, kind, pid: process?.pid ?? null, hasRun: generation === undefined ? null : generation > 0, isSkipped: lifecycle === 'skipped' };
}

/** The services of the configuration that a start would use; none when there is no such file, or the file is refused. */
export async function configuredUnits(call: Call): Promise<readonly KnownUnit[]> {
  const config = chooseConfigAtRest(call);
  if (!config.ok) return [];
  const { combinedFor, loadConfigFor } = await import('./load-config.ts');
  const loaded = loadConfigFor(call, config.path);
  return loaded.ok ? combinedFor(call, loaded.config).specs.map(({ name, hash, cron }) => ({ name, hash, kind: cron === null ? 'service' : 'cron', pid: null, hasRun: null, isSkipped: false })) : [];
}
