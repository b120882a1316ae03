import type { ProcessIdentity } from '../../machines/types.ts';
import type { ProcessTable, ScannedProcess } from '../process/scan.ts';
import { isLiving } from '../process/proc.ts';
import { belonging } from '../process/tree.ts';

/** The living process of a service, from which its tree grows. */
export interface ServiceTree {
  readonly unit: string;
  readonly dynamic: boolean;
  readonly generation: number;
  readonly leader: ProcessIdentity;
  readonly token: string;
}

/** A living spawned child. */
export interface ChildTree {
  readonly child: string;
  readonly leader: ProcessIdentity;
  readonly token: string;
}

export interface Claim {
  /** Every process there is, with its tokens. */
  readonly table: ProcessTable;
  /** False where no environment can be read: then groups, sessions and parents decide whose a process is. */
  readonly tokensReadable: boolean;
  readonly services: readonly ServiceTree[];
  readonly children: readonly ChildTree[];
  /** The client; null: it cannot be identified. */
  readonly peer: { readonly identity: ProcessIdentity; readonly uid: number } | null;
  /** Of the supervisor. */
  readonly uid: number;
  readonly parentPid: number;
}

export type Authority =
  /** `parent`: the spawned child in whose tree the parent is; null: in the service's own. */
  | { readonly ok: true; readonly service: ServiceTree; readonly parent: string | null }
  | { readonly ok: false; readonly error: string };

/**
 * Whether a client may have a child spawned for a process. A client inside a unit's tree may name any process of that tree; any other client of the
 * owner's uid or root any process inside a dynamic unit's tree. Where the client cannot be identified, the parent must hold a dynamic unit's token.
 */
export function authorise(claim: Claim): Authority {
  const { table, services, children, peer, parentPid } = claim;
  const parent = table.get(parentPid);
  if (parent === undefined || !isLiving(parent)) return refuse(`there is no process ${parentPid}`);
  const home = peer === null ? null : services.find((tree) => holds(table, tree, peer.identity)) ?? null;
  if (peer !== null && home === null && peer.uid !== 0 && peer.uid !== claim.uid) return refuse(`uid ${peer.uid} may not ask`);
  const service = services.find((tree) => (home === null || tree === home) && isIn(claim, tree, parent));
  if (service === undefined) {
    return refuse(home === null ? `process ${parentPid} is not in the tree of a service` : `process ${parentPid} is not in the tree of service '${home.unit}', as the client is`);
  }
  if (!service.dynamic) return refuse(`service '${service.unit}' has no spawn.mode: dynamic`);
  return { ok: true, service, parent: children.find((child) => members(table, child).has(parent))?.child ?? null };
}

/** 0.33.0's text, and why. */
function refuse(why: string): Authority {
  return { ok: false, error: `Spawn authorization failed: No spawn tree found for process (${why})` };
}

function isIn({ table, tokensReadable, peer }: Claim, tree: ServiceTree, parent: ScannedProcess): boolean {
  return peer === null && tokensReadable ? parent.tokens?.includes(tree.token) === true : members(table, tree).has(parent);
}

function holds(table: ProcessTable, tree: ServiceTree, { pid, startTime }: ProcessIdentity): boolean {
  const process = table.get(pid);
  return process !== undefined && process.startTime === startTime && members(table, tree).has(process);
}

function members(table: ProcessTable, { leader, token }: Pick<ServiceTree, 'leader' | 'token'>): ReadonlySet<ScannedProcess> {
  return new Set(belonging(table, { leader, token, known: new Map() }, false));
}
