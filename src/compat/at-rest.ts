import type { ProcessIdentity, ServiceSpec } from '../../machines/types.ts';
import { isAlive } from '../process/identity.ts';
import { readLedger } from '../state/ledger-read.ts';
import { prove, survivorsOf } from './proof.ts';
import type { RecordedJob, RecordedState } from './state-files.ts';
import { readStateFiles, type StateFiles } from './read-files.ts';

/** A unit while no supervisor looks after it. */
export interface RestingUnit {
  readonly spec: ServiceSpec;
  /** Provably its process. */
  readonly process: { readonly identity: ProcessIdentity; readonly token: string } | null;
  /** A living process that may be it and cannot be proven to be: its pid and why not. */
  readonly suspect: { readonly pid: number; readonly why: string } | null;
  readonly recorded: RecordedState | null;
  readonly job: RecordedJob | null;
}

export interface AtRest {
  readonly units: readonly RestingUnit[];
  /** Recorded under hashes and names that are not configured. */
  readonly strangers: readonly { readonly hash: string; readonly recorded: RecordedState }[];
  readonly files: StateFiles;
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
    if (owned?.identity != null && isAlive(owned.identity)) return { ...shown, process: { identity: owned.identity, token: owned.token }, suspect: null };
    const pid = files.pid?.services.get(spec.name);
    const proof = pid === undefined ? null : prove({ pid, spec, writtenWallMs: files.pidWrittenWallMs, environment, uid });
    const claim = { uid, writtenWallMs: files.pidWrittenWallMs };
    const left = pid === undefined || proof?.ok === true ? undefined : survivorsOf(files.pid?.groups.get(spec.name) ?? pid, claim)[0];
    return {
      ...shown,
      // Nobody holds this token.
      process: proof?.ok === true ? { identity: proof.identity, token: `resting-${proof.identity.pid}-${proof.identity.startTime}` } : null,
      suspect: pid !== undefined && proof?.ok === false && proof.plausible ? { pid, why: proof.why }
        : left === undefined ? null : { pid: left.identity.pid, why: `the leader of its group, pid ${pid}, is dead` },
    };
  });
  const configured = new Set(specs.map(({ hash }) => hash));
  const strangers = [...(files.state ?? [])].filter(([hash]) => !configured.has(hash)).map(([hash, recorded]) => ({ hash, recorded }));
  return { units, strangers, files };
}

