import { closeSync, constants, existsSync, lstatSync, openSync, readdirSync, readlinkSync, statfsSync, statSync, type BigIntStats } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { UnitStatus } from '../wire/payloads.ts';
import { attempt, hasCode, textOf } from '../errors.ts';
import { isAccessible, isDirectory, readPlainFile, realPath } from '../files.ts';
import { surveyJournal } from '../journal/read.ts';
import { exactLogPath, fifoPath, logStreams, makeLogLookup, type LogStream } from '../logs/names.ts';
import { bootId } from '../process/boot.ts';
import { isHalted, readArguments, readProcStat } from '../process/proc.ts';
import { scan } from '../process/scan.ts';
import { locate } from '../process/tools.ts';
import { readLedger } from '../state/ledger-read.ts';
import { findLockOwner } from '../state/lock-owner.ts';
import { isLocked } from '../state/lock.ts';
import { seesProcesses } from '../state/runtime.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import { readStateFiles } from '../compat/read-files.ts';
import { servedUnits, specsInForce, type ConfigFact, type Facts, type LockFact, type ObstacleFact, type OwnerFact, type PathFact, type ServingFact, type VolumeFact } from './facts.ts';
import { knownTools } from './tools.ts';

export interface GatherInput {
  readonly paths: RuntimePaths;
  readonly command: string;
  readonly uid: number;
  readonly searchPath: string | undefined;
  readonly config: ConfigFact;
  /** Asks the supervisor for its Status, and waits that long for it. */
  serving(patienceMs: number): Promise<ServingFact>;
}

/** Reads everything that the checks compare. Changes nothing. Rejects when /proc cannot be read. */
export async function gather(input: GatherInput): Promise<Facts> {
  const { paths, uid, config, command } = input;
  const owner = ownerFact(paths);
  const serving = (): Promise<ServingFact> => input.serving(isHalted(owner === null ? null : readProcStat(owner.pid)) ? HALTED_PATIENCE_MS : PATIENCE_MS);
  const before = await serving();
  const units = [...new Set([...specsInForce({ config, serving: before }), ...servedUnits(before)].map(({ name }) => name))];
  const lookup = logLookup(paths.logDir, units);
  const streams = units.flatMap((unit) => logStreams.map((stream) => ({ unit, stream, fifo: fifoPath(paths.fifoDir, unit, stream), file: lookup(unit, stream) })));
  const watched = [
    paths.stateDir, paths.fifoDir, paths.logDir, paths.socket, paths.pidFile, paths.configHint, paths.lock, paths.ledger, paths.supervisorLog,
    ...streams.flatMap(({ fifo, file }) => [fifo, file]),
  ];
  const ledgerProblems: string[] = [];
  const fileProblems: string[] = [];
  const processes = await scan();
  const facts = {
    uid, bootId: bootId(), paths, obstacle: obstacleTo(paths.ledger), command, config,
    lock: lockFact(paths.lock), owner, pidText: textIn(paths.pidFile), hint: textIn(paths.configHint),
    ledger: { ...readLedger(paths.ledger, { quarantine: false, onProblem: (text) => ledgerProblems.push(text) }), problems: ledgerProblems },
    journal: surveyJournal(paths.stateDir),
    files: { ...readStateFiles(paths.stateDir, { quarantine: [], onProblem: (text) => fileProblems.push(text) }), problems: fileProblems },
    processes, feeders: feedersOf(processes, paths.fifoDir), seesProcesses: seesProcesses(),
    outputs: streams.map((output) => ({ ...output, writesTo: writesTo(pidOf(before, output.unit), output.stream) })),
    entries: new Map(watched.map((path) => [path, pathFact(path)])),
    volumes: volumeFacts([paths.stateDir, paths.logDir]),
    tools: new Map(knownTools.map(({ name }) => [name, locate(name, input.searchPath)])),
  };
  const after = before.kind === 'answers' ? await serving() : before;
  return { ...facts, nowWallMs: Date.now(), serving: after, moving: movingUnits(before, after) };
}

/** A query is answered in milliseconds; a machine under load may need longer. */
const PATIENCE_MS = 5000;
/** What is halted will not answer; that it is may be over in the next moment. */
const HALTED_PATIENCE_MS = 500;

/** The projection may lag behind the actors by 200 ms. */
const SETTLED_MS = 1000;

/** Those that changed between two answers, or right before the first. */
export function movingUnits(before: ServingFact, after: ServingFact): ReadonlySet<string> {
  if (before.kind !== 'answers' || after.kind !== 'answers') return new Set();
  const earlier = new Map(before.snapshot.units.map((unit) => [unit.name, unit]));
  const readAtMs = Date.parse(before.snapshot.captured_at);
  return new Set(after.snapshot.units.filter((unit) => {
    const old = earlier.get(unit.name);
    return old === undefined || changedSince(old, unit) || (unit.since !== undefined && readAtMs - Date.parse(unit.since) < SETTLED_MS);
  }).map(({ name }) => name));
}

function changedSince(old: UnitStatus, unit: UnitStatus): boolean {
  const momentOf = ({ phase, generation, wanted, last_event: lastEvent, process: shown }: UnitStatus): readonly unknown[] => [phase, generation, wanted, lastEvent, shown?.pid];
  const before = momentOf(old);
  if (momentOf(unit).some((value, index) => value !== before[index])) return true;
  // The instant is made of two clocks that are read one after the other: of the same moment it is a millisecond more or less each time.
  return Math.abs(Date.parse(unit.since ?? '') - Date.parse(old.since ?? '')) > CLOCKS_APART_MS;
}

const CLOCKS_APART_MS = 50;

function pathFact(path: string): PathFact {
  // Not there, or behind something that is no directory of ours: other findings say so.
  const stats = attempt(() => lstatSync(path, { bigint: true }), null, 'ENOENT', 'ENOTDIR', 'EACCES');
  if (stats === null) return { path, kind: 'missing', mode: 0, uid: 0, identity: '' };
  return { path, kind: kindOf(stats), mode: Number(stats.mode) & 0o7777, uid: Number(stats.uid), identity: identityOf(stats) };
}

/** The nearest of what exists above the path, where nothing can be below that. */
function obstacleTo(path: string): ObstacleFact | null {
  const above = dirname(path);
  const stats = attempt(() => lstatSync(above, { bigint: true }), null);
  if (stats === null) return above === path ? null : obstacleTo(above);
  const kind = kindOf(stats);
  if (isDirectory(above)) return isAccessible(above, constants.X_OK) ? null : { path: above, kind: 'locked' };
  return kind === 'directory' || kind === 'missing' ? null : { path: above, kind };
}

function kindOf(stats: BigIntStats): PathFact['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSocket()) return 'socket';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function lockFact(path: string): LockFact {
  try {
    return { state: isLocked(path) ? 'held' : 'free', reason: null };
  } catch (error) {
    return { state: 'unknown', reason: textOf(error) };
  }
}

function ownerFact(paths: RuntimePaths): OwnerFact | null {
  const owner = findLockOwner(paths);
  return owner === null ? null : { pid: owner.supervisor.pid, guardian: owner.guardian?.pid ?? null, isForeground: readArguments(owner.supervisor.pid)?.includes('--foreground') === true, open: openFiles(owner.supervisor.pid) };
}

function openFiles(pid: number): ReadonlySet<string> | null {
  const directory = `/proc/${pid}/fd`;
  // It may have ended meanwhile, or not be ours to look into.
  return attempt(() => new Set(readdirSync(directory).flatMap((descriptor) => {
    const stats = statSync(join(directory, descriptor), { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? [] : [identityOf(stats)];
  })), null, 'ENOENT', 'EACCES', 'EPERM', 'ESRCH');
}

function textIn(path: string): string | null {
  try {
    return readPlainFile(path).toString().trim();
  } catch (error) {
    return hasCode(error, 'ENOENT', 'ENOTDIR') ? null : `(${textOf(error)})`;
  }
}

/** One for each file system. */
function volumeFacts(paths: readonly string[]): readonly VolumeFact[] {
  const volumes = new Map<number, VolumeFact>();
  for (const path of paths.map(nearest)) {
    const device = statSync(path).dev;
    if (volumes.has(device)) continue;
    const { bavail, bsize, ffree, files } = statfsSync(path);
    volumes.set(device, { path, freeBytes: bavail * bsize, freeFiles: ffree, files, writable: isAccessible(path, constants.W_OK) && takesFiles(path) });
  }
  return [...volumes.values()];
}

/** A file system that was made read-only by an error of its disk may say otherwise to access(2). A file without a name leaves nothing behind: O_TMPFILE of open(2). */
function takesFiles(directory: string): boolean {
  if (process.platform !== 'linux' || !isDirectory(directory)) return true;
  try {
    closeSync(openSync(directory, constants.O_RDWR | O_TMPFILE, 0o600));
    return true;
  } catch (error) {
    // Others are full, or know no such files.
    return !hasCode(error, 'EROFS', 'EPERM', 'EIO');
  }
}

const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

/** The path, or what exists of it and may be looked at. */
function nearest(path: string): string {
  return !existsSync(path) && dirname(path) !== path ? nearest(dirname(path)) : path;
}

function pidOf(serving: ServingFact, unit: string): number | null {
  return serving.kind === 'answers' ? (serving.snapshot.units.find(({ name }) => name === unit)?.process?.pid ?? null) : null;
}

function writesTo(pid: number | null, stream: LogStream): string | null {
  // It may have ended meanwhile, closed the descriptor, or not be ours to look into.
  const stats = pid === null ? null : attempt(() => statSync(`/proc/${pid}/fd/${stream === 'stdout' ? 1 : 2}`, { bigint: true }), null);
  return stats?.isFIFO() === true ? identityOf(stats) : null;
}

/** By the name that the kernel keeps of what is open, also when that was removed; spawned children have a directory of their own. */
export function feedersOf(processes: Facts['processes'], fifoDir: string): Facts['feeders'] {
  const directory = kernelPath(fifoDir);
  const feeds = (pid: number): boolean => [1, 2].some((descriptor) => attempt(() => {
    const place = dirname(readlinkSync(`/proc/${pid}/fd/${descriptor}`));
    return place === directory || place === join(directory, 'spawn');
  }, false));
  return new Set([...processes.values()].filter(({ pid, tokens }) => (tokens ?? []).length > 0 && feeds(pid)).map(({ pid }) => pid));
}

/** Without links: what is gone of the path stood below what is left of it. */
function kernelPath(path: string): string {
  return existsSync(path) ? realPath(path) : join(kernelPath(dirname(path)), basename(path));
}

function logLookup(logDir: string, units: readonly string[]): ReturnType<typeof makeLogLookup> {
  const lookup = makeLogLookup(logDir, units);
  // No directory, or not for us to read: another finding says so.
  return (unit, stream) => attempt(() => lookup(unit, stream), null, 'ENOTDIR', 'EACCES') ?? exactLogPath(logDir, unit, stream);
}
