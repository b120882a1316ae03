import { join } from 'node:path';
import type { ProcessIdentity, ServiceSpec, UnitRecord } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { realPath, replaceFile } from '../files.ts';
import { bootId } from '../process/boot.ts';
import { isAlive } from '../process/identity.ts';
import { openLedger } from '../state/ledger.ts';
import { readLedger } from '../state/ledger-read.ts';
import { notedConfig } from '../state/notes.ts';
import { orphanOf, type Orphan } from './orphans.ts';
import { prove, survivorsOf, zombieOf } from './proof.ts';
import { noteDigest, ownDigests } from './projection.ts';
import { pidFile, stateFile, type RecordedJob, type RecordedState } from './state-files.ts';
import { claimsOf, readStateFiles, type StateFiles, type XmlFile } from './read-files.ts';
import type { TakeoverInput } from './takeover.ts';
import { writeXml, type XmlElement } from './xml.ts';

/** A unit while no supervisor looks after it. */
export interface RestingUnit {
  readonly spec: ServiceSpec;
  /** Provably its process. */
  readonly process: ProcessIdentity | null;
  /** A living process that may be it and cannot be proven to be: its pid and why not. */
  readonly suspect: { readonly pid: number; readonly why: string } | null;
  /** A living process of a unit of the same name, from the file that the last supervisor ran. */
  readonly foreign: { readonly pid: number; readonly config: string } | null;
  /** The process that `pid.xml` names, which has ended and was not waited for by its parent. */
  readonly zombie: ProcessIdentity | null;
  readonly recorded: RecordedState | null;
  /** What the last supervisor noted of this definition of the unit; systemg 0.33.0 notes nothing. */
  readonly noted: UnitRecord | null;
  /** A person stopped the schedule of a supervisor that did not end by itself. */
  readonly isSuspended: boolean;
  readonly job: RecordedJob | null;
}

export interface AtRest {
  readonly units: readonly RestingUnit[];
  /** Recorded under hashes and names that are not configured. */
  readonly strangers: readonly { readonly hash: string; readonly recorded: RecordedState }[];
  /** Services that `pid.xml` names, and of those that no unit is their processes, where these may be those that it means. */
  readonly listed: readonly { readonly name: string; readonly pid: number; readonly isUnits: boolean; readonly process: ProcessIdentity | null; readonly orphan: Orphan | null }[];
}

export interface AtRestInput extends Pick<TakeoverInput, 'stateDir' | 'specs' | 'environment' | 'uid' | 'onProblem'> {
  readonly ledger: string;
  /** The file that the units are of. */
  readonly config: string;
  /** Those of them that belong to no file, whatever file the last supervisor ran. */
  readonly adHoc?: ReadonlySet<string>;
}

/** What ledger, files and kernel say of the units when there is no supervisor to ask. Changes nothing. */
export function lookAtRest({ stateDir, ledger, config, adHoc, specs, environment, uid, onProblem }: AtRestInput): AtRest {
  const files = readStateFiles(stateDir, { onProblem, quarantine: [] });
  const { entries, meta, clean } = readLedger(ledger, { onProblem, quarantine: false });
  // A hash is made of a definition alone: another project's unit may have the same. Without a note the files are systemg 0.33.0's.
  const lastConfig = notedConfig(meta);
  const isSameFile = lastConfig === null || realPath(lastConfig) === realPath(config);
  const claimOf = claimsOf(isSameFile ? files : { ...files, state: null }, specs);
  const units = specs.map((spec): RestingUnit => {
    const isOurs = isSameFile || adHoc?.has(spec.name) === true;
    const record = entries.get(spec.name)?.record ?? null;
    const owned = record?.process ?? null;
    const own = isOurs && record?.hash === spec.hash ? record : null;
    const claim = claimOf(spec);
    const zombie = claim === null ? null : zombieOf(claim, uid);
    const shown = {
      spec, zombie, noted: own, process: null, suspect: null, foreign: null, isSuspended: spec.cron !== null && own?.wanted === 'down' && !clean,
      recorded: isOurs ? (files.state?.get(spec.hash) ?? null) : null, job: spec.cron === null || !isOurs ? null : (files.cron?.get(spec.hash) ?? null),
    };
    if (owned?.identity != null && isAlive(owned.identity)) {
      const { identity } = owned;
      return isOurs ? { ...shown, process: identity } : { ...shown, zombie: null, foreign: { pid: identity.pid, config: lastConfig } };
    }
    if (claim === null) return shown;
    const { pid } = claim;
    const proof = prove(claim, { spec, environment, uid });
    if (proof.ok) return { ...shown, process: proof.identity };
    if (proof.plausible) return { ...shown, suspect: { pid, why: proof.why } };
    const [left] = survivorsOf(files, spec.name, claim, uid);
    return left === undefined ? shown : { ...shown, suspect: { pid: left.identity.pid, why: `the leader of its group, pid ${pid}, is dead` } };
  });
  const configured = new Set(specs.map(({ hash }) => hash));
  const strangers = [...(files.state ?? [])].filter(([hash]) => !configured.has(hash)).map(([hash, recorded]) => ({ hash, recorded }));
  const [names, pids] = [new Set(specs.map(({ name }) => name)), new Set(units.map(({ process }) => process?.pid))];
  const listed = [...(files.pid?.services ?? [])].map(([name, pid]) => {
    if (names.has(name) || pids.has(pid)) return { name, pid, isUnits: true, process: null, orphan: null };
    const claim = { pid, writtenWallMs: files.writtenWallMs['pid.xml'], file: 'pid.xml' } as const;
    const orphan = orphanOf(files, name, claim, uid);
    return { name, pid, isUnits: false, process: orphan?.members[0] ?? zombieOf(claim, uid), orphan };
  });
  return { units, strangers, listed };
}

/**
 * Writes `running` into `state.xml` for units whose process is proven to live and of which the file says otherwise, as the status of systemg 0.33.0 does. For
 * the holder of the lock. The digest of a file that is ours is noted first; one of another program stays another's.
 */
export function mendStateFile(input: RewriteInput, units: readonly RestingUnit[]): void {
  const stale = units.flatMap(({ spec, process, recorded }): [string, RecordedState][] => (
    process === null || recorded?.status === 'running' ? [] : [[spec.hash, { status: 'running', pid: process.pid, exitCode: null, signal: null }]]
  ));
  if (stale.length === 0) return;
  rewrite(input, 'state.xml', ({ state }) => state && stateFile.encode(new Map([...state, ...stale].sort(([one], [other]) => (one < other ? -1 : 1)))));
}

/** Takes a service out of pid.xml that no unit is and that has been ended. For the holder of the lock, as `mendStateFile`. */
export function forgetOrphan(input: RewriteInput, name: string): void {
  const others = <Value>(map: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> => new Map([...map].filter(([key]) => key !== name));
  rewrite(input, 'pid.xml', ({ pid }) => pid && pidFile.encode({ ...pid, services: others(pid.services), groups: others(pid.groups) }));
}

type RewriteInput = Pick<AtRestInput, 'stateDir' | 'ledger' | 'onProblem'>;

/** `changed` null: there is no such file, or it cannot be read. */
function rewrite({ stateDir, ledger: path, onProblem }: RewriteInput, name: XmlFile, changed: (files: StateFiles) => XmlElement | null): void {
  const files = readStateFiles(stateDir, { onProblem: () => undefined, quarantine: [name] });
  const element = changed(files);
  if (element === null) return;
  const text = writeXml(element);
  const ledger = openLedger(path, { onProblem, bootId: bootId() });
  try {
    const found = files.digests[name] ?? '';
    if (ownDigests(ledger, name).includes(found)) noteDigest(ledger, name, text, [found]);
    replaceFile(join(stateDir, name), text, { durable: false });
  } catch (error) {
    onProblem(`${join(stateDir, name)}: cannot be written: ${textOf(error)}`);
  } finally {
    ledger.close();
  }
}
