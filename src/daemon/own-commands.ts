import type { OwnedProcess } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import type { Caller } from '../control/tickets.ts';
import type { Peer } from '../process/peer.ts';
import { runningCommands, type RunningCommand } from '../process/run-command.ts';
import type { ProcessTable } from '../process/scan.ts';
import { belonging } from '../process/tree.ts';

export interface CallerOutside {
  views(): readonly UnitView[];
  /** The process that sent the request; null where that cannot be known. */
  peer(): Promise<Peer | null>;
  /** Every process there is, with its tokens. */
  scan(): Promise<ProcessTable>;
}

/**
 * Which unit a request comes from, when the unit itself may be waiting for the process that sent the request: a hook, a check, a preparation, or a service
 * that is not ready yet. Null: nothing waits for the sender, or nobody can say who the sender is. Nobody is asked while no such process runs.
 */
export async function findCaller({ views, peer, scan }: CallerOutside): Promise<Caller | null> {
  const candidates = [...runningCommands().map((command) => ({ ...command, isService: false })), ...views().flatMap(startingProcesses)];
  if (candidates.length === 0) return null;
  const sender = await peer();
  if (sender === null) return null;
  const table = await scan();
  const { pid, startTime } = sender.identity;
  const found = candidates.find((candidate) => belonging(table, candidate, false).some((process) => process.pid === pid && process.startTime === startTime));
  return found === undefined ? null : { unit: found.unit, isService: found.isService };
}

/** Of a unit and of the candidate that is to replace it: what prepares the start, and the service until it is ready. */
function startingProcesses({ spec, phase, process, rollout }: UnitView): readonly (RunningCommand & Caller)[] {
  const instances: readonly { phase: string; process: OwnedProcess | null }[] = rollout === null ? [{ phase, process }] : [{ phase, process }, rollout];
  return instances.flatMap(({ phase: its, process: owned }) => (owned?.identity == null || its !== 'starting'
    ? []
    : [{ unit: spec.name, isService: owned.role === 'main', leader: owned.identity, token: owned.token, known: new Map() }]));
}
