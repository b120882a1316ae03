import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../errors.ts';
import type { Ledger } from '../state/ledger.ts';
import { stringsOf } from '../state/notes.ts';
import { replaceFile, sizeOf } from '../files.ts';
import type { Orphan } from './orphans.ts';
import { cronFile, pidFile, type PidFile, type RecordedJob, type RecordedState, type SpawnRecord, stateFile } from './state-files.ts';
import { digestOf, xmlFiles, type StateFiles, type XmlFile } from './read-files.ts';
import { writeXml, type XmlElement } from './xml.ts';

/** A unit as the files of systemg 0.33.0 describe it. `state` null: it never ran. */
export interface ProjectedUnit {
  readonly name: string;
  readonly hash: string;
  /** The living leader of its group. */
  readonly pid: number | null;
  readonly state: RecordedState | null;
  /** Null: not a cron unit. */
  readonly job: RecordedJob | null;
  readonly spawned: readonly SpawnRecord[];
}

export interface ProjectionOptions {
  readonly stateDir: string;
  /** Keeps the digests of the files, each noted before its file is written. */
  readonly ledger: Pick<Ledger, 'note' | 'meta' | 'unwritten'>;
  /** The files as they are, whose entries about units that are not among `units` are kept. Null: nothing else is in the files. */
  readonly others?: StateFiles | null;
  /** What pid.xml goes on to name beside the units; asked as they are. */
  orphans?(): readonly Orphan[];
  /** Asked each time the files are written. A unit of which nothing has changed may be the same object as before. */
  units(): readonly ProjectedUnit[];
  /** Takes one sentence per episode about a file that cannot be written. */
  readonly onProblem: (text: string) => void;
  /** Default 200. */
  readonly intervalMs?: number;
}

export interface Projection {
  /** Something that is in the files has changed. */
  changed(): void;
  /** Writes at once what has changed: a command that returns finds the files up to date, as with systemg 0.33.0. */
  flush(): void;
  /** Writes those files again that somebody has removed or cut, or that could not be written. */
  mend(): void;
  /** Sentences about files that are behind. */
  readonly unwritten: readonly string[];
  /** Writes what is still to be written, for the last time. */
  close(): void;
}

/**
 * The state files of systemg 0.33.0, so that its commands see our units and it can take over. Written by temporary file and rename, at most once in
 * `intervalMs`; one that cannot be written is tried again at the next change and every minute. Never read back while we run.
 */
export function openProjection(options: ProjectionOptions): Projection {
  const { stateDir, ledger, onProblem, others = null, intervalMs = 200 } = options;
  const written = new Map<XmlFile, string | null>();
  const failing = new Map<XmlFile, string>();
  let timer: NodeJS.Timeout | null = null;
  let retry: NodeJS.Timeout | null = null;
  let lastAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const write = (): void => {
    timer = null;
    lastAt = performance.now();
    const texts = project(options.units(), others, options.orphans?.() ?? []);
    for (const name of xmlFiles) if (written.get(name) !== texts[name]) put(name, texts[name]);
    if (retry !== null) clearTimeout(retry);
    retry = failing.size > 0 && !closed ? setTimeout(write, RETRY_MS).unref() : null;
  };

  /** The digests of what may be on disk: a file that could not be written is what it was, however often that was tried. */
  const onDisk = new Map(xmlFiles.map((name) => [name, ownDigests(ledger, name)]));

  const put = (name: XmlFile, text: string | null): void => {
    const path = join(stateDir, name);
    try {
      if (text === null) rmSync(path, { force: true });
      else {
        noteDigest(ledger, name, text, onDisk.get(name));
        // A file that the ledger does not know would be taken for systemg 0.33.0's by the next supervisor, and the ledger for older than that.
        if (ledger.unwritten !== null) throw new Error('its digest has to be in the ledger first, which cannot be written');
        replaceFile(path, text, { durable: false });
        onDisk.set(name, [digestOf(text)]);
      }
      written.set(name, text);
      failing.delete(name);
    } catch (error) {
      const text = `${path}: cannot be written: ${textOf(error)}; it is tried again at the next change and every minute`;
      if (!failing.has(name)) onProblem(text);
      failing.set(name, text);
    }
  };

  return {
    changed() {
      if (timer !== null || closed) return;
      timer = setTimeout(write, Math.max(SETTLING_MS, lastAt + intervalMs - performance.now())).unref();
    },
    flush() {
      if (timer === null) return;
      clearTimeout(timer);
      write();
    },
    mend() {
      const missing = [...written].filter(([name, text]) => sizeOf(join(stateDir, name)) !== (text === null ? null : Buffer.byteLength(text))).map(([name]) => name);
      for (const name of missing) written.delete(name);
      if (missing.length > 0 || failing.size > 0) write();
    },
    get unwritten() {
      return [...failing.values()];
    },
    close() {
      if (closed) return;
      closed = true;
      if (timer !== null) clearTimeout(timer);
      write();
    },
  };
}

/** As pid.xml names them. */
function recordedOrphans(orphans: readonly Orphan[]): PidFile {
  return {
    services: new Map(orphans.map(({ name, pid }) => [name, pid])), spawned: [],
    groups: new Map(orphans.flatMap(({ name, pgid }) => (pgid === null ? [] : [[name, pgid]]))),
  };
}

/** The content of each file, in the order of names and hashes; null: it must not be there. */
function project(units: readonly ProjectedUnit[], others: StateFiles | null, orphans: readonly Orphan[]): Readonly<Record<XmlFile, string | null>> {
  const [names, hashes] = [new Set(units.map(({ name }) => name)), new Set(units.map(({ hash }) => hash))];
  const texts = units.map((unit) => textsOf(unit));
  const beside = recordedOrphans(orphans);
  const merged = <Value>(
    before: Iterable<readonly [string, Value]> | undefined, ours: ReadonlySet<string>, write: (key: string, value: Value) => string, now: readonly Entry[],
    besides: Iterable<readonly [string, Value]> = [],
  ): string => {
    const foreign = [...[...before ?? []].filter(([key]) => !ours.has(key)), ...besides].map(([key, value]): Entry => [key, write(key, value)]);
    return [...new Map([...foreign, ...now.filter(([, text]) => text !== '')])].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text).join('');
  };
  const spawned = [
    ...(others?.pid?.spawned ?? []).filter(({ serviceHash }) => serviceHash === null || !hashes.has(serviceHash)),
    ...units.toSorted((one, other) => (one.name < other.name ? -1 : 1)).flatMap((unit) => unit.spawned),
  ];
  const states = merged(others?.state ?? [], hashes, stateEntry, texts.map(({ hash, state }) => [hash, state]));
  return {
    'pid.xml': within(pidFile.encode(noPids), [
      merged(others?.pid?.services, names, serviceEntry, texts.map(({ name, service }) => [name, service]), beside.services),
      merged(others?.pid?.groups, names, groupEntry, texts.map(({ name, group }) => [name, group]), beside.groups),
      inner(pidFile.encode({ ...noPids, spawned })),
    ].join('')),
    // With nothing in it, of the three files, systemg 0.33.0 refuses this one, and with it every command.
    'state.xml': states === '' ? null : within(stateFile.encode(new Map()), states),
    'cron_state.xml': within(cronFile.encode(new Map()), merged(others?.cron ?? [], hashes, jobEntry, texts.map(({ hash, job }) => [hash, job]))),
  };
}

/** A key to sort by, and what is written for it: nothing where there is no value. */
type Entry = readonly [key: string, text: string];

interface UnitTexts extends Pick<ProjectedUnit, 'name' | 'hash'> {
  readonly service: string;
  readonly group: string;
  readonly state: string;
  readonly job: string;
}

/** A unit is the same object until something of it has changed: one restart among a thousand units encodes one of them. */
const kept = new WeakMap<ProjectedUnit, UnitTexts>();

function textsOf(unit: ProjectedUnit): UnitTexts {
  const before = kept.get(unit);
  if (before !== undefined) return before;
  const { name, hash, pid, state, job } = unit;
  const texts = {
    name, hash, service: pid === null ? '' : serviceEntry(name, pid), group: pid === null ? '' : groupEntry(name, pid),
    state: state === null ? '' : stateEntry(hash, state), job: job === null ? '' : jobEntry(hash, job),
  };
  kept.set(unit, texts);
  return texts;
}

const noPids: PidFile = { services: new Map(), groups: new Map(), spawned: [] };
const serviceEntry = (name: string, pid: number): string => inner(pidFile.encode({ ...noPids, services: new Map([[name, pid]]) }));
const groupEntry = (name: string, pid: number): string => inner(pidFile.encode({ ...noPids, groups: new Map([[name, pid]]) }));
const stateEntry = (hash: string, state: RecordedState): string => inner(stateFile.encode(new Map([[hash, state]])));
const jobEntry = (hash: string, job: RecordedJob): string => inner(cronFile.encode(new Map([[hash, job]])));

function inner({ children }: XmlElement): string {
  return children.map(writeXml).join('');
}

/** The text of a file whose root, as it is when empty, and content are given. */
function within(root: XmlElement, content: string): string {
  return content === '' ? writeXml(root) : `<${root.name}>${content}</${root.name}>`;
}

/** The digests that a file has when we wrote it: those that it may have had before the last writing, and the one of that. */
export function ownDigests(ledger: Pick<Ledger, 'meta'>, name: XmlFile): readonly string[] {
  return stringsOf(ledger.meta.get(noteKey(name)));
}

/** To be called before the file is written: a crash in between must not make our own file look like another's. */
export function noteDigest(ledger: Pick<Ledger, 'note' | 'meta'>, name: XmlFile, text: string, before = ownDigests(ledger, name)): void {
  ledger.note(noteKey(name), [...new Set([...before, digestOf(text)])]);
}

function noteKey(name: XmlFile): string {
  return `digest ${name}`;
}

const RETRY_MS = 60_000;
/** A change seldom comes alone: what ended is replaced before the files are written, and they are written once for both. */
const SETTLING_MS = 20;
