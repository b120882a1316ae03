import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { UnitHealth } from '../../wire/payloads.ts';
import { shownConfigPath } from '../../config-path.ts';
import { refusals, type Result } from '../../errors.ts';
import { readText } from '../../config/source-file.ts';
import { callOn } from '../remote.ts';
import { verbs } from '../verbs.ts';
import { askStatus } from '../ask.ts';
import { lookOf, type Call } from '../call.ts';
import { configInUse, supervisorPid } from '../config-choice.ts';
import { everySupervisor, projectName } from '../every-supervisor.ts';
import { globals, options, type Flags, type OptionSpec } from '../options.ts';
import { palette } from '../print/palette.ts';
import { table, type Column } from '../print/table.ts';
import { healthExitCode, NOT_SUPERVISED } from '../print/unit.ts';
import { status } from './status.ts';

/** One supervisor of the user. `pid` null: it died, or does not answer, which `problem` says. */
interface Listed {
  /** The machine, with --hosts. */
  readonly host?: string;
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
  const file = call.flags.text(options.hosts);
  if (file === null && !call.flags.has(options.every)) return status(call);
  const other = file === null ? null : [options.every, options.host].find((option) => call.flags.has(option));
  if (other != null) return call.terminal.refuse(refusals.usage(`--hosts and --${other.name} exclude each other: expected one of them`));
  const hosts = file === null ? null : readHosts(resolve(call.cwd, file));
  if (hosts?.ok === false) return call.terminal.refuse(hosts.refusal);
  const found = await Promise.all(hosts === null ? everySupervisor(call).map(listed) : hosts.hosts.map((host) => listedOn(call, host)));
  const { terminal, flags } = call;
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else if (found.length === 0) terminal.print('No supervisor is running.');
  else for (const line of table([...(hosts === null ? [] : [hostColumn]), ...columns(call)], found, terminal.columns)) terminal.print(line);
  for (const { host, problem } of found) if (problem !== null) terminal.complain(`sysg: ${host === undefined || problem.includes(host) ? '' : `${host}: `}${problem}`);
  return found.some(({ pid }) => pid !== null) ? Math.max(...found.map(({ health }) => healthExitCode(health))) : NOT_SUPERVISED;
}

const hostColumn: Column<Listed> = { title: 'HOST', align: 'left', cell: ({ host = '' }) => ({ text: host }) };

/** One machine a line, blank lines and what follows a # left out. */
function readHosts(path: string): Result<{ readonly hosts: readonly string[] }> {
  const read = readText(path, 'Failed to read the file of hosts');
  if (!read.ok) return { ok: false, refusal: refusals.config(read.message) };
  const lines = read.text.split('\n').map((line) => line.replace(/(^|\s)#.*/, '').trim());
  const wrong = lines.findIndex((line) => /\s|^-/.test(line));
  if (wrong !== -1) return { ok: false, refusal: refusals.config(`${path}:${wrong + 1}: expected one machine as ssh knows it, such as user@machine, got ${JSON.stringify(lines[wrong])}`) };
  const hosts = [...new Set(lines.filter((line) => line !== ''))];
  return hosts.length > 0 ? { ok: true, hosts } : { ok: false, refusal: refusals.config(`${path}: expected one machine a line, found none`) };
}

/** Nobody is asked for a password: several would ask at the same time. */
async function listedOn(call: Call, host: string): Promise<Listed> {
  const { system, env, cwd, flags, terminal, operands } = call;
  const ps = verbs.find(({ name }) => name === 'ps');
  if (ps === undefined) throw new Error('there is no command ps');
  const remote = await callOn(host, { verb: ps, flags: onlyOf(flags), operands, command: null, isBare: false }, { env, cwd, uid: system ? 0 : 1, terminal, systemStateDir: '' }, false);
  if (!remote.ok) return { host, project: null, config: null, pid: null, units: 0, running: 0, health: 'degraded', problem: remote.refusal.message };
  try {
    return { host, ...await listed(remote.call) };
  } finally {
    remote.close();
  }
}

/** The choice of a supervisor is the same on each machine. */
function onlyOf(flags: Flags): Flags {
  const isChoice = ({ name }: OptionSpec): boolean => name === options.sys.name || name === globals.project.name;
  return { has: (option) => isChoice(option) && flags.has(option), text: (option) => (isChoice(option) ? flags.text(option) : null), texts: (option) => (isChoice(option) ? flags.texts(option) : []) };
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
