import type { ChildRecord, ServiceSpec } from '../../machines/types.ts';
import type { StateFiles } from '../compat/read-files.ts';
import { rememberCgroups, removeEmptyCgroups } from '../process/cgroup.ts';
import { sweep, sweepsEnded } from '../process/end-process.ts';
import { removeEmptyMarks } from '../process/marks.ts';
import { commandsEnded } from '../process/run-command.ts';
import type { Ledger } from '../state/ledger.ts';
import { openSwitches } from '../state/notes.ts';
import { removeRuntimeFiles } from '../state/runtime.ts';
import type { Found } from './found.ts';
import { openOutputs } from './outputs.ts';
import { keepRecords } from './records.ts';
import { forgetConfig } from './last-config.ts';
import type { Setting } from './setting.ts';
import { openUnits } from './units.ts';

/** Units under the machines, with their output and their records; for the holder of the lock. */
export type Supervision = ReturnType<typeof openSupervision>;

/** How long hooks may hold up the end. */
export const HOOKS_MS = 5000;
/** How long what escaped from services may take to end; a bit more than the default stop_timeout. */
const SWEEP_MS = 12_000;
/** The default of stop_timeout. */
const STRAY_GRACE_MS = 10_000;

/** The note of the control groups that were made: a group has the name of a definition, which may be gone when its supervisor is killed. */
const CGROUPS_NOTE = 'cgroups';

/** Joins the parts. Nothing moves before `takeUp`. `others`: the files of systemg 0.33.0, whose entries about units that are not among `specs` are kept. */
export function openSupervision(setting: Setting, specs: readonly ServiceSpec[], found: Found, ledger: Ledger, others: StateFiles | null = null) {
  const outputs = openOutputs(setting);
  outputs.prepare([...specs, ...found.leaving]);
  rememberCgroups(specs, ledger.meta.get(CGROUPS_NOTE), (directories) => ledger.note(CGROUPS_NOTE, directories));
  const units = openUnits(setting, specs, found, ledger, outputs);
  return { ledger, found, outputs, units, records: keepRecords(setting, ledger, units, outputs, found.taken, others) };
}

/** Starts the root and hands it what earlier supervisors left. */
export function takeUp(setting: Setting, { units: { root, send }, found, ledger }: Supervision): void {
  const { clock, onProblem } = setting;
  root.start();
  send({
    type: 'boot', at: clock.now(), adopt: [...found.adopt, ...found.departed], start: [], switches: openSwitches(ledger, onProblem),
    children: found.children.map((record) => ({ record, alive: true })),
  });
  for (const record of found.strays) endStray(record, setting);
}

/** Waits, within limits, for what may outlast the units: hooks, processes that escaped, output that has not reached the files. */
export async function seeOut({ onProblem }: Setting, { units, outputs: { logs, childLogs } }: Supervision): Promise<void> {
  await Promise.all([units.hooks.finish(HOOKS_MS).then(commandsEnded), Promise.race([sweepsEnded(), pause(SWEEP_MS)])]);
  await logs.end();
  childLogs.drain();
  childLogs.close();
  removeEmptyMarks();
  const problem = removeEmptyCgroups();
  if (problem !== null) onProblem(problem);
}

/** Removes what nobody needs after a clean end: the files through which a supervisor is found, and the configuration for its successor. */
export function removeTraces({ paths, onProblem }: Setting): void {
  for (const problem of [removeRuntimeFiles(paths), forgetConfig(paths.stateDir)]) if (problem !== null) onProblem(problem);
}

export function closeBooks({ ledger, records }: Pick<Supervision, 'ledger' | 'records'>): void {
  ledger.close();
  records.journal.close();
}

/** Ends a spawned child, and what came from it, whose service has ended while no supervisor watched. */
function endStray({ identity, token, order }: ChildRecord, { clock, onProblem }: Setting): void {
  if (identity === null) return;
  onProblem(`spawned child '${order.name}' (pid ${identity.pid}) of service '${order.unit}' is ended: its service ended while no supervisor ran`);
  sweep({ clock, leader: identity, token, signal: 'SIGTERM', graceMs: STRAY_GRACE_MS, onProblem });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
