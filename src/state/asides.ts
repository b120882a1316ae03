import type { AdoptOrder, ServiceSpec } from '../../machines/types.ts';

/** Whether a record of the ledger is of an instance beside its unit: `web/candidate`. No unit has a slash in its name. */
export function isAside(record: string): boolean {
  return record.includes('/');
}

/**
 * Of a unit that was being replaced when its supervisor died: what the ledger calls the unit is, and the other instance is
 * ended. Two records may speak of one process for the time of a change; then it is the unit's.
 */
export function withoutDoubles(orders: readonly AdoptOrder[]): readonly AdoptOrder[] {
  const tokens = new Set(orders.filter(({ record }) => !isAside(record.unit)).map(({ record }) => record.process?.token));
  return orders.filter(({ record }) => !isAside(record.unit) || !tokens.has(record.process?.token));
}

/** An instance beside its unit, for as long as it takes to end it: it has its signals and patience, and nothing else. */
export function asideSpec(name: string, specs: readonly ServiceSpec[]): ServiceSpec | null {
  const [owner] = name.split('/');
  const spec = specs.find((known) => known.name === owner);
  return spec === undefined ? null : { ...spec, name, check: null, hooks: [], dependsOn: [], essential: false, cron: null, spawn: null };
}
