import type { ProcessIdentity } from '../../machines/types.ts';
import type { UnitStatus } from '../wire/payloads.ts';
import { processFacts, uptimeOf } from './process-facts.ts';

/** A process that pid.xml names as a service that nobody knows: its name stands for its hash as with systemg 0.33.0. `process` null: it has ended. */
export function orphanStatus({ name, pid, process }: { readonly name: string; readonly pid: number; readonly process: ProcessIdentity | null }, nowWallMs: number): UnitStatus {
  const facts = process === null ? null : processFacts(process.pid, process.startTime);
  const [state, uptime] = [facts?.state ?? 'missing', uptimeOf(facts, nowWallMs)];
  return {
    name, hash: name, kind: 'orphaned', health: state === 'running' ? 'healthy' : 'failing', process: { pid: process?.pid ?? pid, state, user: facts?.user ?? '' },
    ...(uptime !== null && { uptime }), ...(facts?.commandLine != null && { runtime_command: facts.commandLine }),
  };
}
