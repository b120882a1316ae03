import type { ServiceSpec } from '../../machines/types.ts';
import { refuse, type Refused } from '../errors.ts';
import type { AdHocUnits } from './ad-hoc-list.ts';
import { digest } from './definition.ts';
import { loadConfig, type LoadContext } from './load.ts';
import { formatProblem } from './problem.ts';

/** A configuration with the units beside it. `adHoc`: which of the names are theirs; a service of the configuration keeps its name. */
export interface Combined {
  readonly specs: readonly ServiceSpec[];
  readonly adHoc: ReadonlySet<string>;
}

export function combine(
  { path, specs }: { readonly path: string; readonly specs: readonly ServiceSpec[] }, units: AdHocUnits, { context, onProblem }: { context: LoadContext; onProblem(text: string): void },
): Combined {
  const all = [...specs];
  const adHoc = new Set<string>();
  for (const [name, file] of units) {
    if (all.some((spec) => spec.name === name)) {
      if (file === path) adHoc.add(name);
      continue;
    }
    const read = readUnit(file, name, all, context);
    if (!read.ok) {
      onProblem(`the unit ${name}, started from the command line, is left out: ${read.reason}`);
      continue;
    }
    all.push(read.spec);
    adHoc.add(name);
  }
  return { specs: all, adHoc };
}

/** The unit in a file of its own. Where its hash is another's, as of an equal command, it gets one that it shares with nobody. */
export function readUnit(file: string, name: string, others: readonly ServiceSpec[], context: LoadContext): { readonly ok: true; readonly spec: ServiceSpec } | Refused {
  const loaded = loadConfig(file, context);
  if (!loaded.ok) return refuse(loaded.problems.map(formatProblem).join('\n'));
  const spec = loaded.config.services.find((service) => service.name === name);
  if (spec === undefined) return refuse(`${file} has no service '${name}'`);
  const isTaken = others.some(({ hash }) => hash === spec.hash);
  return { ok: true, spec: isTaken ? { ...spec, hash: digest(`${spec.hash}\0${name}`) } : spec };
}
