import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { hasCode, textOf } from '../errors.ts';
import { quarantine, readPlainFile } from '../files.ts';
import { cronFile, type CronFile, pidFile, type FileCodec, type PidFile, type StateFile, stateFile } from './state-files.ts';
import { readXml } from './xml.ts';

export const xmlFiles = ['pid.xml', 'state.xml', 'cron_state.xml'] as const;
export type XmlFile = (typeof xmlFiles)[number];

/** `null`: the file is not there, or cannot be used. */
export interface StateFiles {
  readonly pid: PidFile | null;
  readonly state: StateFile | null;
  readonly cron: CronFile | null;
  /** Of each file's bytes; null: not there. */
  readonly digests: Readonly<Record<XmlFile, string | null>>;
  /** When each file was last written, by the wall clock. */
  readonly writtenWallMs: Readonly<Record<XmlFile, number>>;
}

export interface ReadOptions {
  /** Takes sentences about what could not be used. */
  readonly onProblem: (text: string) => void;
  /** Of which files a copy is kept where they cannot be understood: those that are written anew. For the holder of the lock. */
  readonly quarantine: readonly XmlFile[];
}

/** Reads the files of systemg 0.33.0. A torn or foreign file, or what is wrong in one, is reported and left out. Throws nothing. */
export function readStateFiles(stateDir: string, options: ReadOptions): StateFiles {
  const read = <Content>(name: XmlFile, decode: FileCodec<Content>['decode']): { content: Content | null; digest: string | null; writtenWallMs: number } => {
    const path = join(stateDir, name);
    const copied = (): string => (options.quarantine.includes(name) ? quarantine(path) : '');
    let bytes: Buffer;
    let writtenWallMs: number;
    try {
      writtenWallMs = statSync(path).mtimeMs;
      bytes = readPlainFile(path);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) options.onProblem(`${path}: cannot be read: ${textOf(error)}; it is ignored`);
      return { content: null, digest: null, writtenWallMs: 0 };
    }
    if (!isUtf8(bytes)) options.onProblem(`${path}: some of its bytes are no UTF-8 and are read as U+FFFD`);
    const decoded = decodeBytes(bytes, decode);
    const [first, ...more] = decoded.ok ? decoded.skipped : [];
    if (first !== undefined) options.onProblem(`${path}: ${first}${more.length > 0 ? `, and ${more.length} more like that` : ''}; what is wrong is left out${copied()}`);
    if (decoded.ok && decoded.ignored !== null) options.onProblem(`${path}: ${decoded.ignored}; that is ignored`);
    if (!decoded.ok) options.onProblem(`${path}: ${decoded.reason}; it is ignored${copied()}`);
    return { content: decoded.ok ? decoded.content : null, digest: digestOf(bytes), writtenWallMs };
  };
  const pid = read('pid.xml', pidFile.decode);
  const state = read('state.xml', stateFile.decode);
  const cron = read('cron_state.xml', cronFile.decode);
  return {
    pid: pid.content, state: state.content, cron: cron.content,
    writtenWallMs: { 'pid.xml': pid.writtenWallMs, 'state.xml': state.writtenWallMs, 'cron_state.xml': cron.writtenWallMs },
    digests: { 'pid.xml': pid.digest, 'state.xml': state.digest, 'cron_state.xml': cron.digest },
  };
}

/** A process that a file says a service has. */
export interface Claim {
  readonly pid: number;
  /** When that was last written. */
  readonly writtenWallMs: number;
  readonly file: XmlFile;
}

/**
 * What `pid.xml` says of a service, or else `state.xml`, which systemg 0.33.0 writes a moment later: a torn one costs no service its process, nor does
 * another name, for `state.xml` knows a service by its definition.
 */
export function claimsOf({ pid: file, state, writtenWallMs }: StateFiles, specs: readonly ServiceSpec[]): (spec: Pick<ServiceSpec, 'name' | 'hash'>) => Claim | null {
  const services = file?.services ?? new Map<string, number>();
  // Services of equal definitions have one hash.
  const owned = new Set(specs.map(({ name }) => services.get(name)));
  return ({ name, hash }) => {
    const pid = services.get(name);
    if (pid !== undefined) return { pid, writtenWallMs: writtenWallMs['pid.xml'], file: 'pid.xml' };
    const recorded = state?.get(hash);
    if (recorded?.status !== 'running' || recorded.pid === null || owned.has(recorded.pid)) return null;
    return { pid: recorded.pid, writtenWallMs: writtenWallMs['state.xml'], file: 'state.xml' };
  };
}

export function digestOf(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex');
}

type Decoded<Content> = { readonly ok: true; readonly content: Content; readonly ignored: string | null; readonly skipped: readonly string[] } | { readonly ok: false; readonly reason: string };

/** Far more than a thousand services have. */
const MOST_BYTES = 16 * 2 ** 20;

function decodeBytes<Content>(bytes: Buffer, decode: FileCodec<Content>['decode']): Decoded<Content> {
  if (bytes.length > MOST_BYTES) return { ok: false, reason: `expected at most ${MOST_BYTES} bytes, got ${bytes.length}` };
  const parsed = readXml(bytes.toString());
  if (!parsed.ok) return parsed;
  try {
    const skipped: string[] = [];
    return { ok: true, content: decode(parsed.root, (problem) => skipped.push(problem)), ignored: parsed.ignored, skipped };
  } catch (error) {
    // Of a codec: the sentence names the place, what was expected there and what was found.
    return { ok: false, reason: textOf(error) };
  }
}
