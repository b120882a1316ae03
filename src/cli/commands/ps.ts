import { setTimeout as pause } from 'node:timers/promises';
import type { UnitHealth } from '../../wire/payloads.ts';
import { shownConfigPath } from '../../config-path.ts';
import { refusals } from '../../errors.ts';
import { askStatus } from '../ask.ts';
import { lookOf, type Call } from '../call.ts';
import { everySupervisor, projectName } from '../every-supervisor.ts';
import { configInUse, supervisorPid } from '../hints.ts';
import { options } from '../options.ts';
import { palette } from '../print/palette.ts';
import { table, type Column } from '../print/table.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { status } from './status.ts';

/** One supervisor of the user. `pid` null: it died, or does not answer, which `problem` says. */
interface Listed {
  readonly project: string | null;
  readonly config: string | null;
  readonly pid: number | null;
  readonly units: number;
  readonly running: number;
  readonly health: UnitHealth;
  readonly problem: string | null;
}

/** `status`; with `--all` the supervisors of the user, with or without a project. The exit code is the worst health, 3 when none runs. */
export async function ps(call: Call): Promise<number> {
  if (!call.flags.has(options.every)) return status(call);
  const found = await Promise.all(everySupervisor(call).map(listed));
  const { terminal, flags } = call;
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else if (found.length === 0) terminal.print('No supervisor is running.');
  else for (const line of table(columns(call), found, terminal.columns)) terminal.print(line);
  for (const { problem } of found) if (problem !== null) terminal.complain(`sysg: ${problem}`);
  return found.some(({ pid }) => pid !== null) ? Math.max(...found.map(({ health }) => healthExitCode(health))) : NOT_SUPERVISED;
}

async function listed(call: Call): Promise<Listed> {
  const answer = await Promise.race([askStatus(call), pause(PATIENCE_MS, null, { ref: false })]);
  const known = { project: call.paths.project, config: configInUse(call) };
  if (answer?.ok === true) {
    const units = answer.snapshot.units.filter(({ kind }) => kind !== 'orphaned');
    return { ...known, pid: supervisorPid(call), units: units.length, running: units.filter(({ process }) => process !== undefined).length, health: answer.snapshot.overall_health, problem: null };
  }
  const { message } = answer?.refusal ?? refusals.unresponsive(`the supervisor (pid ${supervisorPid(call) ?? 'unknown'}) does not answer; see sysg doctor`);
  return { ...known, pid: null, units: 0, running: 0, health: 'degraded', problem: `${projectName(call)}: ${message}` };
}

/** A busy machine may take longer than a moment. */
const PATIENCE_MS = 5000;

function columns(call: Call): readonly Column<Listed>[] {
  const paint = palette(lookOf(call).color);
  return [
    { title: 'PROJECT', align: 'left', cell: ({ project }) => ({ text: project ?? '-' }) },
    { title: 'PID', align: 'right', cell: ({ pid }) => ({ text: pid === null ? '-' : String(pid) }) },
    { title: 'UNITS', align: 'left', cell: ({ pid, units, running }) => ({ text: pid === null ? '-' : `${units} (${running} running)` }) },
    { title: 'HEALTH', align: 'left', cell: ({ pid, health }) => (pid === null ? { text: 'no supervisor', paint: paint.failure } : { text: health, paint: paint.health(health) }) },
    { title: 'FILE', align: 'left', cell: ({ config }) => ({ text: config === null ? '-' : shownConfigPath(config) }) },
  ];
}
