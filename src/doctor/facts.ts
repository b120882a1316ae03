import { configPaths } from '../config-path.ts';
import type { LoadedConfig } from '../config/load.ts';
import { chosenServices } from '../config/profiles.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { StatusSnapshot, UnitStatus } from '../wire/payloads.ts';
import type { ChannelOptions } from '../logs/channel.ts';
import type { JournalOnDisk } from '../journal/read.ts';
import type { ProcessTable } from '../process/scan.ts';
import type { Opened } from '../state/ledger-read.ts';
import { shellWord } from '../words.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import type { StateFiles } from '../compat/read-files.ts';

/** What a path leads to, links not followed. */
export interface PathFact {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'socket' | 'fifo' | 'link' | 'other' | 'missing';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  /** Names the file itself: `device:inode`. */
  readonly identity: string;
}

/** What keeps everybody from what lies below a path. */
export interface ObstacleFact {
  readonly path: string;
  /** `locked`: a directory that this user may not enter. */
  readonly kind: Exclude<PathFact['kind'], 'directory' | 'missing'> | 'locked';
}

export interface LockFact {
  readonly state: 'held' | 'free' | 'unknown';
  /** Why it is unknown. */
  readonly reason: string | null;
}

/** A process that has the lock file open and is the one that the pid file names. */
export interface OwnerFact {
  readonly pid: number;
  readonly guardian: number | null;
  /** It was started to have no guardian. */
  readonly isForeground: boolean;
  /** Identities of the files that it has open; null: it may not be looked into. */
  readonly open: ReadonlySet<string> | null;
}

export type ServingFact =
  | { readonly kind: 'answers'; readonly snapshot: StatusSnapshot; readonly tookMs: number }
  /** Somebody listens, and no Status came of it. */
  | { readonly kind: 'silent'; readonly reason: string }
  | { readonly kind: 'nobody' };

export type ConfigFact =
  | { readonly kind: 'loaded'; readonly path: string; readonly specs: readonly ServiceSpec[]; readonly profiles: LoadedConfig['profiles'] }
  | { readonly kind: 'refused'; readonly path: string; readonly problems: readonly string[] }
  | { readonly kind: 'none'; readonly reason: string };

export interface VolumeFact {
  readonly path: string;
  readonly freeBytes: number;
  /** Of those that there can be; 0 of 0 where the file system does not count them. */
  readonly freeFiles: number;
  readonly files: number;
  readonly writable: boolean;
}

export interface OutputFact extends Pick<ChannelOptions, 'unit' | 'stream' | 'fifo' | 'file'> {
  /** The FIFO that the unit's process writes to; null: none lives, or it writes elsewhere. */
  readonly writesTo: string | null;
}

/** Everything that the checks compare, as it was within one moment. Times are of the wall clock. */
export interface Facts {
  readonly nowWallMs: number;
  readonly uid: number;
  readonly bootId: string;
  readonly paths: RuntimePaths;
  /** What is in the way of the state directory, or in its place; null: a directory can be looked into or made there. */
  readonly obstacle: ObstacleFact | null;
  /** How a command begins that reaches this supervisor: `sysg -p shop `. */
  readonly command: string;
  readonly lock: LockFact;
  readonly owner: OwnerFact | null;
  /** What the pid file holds; null: there is none. */
  readonly pidText: string | null;
  /** What the hint holds; null: there is none. */
  readonly hint: string | null;
  readonly serving: ServingFact;
  /** Units that changed while the rest was read, or just before: nothing can be held against them. */
  readonly moving: ReadonlySet<string>;
  readonly config: ConfigFact;
  readonly ledger: Opened & { readonly problems: readonly string[] };
  readonly journal: JournalOnDisk;
  readonly files: StateFiles & { readonly problems: readonly string[] };
  readonly processes: ProcessTable;
  /** Of processes with tokens those whose output goes into a FIFO of this state directory, be it one that was removed. */
  readonly feeders: ReadonlySet<number>;
  /** False where nothing is known of any process. */
  readonly seesProcesses: boolean;
  /** Where the units' output goes. */
  readonly outputs: readonly OutputFact[];
  /** By path: directories, runtime files, FIFOs and log files. */
  readonly entries: ReadonlyMap<string, PathFact>;
  readonly volumes: readonly VolumeFact[];
  /** By name: where a tool of the system was found, or null. */
  readonly tools: ReadonlyMap<string, string | null>;
}

/** Somebody looks after the units, as far as lock and socket show. */
export function isSupervised({ lock, serving }: Facts): boolean {
  return lock.state === 'held' || serving.kind !== 'nobody';
}

/** The units of the supervisor that answers; of those that are no longer configured it knows what other programs do. */
export function servedUnits(serving: ServingFact): readonly UnitStatus[] {
  return serving.kind === 'answers' ? serving.snapshot.units.filter(({ kind }) => kind !== 'orphaned') : [];
}

/** The services that a start would begin, and those beyond that that the supervisor has, for their profiles or since somebody started them by name. */
export function specsInForce({ config, serving }: Pick<Facts, 'config' | 'serving'>): readonly ServiceSpec[] {
  if (config.kind !== 'loaded') return [];
  const { specs: services, profiles } = config;
  return chosenServices({ services, profiles }, { profiles: [], names: new Set(servedUnits(serving).map(({ name }) => name)) });
}

/** Units of our own supervisor; none of another program's, which has no ledger. */
export function liveUnits({ lock, serving }: Pick<Facts, 'lock' | 'serving'>): readonly UnitStatus[] {
  return lock.state === 'held' ? servedUnits(serving) : [];
}

/** Those that keep still: of them files and actors must say the same. */
export function settledUnits(facts: Pick<Facts, 'lock' | 'serving' | 'moving'>): readonly UnitStatus[] {
  return liveUnits(facts).filter(({ name }) => !facts.moving.has(name));
}

/** What the supervisor says of files that its disk does not take: a sentence for each, that begins with the path. */
export function unwritten({ serving }: Pick<Facts, 'serving'>): readonly string[] {
  return serving.kind === 'answers' ? (serving.snapshot.unwritten ?? []) : [];
}

/** Whether the file is known to say less than the supervisor: nothing can be held against what is in it. */
export function isBehind(facts: Pick<Facts, 'serving' | 'volumes'>, path: string): boolean {
  return facts.volumes[0]?.writable === false || unwritten(facts).some((text) => text.startsWith(`${path}:`));
}

/** What starts a supervisor again, with the file of the last one: from another directory a start would not find it. */
export function startCommand({ config, hint, command }: Pick<Facts, 'config' | 'hint' | 'command'>): string {
  const path = config.kind === 'none' ? hint : config.path;
  return `${command}start --daemonize${path === null ? '' : configPaths(path).map((file) => ` -c ${shellWord(file)}`).join('')}`;
}

export function entryOf({ entries }: Facts, path: string): PathFact {
  return entries.get(path) ?? { path, kind: 'missing', mode: 0, uid: 0, identity: '' };
}

export function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

/** One thing that was looked at. `detail` says what was found; where `ok` is false also what was expected and what to do about it. */
export interface Finding { readonly check: string; readonly ok: boolean; readonly detail: string }

export interface Diagnosis { readonly ok: boolean; readonly findings: readonly Finding[] }

export function agrees(check: string, detail: string): Finding {
  return { check, ok: true, detail };
}

/** `remedy`: what to do about it, as an order. */
export function disagrees(check: string, found: string, expected: string, remedy: string): Finding {
  return { check, ok: false, detail: `found ${found}; expected ${expected}. ${remedy}` };
}
