import { Mismatch } from '../state/decode.ts';
import { all, maybeNumber, maybeText, numberIn, one, pidIn, textIn } from './fields.ts';
import { branch, leaf, optional, type XmlElement } from './xml.ts';

/** A process that a service had the supervisor start. `startedAt` and `ttl` in seconds, the former of the epoch. */
export interface SpawnRecord {
  readonly pid: number;
  readonly name: string;
  readonly command: string;
  readonly startedAt: number;
  readonly ttl: number | null;
  /** 1 is a direct child of the service. */
  readonly depth: number;
  readonly parentPid: number;
  readonly serviceHash: string | null;
}

/** `pid.xml`: processes and groups by the name of their service. It holds no start times: a pid in it proves nothing. */
export interface PidFile {
  readonly services: ReadonlyMap<string, number>;
  readonly groups: ReadonlyMap<string, number>;
  readonly spawned: readonly SpawnRecord[];
}

/** Throws `Mismatch`. The maps of parents, children and depths say nothing that the records do not. */
export function decodePidFile(root: XmlElement): PidFile {
  if (root.name !== 'PidFile') throw new Mismatch('root', '<PidFile>', `<${root.name}>`);
  const pairs = (list: string, value: string): ReadonlyMap<string, number> => new Map(all(root, list).map((entry, index) => {
    const where = `${list}[${index}]`;
    return [textIn(entry, 'name', where), pidIn(entry, value, where)];
  }));
  const spawned = all(root, 'spawn_metadata').map((entry, index) => spawnRecord(one(entry, 'metadata', `spawn_metadata[${index}]`), `spawn_metadata[${index}]`));
  return { services: pairs('services', 'pid'), groups: pairs('service_groups', 'pgid'), spawned };
}

export function encodePidFile({ services, groups, spawned }: PidFile): XmlElement {
  const children = new Map<number, number[]>();
  for (const { pid, parentPid } of spawned) {
    const siblings = children.get(parentPid);
    if (siblings === undefined) children.set(parentPid, [pid]);
    else siblings.push(pid);
  }
  return branch('PidFile', [
    ...[...services].map(([name, pid]) => branch('services', [leaf('name', name), leaf('pid', pid)])),
    ...[...groups].map(([name, pgid]) => branch('service_groups', [leaf('name', name), leaf('pgid', pgid)])),
    ...spawned.map(({ pid, parentPid }) => branch('parent_map', [leaf('child', pid), leaf('parent', parentPid)])),
    ...[...children].map(([parent, pids]) => branch('children_map', [leaf('parent', parent), ...pids.map((pid) => leaf('children', pid))])),
    ...spawned.map(({ pid, depth }) => branch('spawn_depth', [leaf('pid', pid), leaf('depth', depth)])),
    ...spawned.map((record) => branch('spawn_metadata', [leaf('pid', record.pid), branch('metadata', metadata(record))])),
  ]);
}

function spawnRecord(entry: XmlElement, where: string): SpawnRecord {
  return {
    pid: pidIn(entry, 'pid', where), name: textIn(entry, 'name', where), command: textIn(entry, 'command', where),
    startedAt: numberIn(entry, 'started_at', where, 0), ttl: maybeNumber(entry, 'ttl_secs', where, 0), depth: numberIn(entry, 'depth', where, 0),
    parentPid: pidIn(entry, 'parent_pid', where), serviceHash: maybeText(entry, 'service_hash', where),
  };
}

function metadata(record: SpawnRecord): readonly XmlElement[] {
  return [
    leaf('pid', record.pid), leaf('name', record.name), leaf('command', record.command), leaf('started_at', record.startedAt),
    ...optional('ttl_secs', record.ttl), leaf('depth', record.depth), leaf('parent_pid', record.parentPid), ...optional('service_hash', record.serviceHash),
  ];
}
