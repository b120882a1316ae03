import { serves } from '../../machines/survival.ts';
import type { AdoptOrder, CronSpec, ServiceSpec } from '../../machines/types.ts';
import { configuredSpecs } from '../../machines/view.ts';
import type { Setting } from './setting.ts';
import type { Units } from './units.ts';

/** What was changed while no supervisor watched. */
export type Outdated = ReturnType<typeof findOutdated>;

/**
 * The rolling services whose definition was changed while no supervisor watched, or whose replacement the death of a supervisor has cut off, and the units that
 * have become cron units since then, or are some no more. All others are ended and started anew when they are adopted.
 */
export function findOutdated(configured: readonly ServiceSpec[], adopt: readonly AdoptOrder[]) {
  const living = new Map(adopt.flatMap(({ record, verdict }) => (verdict === 'alive' && serves(record) ? [[record.unit, record.definition]] : [])));
  const wanted = new Map<string, ServiceSpec['definition']>();
  const specs = configured.map((spec) => {
    const former = living.get(spec.name);
    if (former === undefined || former.process === spec.definition.process || spec.deployment.strategy !== 'rolling' || spec.cron !== null) return spec;
    wanted.set(spec.name, spec.definition);
    return { ...spec, definition: former };
  });
  const records = new Map(adopt.map(({ record }) => [record.unit, record]));
  const adopted = specs.map((spec) => {
    const { cron = spec.cron !== null, definition = spec.definition } = records.get(spec.name) ?? {};
    return cron === (spec.cron !== null) ? spec : { ...spec, cron: cron ? formerCron : null, definition };
  });
  return {
    /** The definitions that rolling services are to have. */
    wanted,
    /** What is configured, these with the definition of the process that lives: it is adopted as what it is, and not ended. */
    specs,
    /** The same, with what has changed its kind as the kind that it was: a reload that follows makes it the other one. */
    adopted,
    /** Whether that has to follow. */
    hasOtherKinds: specs.some((spec, index) => spec !== adopted[index]),
  };
}

/** Of a cron unit that is none any more; it has no run in the moment until it is what it is to be. */
const formerCron: CronSpec = { expression: '0 0 1 1 *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' };

/**
 * Replaces them as a reload does, when they have been taken up and what is left of other instances is gone: such a one may have the address of the next.
 * What a reload has changed meanwhile stays as it is.
 */
export function replaceOutdated({ clock }: Pick<Setting, 'clock'>, { root, send }: Pick<Units, 'root' | 'send'>, { specs, wanted }: Outdated, leaving: readonly ServiceSpec[]): void {
  const taken = new Map(specs.flatMap(({ name, definition }) => (wanted.has(name) ? [[name, definition]] : [])));
  const isOurs = ({ name, definition }: ServiceSpec): boolean => taken.get(name) === definition;
  const isSettled = (): boolean => {
    const { units } = root.getSnapshot().context;
    return !leaving.some(({ name }) => units.has(name)) && [...taken.keys()].every((name) => {
      const unit = units.get(name);
      return unit === undefined || !isOurs(unit.spec) || unit.facts.phase !== 'starting';
    });
  };
  const replace = (): void => {
    send({ type: 'reload', at: clock.now(), specs: configuredSpecs(root.getSnapshot()).map((spec) => (isOurs(spec) ? { ...spec, definition: wanted.get(spec.name) ?? spec.definition } : spec)) });
  };
  if (wanted.size === 0) return;
  if (isSettled()) return replace();
  const subscription = root.subscribe(() => {
    if (!isSettled()) return;
    subscription.unsubscribe();
    replace();
  });
}
