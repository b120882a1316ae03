import fc from 'fast-check';
import { availability } from '../../machines/order.ts';
import type { AdoptOrder, Dependency, HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { viewUnit } from '../../machines/view.ts';
import { findOutdated, replaceOutdated } from '../../src/daemon/outdated.ts';
import { attempt } from '../../src/errors.ts';
import { asideSpec, whatCounts, withoutDoubles } from '../../src/state/recovery.ts';
import { identityOf, specOf } from '../machines/rig.ts';
import { happen, world, type World } from '../machines/supervisor-rig.ts';

export const names = ['a', 'b', 'c', 'd'] as const;
export type Name = (typeof names)[number];

/** `failing` is never restarted, `checked` once; `gated` is replaced when its check has passed, `switched` when its traffic has been switched, too. */
type Kind = 'service' | 'oneshot' | 'failing' | 'checked' | 'prepared' | 'cron' | 'rolling' | 'gated' | 'switched';
/** What a definition needs of the units before it. */
interface Definition {
  readonly needs: Readonly<Partial<Record<Name, Omit<Dependency, 'service'>>>>;
  readonly process: 'p1' | 'p2';
  readonly kind: Kind;
}
export type Definitions = Readonly<Record<Name, Definition | null>>;

export type Move =
  | { readonly command: 'start' | 'stop'; readonly units: readonly Name[] }
  /** `as`: with these definitions, as the file says by then. */
  | { readonly restart: readonly Name[]; readonly as: Definitions }
  | { readonly reload: Definitions }
  /** What the process of a unit does next. */
  | { readonly happens: string; readonly code: number | null }
  /** Its start or its check fails. */
  | { readonly fails: string }
  | { readonly due: Name }
  | { readonly rolloutGoesOn: boolean }
  /** The supervisor dies, and another one comes: with this file, else with the one before. `lives`: of each recorded process whether it goes on. */
  | { readonly dies: Definitions | null; readonly isBack: boolean; readonly lives: readonly boolean[] }
  /** Everything under way goes on until nothing is. */
  | { readonly settles: true };

const edge = fc.record({ condition: fc.constantFrom('started', 'started', 'completed', 'healthy'), onRestart: fc.constantFrom('restart', 'ignore') } as const);
const definition: fc.Arbitrary<Definition> = fc.record({
  needs: fc.record({ a: edge, b: edge, c: edge }, { requiredKeys: [] }), process: fc.constantFrom('p1', 'p2'),
  kind: fc.constantFrom('service', 'oneshot', 'failing', 'checked', 'prepared', 'cron', 'rolling', 'rolling', 'gated', 'gated', 'switched', 'switched'),
});
export const definitions: fc.Arbitrary<Definitions> = fc.record({ a: fc.option(definition), b: fc.option(definition), c: fc.option(definition), d: fc.option(definition) });
const some = fc.subarray([...names], { minLength: 1 });
const places = names.flatMap((name) => [name, `${name}/aside`]);
export const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ command: fc.constantFrom('start', 'stop'), units: some } as const) },
  { weight: 2, arbitrary: fc.record({ restart: some, as: definitions }) },
  { weight: 1, arbitrary: fc.record({ reload: definitions }) },
  { weight: 5, arbitrary: fc.record({ happens: fc.constantFrom(...places), code: fc.constantFrom(null, 0, 1) }) },
  { weight: 2, arbitrary: fc.record({ fails: fc.constantFrom(...places) }) },
  { weight: 1, arbitrary: fc.record({ due: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ rolloutGoesOn: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ dies: fc.option(definitions), isBack: fc.boolean(), lives: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }) }) },
  { weight: 3, arbitrary: fc.record({ settles: fc.constant(true as const) }) },
);

const check: HealthCheck = { probe: { kind: 'command', command: 'true' }, intervalMs: 1000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart' };
const blueGreen = { slots: ['1', '2'], switchCommand: 'true', candidateCheck: check, switchVerify: check, envVar: 'PORT', statePath: null } as const;
const cronOf = (process: Definition['process']): ServiceSpec['cron'] => ({
  expression: '* * * * *', timezone: 'UTC', overlap: process === 'p1' ? 'queue' : 'replace', timeoutMs: null, catchUp: 'none',
});
const restartOf = (kind: Kind): Partial<ServiceSpec['restart']> => {
  if (kind === 'oneshot') return { mode: 'on-failure', oneshot: true };
  return kind === 'failing' || kind === 'cron' ? { mode: 'never' } : { mode: 'always', maxRestarts: kind === 'checked' ? 1 : null };
};

/** `present`: what an edge may lead to, and of what kind that is. */
export function specFor(name: Name, { needs, process, kind }: Definition, present: ReadonlyMap<string, Kind>): ServiceSpec {
  const dependsOn = names.slice(0, names.indexOf(name)).flatMap((service): Dependency[] => {
    const [need, other] = [needs[service], present.get(service)];
    if (need === undefined || other === undefined) return [];
    return [{ service, ...need, condition: need.condition === 'healthy' && other !== 'checked' ? 'started' : need.condition }];
  });
  const isReplaced = kind === 'rolling' || kind === 'gated' || kind === 'switched';
  return specOf({
    name, dependsOn, definition: { process, policy: JSON.stringify([kind, dependsOn]) }, restart: restartOf(kind), check: kind === 'checked' ? check : null,
    preStart: kind === 'prepared' ? 'true' : null, cron: kind === 'cron' ? cronOf(process) : null,
    deployment: {
      strategy: isReplaced ? 'rolling' : 'immediate', check: kind === 'gated' ? check : null, gracePeriodMs: kind === 'gated' ? 1000 : 0,
      blueGreen: kind === 'switched' ? blueGreen : null, onAddressInUse: 'replace',
    },
  });
}

export function specsOf(file: Definitions): readonly ServiceSpec[] {
  const present = new Map(names.flatMap((name) => (file[name] === null ? [] : [[name, file[name].kind] as const])));
  return names.flatMap((name) => (file[name] === null ? [] : [specFor(name, file[name], present)]));
}

export const unitsOf = ({ root }: World) => root.getSnapshot().context.units;
export const kindsIn = (it: World): ReadonlyMap<string, Kind> => new Map([...unitsOf(it)].map(([name, { spec }]) => [name, (JSON.parse(spec.definition.policy) as [Kind])[0]]));

/** Of a unit, or of the instance beside it: `web/aside`. */
export function stateOf(it: World, place: string): string {
  return places.includes(place) && place.endsWith('/aside') ? it.state(place) : (viewUnit(it.root.getSnapshot(), place)?.state ?? 'absent');
}

/** One step of a process and of its checks; false when there is none. */
export function proceed(it: World, place: string, code: number | null): boolean {
  const state = stateOf(it, place);
  if (state === 'preparing') {
    it.go(place, code ?? 0);
    return true;
  }
  if (state !== 'starting') return happen(it, place, state, code);
  if (code === 1) it.report(place, 'process.exited', { exit: { code, signal: null } });
  else if (attempt(() => it.elapse(place), null) === null) it.report(place, 'probe.ok');
  return true;
}

/** Its start is refused, its check does not pass, or passes no more. */
export function fail(it: World, place: string): void {
  const state = stateOf(it, place);
  if (state === 'spawning') it.report(place, 'process.refused', { reason: 'no such file', kind: 'program' });
  if (state === 'starting') it.report(place, 'probe.timeout', { reason: 'not ready', attempts: 1, finding: 'failed' });
  if (state === 'running') it.report(place, 'probe.bad', { reason: 'unhealthy' });
}

/** Everything that is under way goes on until nothing is; one-shots and cron runs end well. */
export function settle(it: World): void {
  const ends = (place: string): boolean => {
    const unit = unitsOf(it).get(place.split('/')[0] ?? '');
    return unit !== undefined && (unit.spec.cron !== null || (unit.ref?.getSnapshot().context.spec ?? unit.spec).restart.oneshot);
  };
  const rollout = (): boolean => {
    const [task] = it.tasks;
    task?.report({ type: 'task.done' });
    return task !== undefined || [...it.root.getSnapshot().context.rollouts.keys()].some((name) => attempt(() => it.elapse(`${name}/rollout`), null) !== null);
  };
  const all = (): readonly string[] => [...new Set([...places, ...unitsOf(it).keys()])];
  // Longer than any of these histories has steps left.
  for (let round = 0; all().some((place) => proceed(it, place, ends(place) ? 0 : null)) || rollout(); round += 1) if (round > 400) throw new Error('it does not come to rest');
}

/** The unit, or the instance that is to replace it, waits for what is not there; or the turn of the unit waits for such a one. */
export function lacks(it: World, name: string): boolean {
  const { spec, turn } = unitsOf(it).get(name) ?? {};
  if (spec === undefined) return false;
  if (turn != null) return spec.dependsOn.some(({ service }) => lacks(it, service));
  // A cron unit that waits for its next instant lacks nothing.
  const waits = (place: string): boolean => stateOf(it, place) === 'waiting' && (spec.cron === null || it.state(place) === 'running');
  return [name, `${name}/aside`].some(waits) && spec.dependsOn.some((need) => !availability(need, unitsOf(it).get(need.service)).met);
}

/** The supervisor that comes when this one has died, and the units that it starts for ticket `ticket`: what `daemon.ts` does. */
export function successor(it: World, specs: readonly ServiceSpec[], { isBack, lives }: Extract<Move, { dies: unknown }>, ticket: number): { readonly it: World; readonly started: readonly string[] } {
  const now = { at: it.now(), wallMs: 0, bootId: 'boot' };
  const living = new Set<string>();
  const known = [...it.records.values()].map((record, index): AdoptOrder => {
    const owned = record.process;
    if (owned === null) return { record, verdict: 'rest' };
    // Two records may name one process.
    if (lives[index % lives.length] === true) living.add(owned.token);
    if (!living.has(owned.token)) return { record, verdict: owned.identity === null ? 'unborn' : 'dead' };
    return { record: { ...record, process: { ...owned, identity: owned.identity ?? identityOf(7) } }, verdict: 'alive' };
  });
  const entries = new Map([...it.records].map(([unit, record]) => [unit, { record, written: now }]));
  const orders = withoutDoubles(whatCounts(known, { isBack, isAlive: () => true, entries, specs, now }));
  const isConfigured = (unit: string): boolean => specs.some(({ name }) => name === unit);
  const adopt = orders.filter(({ record }) => isConfigured(record.unit));
  const departed = orders.filter(({ record, verdict }) => !isConfigured(record.unit) && verdict === 'alive');
  const leaving = departed.map(({ record: { unit, hash, definition: former } }) => asideSpec(unit, specs) ?? specOf({ name: unit, hash, definition: former }));
  const outdated = findOutdated(specs, adopt);
  const next = world([...outdated.adopted, ...leaving], { adopt: [...adopt, ...departed], switches: [...it.switches.values()].filter(({ unit }) => isConfigured(unit)) });
  next.advance(it.now());
  if (leaving.length > 0 || outdated.hasOtherKinds) next.send({ type: 'reload', specs: outdated.specs });
  const isKnown = ({ name, cron }: ServiceSpec): boolean => adopt.some(({ record }) => record.unit === name) && (isBack || cron !== null);
  const started = specs.filter((spec) => !isKnown(spec)).map(({ name }) => name);
  if (started.length > 0) next.send({ type: 'start', ticket, units: started, origin: { kind: 'boot', by: null } });
  replaceOutdated({ clock: { now: next.now } as Parameters<typeof replaceOutdated>[0]['clock'] }, { root: next.root, send: next.send as never }, outdated, leaving);
  return { it: next, started };
}
