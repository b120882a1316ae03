import type { UnitView } from '../../machines/view.ts';
import type { InspectPayload, StatusSnapshot } from '../wire/payloads.ts';
import type { MeasuredUnit, Sampler } from '../metrics/sampler.ts';
import { wireSample } from '../metrics/store.ts';
import type { Origin } from '../metrics/observer.ts';

export interface InspectOutside { readonly sampler: Sampler; views(): readonly UnitView[]; status(): StatusSnapshot }

/** The answer to Inspect; by name, or by hash when no unit has that name. A unit nobody knows is `null`, not an error. */
export async function inspectPayload(asked: string, samples: number, { sampler, views, status }: InspectOutside): Promise<InspectPayload> {
  const specs = views().map(({ spec }) => spec);
  const spec = specs.find(({ name }) => name === asked) ?? specs.find(({ hash }) => hash === asked);
  if (spec === undefined) return { unit: status().units.find(({ name }) => name === asked) ?? null, samples: [] };
  const taken = await sampler.inspect(spec.name, samples);
  return { unit: status().units.find(({ name }) => name === spec.name) ?? null, samples: taken.map(wireSample) };
}

/** What of a unit is there to be measured: its process, and living spawned children, which may carry no token of it. */
export function measuredUnit({ spec, process }: UnitView, children: readonly { readonly unit: string; readonly origin: Origin }[] = []): MeasuredUnit {
  const own = children.filter(({ unit }) => unit === spec.name).map(({ origin }) => origin);
  const origins = process?.identity == null ? [] : [{ leader: process.identity, token: process.token }, ...own];
  return { name: spec.name, hash: spec.hash, origins };
}
