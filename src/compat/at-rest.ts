import type { ProcessIdentity, ServiceSpec } from '../../machines/types.ts';
import { isAlive } from '../process/identity.ts';
import { readLedger } from '../state/ledger-read.ts';
import { prove, survivorsOf } from './proof.ts';
import type { RecordedJob, RecordedState } from './state-files.ts';
import { readStateFiles } from './read-files.ts';

/** A unit while no supervisor looks after it. */
export interface RestingUnit {
  readonly spec: ServiceSpec;
  /** Provably its process. */
  readonly process: ProcessIdentity | null;
  /** A living process that may be it and cannot be proven to be: its pid and why not. */
  readonly suspect: { readonly pid: number; readonly why: string } | null;
  readonly recorded: RecordedState | null;
  readonly job: RecordedJob | null;
}

export interface AtRest {
  readonly units: readonly RestingUnit[];
  /** Recorded under hashes and names that are not configured. */
  readonly strangers: readonly { readonly hash: string; readonly recorded: RecordedState }[];
}

export interface AtRestInput {
  readonly stateDir: string;
  readonly ledger: string;
  readonly specs: readonly ServiceSpec[];
  readonly environment: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly onProblem: (text: string) => void;
}

/** What ledger, files and kernel say of the units when there is no supervisor to ask. Changes nothing. */
export function lookAtRest({ stateDir, ledger, specs, environment, uid, onProblem }: AtRestInput): AtRest {
  const files = readStateFiles(stateDir, { onProblem, quarantine: false });
  const { entries } = readLedger(ledger, { onProblem, quarantine: false });
  const units = specs.map((spec): RestingUnit => {
    const owned = entries.get(spec.name)?.record.process ?? null;
    const shown = { spec, recorded: files.state?.get(spec.hash) ?? null, job: spec.cron === null ? null : (files.cron?.get(spec.hash) ?? null) };
    if (owned?.identity != null && isAlive(owned.identity)) return { ...shown, process: owned.identity, suspect: null };
    const pid = files.pid?.services.get(spec.name);
    const proof = pid === undefined ? null : prove({ pid, spec, writtenWallMs: files.pidWrittenWallMs, environment, uid });
    if (pid === undefined || proof?.ok === true) return { ...shown, process: proof?.ok === true ? proof.identity : null, suspect: null };
    const [left] = survivorsOf(files, spec.name, pid, uid);
    const why = proof?.plausible === true ? proof.why : `the leader of its group, pid ${pid}, is dead`;
    return { ...shown, process: null, suspect: proof?.plausible === true ? { pid, why } : left === undefined ? null : { pid: left.identity.pid, why } };
  });
  const configured = new Set(specs.map(({ hash }) => hash));
  const strangers = [...(files.state ?? [])].filter(([hash]) => !configured.has(hash)).map(([hash, recorded]) => ({ hash, recorded }));
  return { units, strangers };
}
