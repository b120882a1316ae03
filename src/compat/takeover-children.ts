import type { AdoptOrder, ChildRecord, ServiceSpec } from '../../machines/types.ts';
import type { Stamp } from '../state/ledger-lines.ts';
import { isNoServices, readSuspect } from './proof.ts';
import { takenOverToken } from '../state/recovery.ts';
import type { Mask } from '../secrets.ts';
import type { SpawnRecord } from './state-files.ts';

export interface ChildrenTakeover {
  readonly specs: readonly ServiceSpec[];
  readonly orders: readonly AdoptOrder[];
  /** Those that the ledger has: they are taken over from it. */
  readonly known: readonly ChildRecord[];
  readonly uid: number;
  now(): Stamp;
  /** Takes sentences about what was taken over and what could not be. */
  readonly onReport: (text: string) => void;
  /** Of this supervisor, which may have written the files itself. */
  readonly mask?: Mask;
}

/**
 * Spawned children of systemg 0.33.0 that go on: each has our uid, began when the file says it did and runs what it says, and its service, which is dynamic,
 * was taken over too. They lead no group of their own and carry no token of ours; the rest is reported and left alone.
 */
export function takeChildren(spawned: readonly SpawnRecord[], { specs, orders, known, uid, now, onReport, mask = (text) => text }: ChildrenTakeover): readonly ChildRecord[] {
  const taken = new Map<number, ChildRecord>();
  const byPid = new Map(known.flatMap((record) => (record.identity === null ? [] : [[record.identity.pid, record] as const])));
  const { at, wallMs } = now();
  for (const child of spawned.toSorted((one, other) => one.depth - other.depth)) {
    const suspect = readSuspect(child.pid);
    if (suspect === null) continue;
    const noted = byPid.get(child.pid);
    if (noted?.identity?.startTime === suspect.identity.startTime) {
      taken.set(child.pid, noted);
      continue;
    }
    const who = `spawned process '${child.name}' (pid ${child.pid})`;
    const above = taken.get(child.parentPid);
    const owner = orders.find(({ record, verdict }) => verdict === 'alive' && record.process?.identity != null
      && (above === undefined ? record.process.identity.pid === child.parentPid || record.hash === child.serviceHash : record.unit === above.order.unit));
    const isDynamic = specs.some(({ name, spawn }) => name === owner?.record.unit && spawn !== null);
    const isOther = isNoServices(child.pid) || orders.some(({ record }) => record.process?.identity?.pid === child.pid);
    const isSame = !isOther && suspect.uid === uid && mask(suspect.argv.join(' ')) === mask(child.command) && Math.abs(suspect.startedWallMs / 1000 - child.startedAt) <= START_SLACK_S;
    if (owner?.record.process == null || !isDynamic || !isSame) {
      onReport(`${who}${isSame ? ' goes on without a service that could have it' : ' may be another one by now'}; it is left alone`);
      continue;
    }
    const token = takenOverToken();
    taken.set(child.pid, {
      id: token, token, depth: Math.max(1, child.depth), startedAt: at - (wallMs - child.startedAt * 1000), identity: suspect.identity,
      order: {
        unit: owner.record.unit, generation: owner.record.generation, token: owner.record.process.token, parent: above?.id ?? null, parentPid: child.parentPid, name: child.name,
        argv: suspect.argv, ttlMs: child.ttl === null ? null : child.ttl * 1000, logLevel: null,
      },
    });
    onReport(`${who} goes on with service '${owner.record.unit}', taken over from pid.xml`);
  }
  return [...taken.values()].filter((record) => !known.includes(record));
}

/** The file has whole seconds, and is written a moment after the start. */
const START_SLACK_S = 2;
