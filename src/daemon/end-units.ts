import type { AdoptOrder } from '../../machines/types.ts';
import { createClock } from '../clock.ts';
import { forgetOrphan } from '../compat/at-rest.ts';
import { orphanText, type Orphan } from '../compat/orphans.ts';
import { refuse, type Refused } from '../errors.ts';
import { openSupervisorLog } from '../logs/supervisor-log.ts';
import { bootId } from '../process/boot.ts';
import { identify } from '../compat/identity.ts';
import { recallConfig } from '../config/kept.ts';
import { environmentInUse } from './configuration.ts';
import { lastConfig } from './last-config.ts';
import { openLedger } from '../state/ledger.ts';
import { secretsOf, type Secrets } from '../secrets.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import { prepareRuntime } from '../state/runtime.ts';
import { findWhatRuns, type Found, type UnitsConfig } from './found.ts';
import { endOrphan } from './orphans.ts';
import type { Setting } from './setting.ts';
import { closeBooks, openSupervision, removeTraces, seeOut, takeUp, type Supervision } from './supervision.ts';

export interface EndUnits {
  readonly paths: RuntimePaths;
  readonly environment: NodeJS.ProcessEnv;
  readonly secrets: Secrets;
  /** Null: the one that was last in use; what its units have left is ended as units are that are configured no more, where there is none. */
  readonly config: UnitsConfig | null;
  /** The one unit that is meant; null: all of them. */
  readonly service: string | null;
  onProblem(text: string): void;
}

export type EndedUnits =
  | { readonly ok: true; readonly ended: readonly { readonly name: string; readonly pid: number }[]; readonly left: readonly string[] }
  /** Nothing was touched. */
  | Refused;

/**
 * A stop without a supervisor: recovery with every unit wanted down, by the caller, who holds the lock. Ends what can be proven to be a unit's, as a
 * supervisor would: in order, with the unit's signal and patience, its hooks, its last output and its records. `left` says in sentences what goes on.
 */
export async function endUnits({ paths, environment, secrets, config: given, service, onProblem }: EndUnits): Promise<EndedUnits> {
  const unprepared = prepareRuntime(paths, onProblem);
  if (unprepared !== null) return refuse(unprepared);
  const clock = createClock();
  secrets.learn(secretsOf(environment));
  const ledger = openLedger(paths.ledger, { onProblem, bootId: bootId(), now: clock.now, mask: secrets.mask });
  if (ledger.unreadable !== null) return refuse(ledger.unreadable);
  const config = given ?? configThatWas(paths, { env: environment, identify, secrets, environmentOf: (unit) => environmentInUse(ledger.entries, unit) });
  const log = openSupervisorLog({ file: paths.supervisorLog, level: 'info', mask: secrets.mask });
  const setting: Setting = { paths, environment, softNofile: null, dropPrivileges: false, clock, log, secrets, echo: null, onProblem };
  const all = await findWhatRuns(setting, ledger, config, true);
  const said = all.taken.files;
  const isMeant = (unit: string): boolean => service === null || unit === service || unit.startsWith(`${service}/`);
  // What another program's files said of the rest is in the ledger from now on: the next supervisor finds files that are ours.
  for (const { record } of all.adopt) if (!isMeant(record.unit) && ledger.latest(record.unit)?.record !== record) ledger.record(record, false);
  const found = wantedDown(all, isMeant);
  const specs = config.specs.filter(({ name }) => isMeant(name)).map((spec) => (service === null ? spec : { ...spec, dependsOn: [] }));
  const supervision = openSupervision(setting, specs, found, ledger, service === null ? null : said);
  const { records, units: { root, views } } = supervision;
  log.info('sysg::supervisor', `Stopping ${service ?? 'all services'}, left running by a dead supervisor`);

  records.request({ command: 'stop', unit: service, asker: { uid: process.getuid?.(), pid: process.pid } });
  await bringDown(setting, supervision, service);
  const living = new Set(views().filter(({ alive }) => alive).map(({ spec }) => spec.name));
  // Of all units nothing goes on that would have to be called off.
  if (service !== null) root.stop();
  records.childMemory.close();
  records.projection.close();
  await seeOut(setting, supervision);
  const ran = [...found.adopt, ...found.departed].flatMap(({ record: { unit, process }, verdict }) => (
    verdict === 'alive' && process?.identity != null ? [{ name: unit, pid: process.identity.pid }] : []
  ));
  const left = [
    ...[...found.taken.suspects].filter(([unit]) => isMeant(unit)).map(([unit, reason]) => `service '${unit}': ${reason}`),
    ...(service === null ? records.orphans.living().map(orphanText) : []),
    ...ran.filter(({ name }) => living.has(name)).map(({ name, pid }) => `service '${name}': pid ${pid} survives SIGKILL`),
  ];
  const isOver = service === null && left.length === 0;
  if (isOver) ledger.markClean();
  closeBooks(supervision);
  if (isOver) removeTraces(setting);
  log.close();
  return { ok: true, ended: ran.filter(({ name }) => !living.has(name)), left };
}

/** Ends what no unit is, by the holder of the lock. False: some of it survives. */
export async function endOrphanAtRest({ stateDir, ledger }: RuntimePaths, orphan: Orphan, onProblem: (text: string) => void): Promise<boolean> {
  const gone = await wakeful(() => endOrphan(orphan, { clock: createClock(), onProblem }));
  if (gone) forgetOrphan({ stateDir, ledger, onProblem }, orphan.name);
  return gone;
}

/** Of the units that are meant. Those that live go on until they are stopped in order; the rest must not come back. */
function wantedDown(found: Found, isMeant: (unit: string) => boolean): Found {
  const meant = (orders: readonly AdoptOrder[]): readonly AdoptOrder[] => orders.filter(({ record }) => isMeant(record.unit));
  return {
    ...found,
    adopt: meant(found.adopt).map((order) => (order.verdict === 'alive' ? order : { ...order, record: { ...order.record, wanted: 'down' } })),
    departed: meant(found.departed), leaving: found.leaving.filter(({ name }) => isMeant(name)),
    children: found.children.filter(({ order }) => isMeant(order.unit)),
  };
}

async function bringDown(setting: Setting, supervision: Supervision, service: string | null): Promise<void> {
  const { clock } = setting;
  const { found, records, units: { root, send, tickets } } = supervision;
  const ended = new Promise<void>((resolve, reject) => {
    root.on('supervisor.ended', () => resolve());
    root.subscribe({ error: reject });
  });
  await wakeful(async () => {
    takeUp(setting, supervision);
    records.noteChildren();
    const names = service === null ? [] : [service, ...found.leaving.map(({ name }) => name)];
    if (service === null) send({ type: 'shutdown', at: clock.now(), ticket: null, exitCode: 0 });
    await (service === null ? ended : tickets.open(names, (ticket) => send({ type: 'stop', at: clock.now(), ticket, units: names })));
  });
}

/** A supervisor lives by its socket. Without one Node would end, with success, as soon as nothing but this promise is waited for. */
async function wakeful<Value>(work: () => Promise<Value>): Promise<Value> {
  const timer = setInterval(() => undefined, 60_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/** The configuration that was last in use, or one without units. */
function configThatWas({ stateDir, configHint }: RuntimePaths, context: Parameters<typeof recallConfig>[1]): UnitsConfig {
  const last = lastConfig(stateDir);
  const recalled = last === null ? null : recallConfig(last, context);
  return recalled?.ok === true ? { path: recalled.config.path, specs: recalled.config.services } : { path: configHint, specs: [] };
}
