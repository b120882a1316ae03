import type { PrivilegeSpec } from '../../machines/types.ts';
import { unconfigured, type Confinement } from './privileges.ts';
import { limitIn, resources } from './limits.ts';
import { makeSlots } from './throttle.ts';
import { statFields, statusField } from './proc.ts';
import { collect, findTool } from './tools.ts';
import { numbersIn } from '../words.ts';

export interface RehearsalRequest {
  readonly service: string;
  readonly confinement: Confinement;
  readonly privileges: PrivilegeSpec;
  readonly workingDir: string;
  /** Of the program, as it will be looked up. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Goes the way of a start with a harmless program at its end, which looks for the real one with the rights that it would have and shows what the
 * kernel says of itself. Resolves to why the start must be refused, or to `null`. A tool that fails in a real start would look like a service that
 * ends with code 1, and nice(1) goes on without what was asked.
 */
export function rehearse(request: RehearsalRequest): Promise<string | null> {
  return inSlot(() => tryOut(request));
}

/** What of the privileges does not hold in a process, of the texts of its /proc/self/status, limits and stat one after the other. */
export function compare(privileges: PrivilegeSpec, { credentials }: Pick<Confinement, 'credentials'>, facts: string): string | null {
  const field = (name: string) => statusField(facts, name);
  const { limits, capabilities, isolation, sandbox } = privileges;
  if (credentials !== null) {
    const { uid, gid, groups } = credentials;
    if (uid !== null && field('Uid') !== four(uid)) return `it would run with the user ids ${field('Uid')} instead of ${uid}`;
    if (gid !== null && field('Gid') !== four(gid)) return `it would run with the group ids ${field('Gid')} instead of ${gid}`;
    const held = words(field('Groups')).map(Number).toSorted(byNumber);
    // Groups that a user namespace does not map are shown as another one there.
    if (!isolation.user && held.join() !== [...groups].toSorted(byNumber).join()) return `it would be in the groups ${held.join(', ')} instead of ${groups.join(', ')}`;
  }
  if ((capabilities.length > 0 || sandbox?.noNewPrivileges === true) && field('NoNewPrivs') !== '1') return 'it could gain privileges from setuid programs';
  if (capabilities.length > 0) {
    const count = new Set(capabilities).size;
    const missing = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].find((set) => bits(field(set)) !== count);
    if (missing !== undefined) return `not all of the capabilities ${capabilities.join(', ')} can be given: the supervisor's own bounding set may lack one (${missing} would be ${field(missing)})`;
  } else if (credentials?.uid != null && credentials.uid !== 0 && bits(field('CapEff')) !== 0) return `it would keep the capabilities ${field('CapEff')}`;
  for (const name of resources) {
    const wanted = limits[name];
    if (wanted === undefined) continue;
    const found = limitIn(facts, name);
    if (found?.soft !== (wanted ?? Infinity) || found.hard !== (wanted ?? Infinity)) return `limits.${name} would be ${found?.soft ?? 'unknown'} instead of ${wanted ?? 'unlimited'}`;
  }
  const niceness = nicenessIn(facts);
  if (limits.nice !== undefined && niceness !== limits.nice) return `limits.nice would be ${niceness} instead of ${limits.nice}`;
  const allowed = numbersIn(field('Cpus_allowed_list') ?? '');
  if (limits.cpuAffinity !== undefined && !(allowed.length > 0 && allowed.every((cpu) => limits.cpuAffinity?.includes(cpu)))) {
    return `limits.cpu_affinity would be ${allowed.join(',')} instead of ${limits.cpuAffinity.join(',')}`;
  }
  return null;
}

const patienceMs = 10_000;
// A thousand units may be started at once.
const inSlot = makeSlots(8);

// As execvp(3): the first executable file on PATH. The words are 1: cat, 2: the working directory, 3: the program.
const script = `
cd "$2" 2>/dev/null || { echo no-dir; exit 0; }
found=
case $3 in
*/*) [ -f "$3" ] && [ -x "$3" ] && found=1 ;;
*) set -f; IFS=:
   for directory in \${PATH:-/bin:/usr/bin}; do [ -f "\${directory:-.}/$3" ] && [ -x "\${directory:-.}/$3" ] && { found=1; break; }; done ;;
esac
[ -n "$found" ] || { echo no-program; exit 0; }
exec "$1" /proc/self/status /proc/self/limits /proc/self/stat`;

async function tryOut(request: RehearsalRequest): Promise<string | null> {
  const { service, confinement, workingDir, name, environment } = request;
  const cat = findTool('cat', 'checking privileges needs', undefined);
  if (!cat.ok) return unconfigured(service, cat.reason);
  const [tool = '/bin/sh', ...words] = [...confinement.prefix, '/bin/sh', '-c', script, 'sh', cat.path, workingDir, name];
  const ended = await collect(tool, words, { cwd: workingDir, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'], limitMs: patienceMs });
  if (ended instanceof Error) return unconfigured(service, `they could not be tried out: ${ended.message}`);
  return judge(request, ended.code ?? ended.signal, ended.output, ended.complaint.trim());
}

function judge({ service, confinement, privileges, workingDir, name, environment }: RehearsalRequest, end: number | string | null, facts: string, complaint: string): string | null {
  const account = confinement.credentials?.account ?? null;
  const who = account === null ? `with the rights of service '${service}'` : `by user '${account.name}'`;
  if (facts === 'no-dir\n') return `working directory "${workingDir}" cannot be entered ${who}`;
  if (facts === 'no-program\n') {
    return name.includes('/') ? `program "${name}" cannot be executed ${who}` : `program "${name}" was not found on PATH (${environment['PATH'] ?? ''}) ${who}`;
  }
  const [said = `the tools ended with ${end}`] = complaint.split('\n').filter((line) => line !== '');
  if (end !== 0) {
    const { cpuAffinity } = privileges.limits;
    return unconfigured(service, cpuAffinity !== undefined && said.startsWith('taskset:') ? `limits.cpu_affinity is [${cpuAffinity.join(', ')}], and this machine gives it none of these CPUs (${said})` : said);
  }
  const difference = compare(privileges, confinement, facts);
  if (difference === null) return null;
  return unconfigured(service, complaint === '' ? difference : `${difference}: ${said}`);
}

function nicenessIn(facts: string): number {
  return Number(statFields(facts.trimEnd().split('\n').at(-1) ?? '')?.(19) ?? NaN);
}

function four(id: number): string {
  return [id, id, id, id].join('\t');
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

function bits(hexadecimal: string | undefined): number {
  return hexadecimal === undefined ? NaN : BigInt(`0x${hexadecimal}`).toString(2).replaceAll('0', '').length;
}

function byNumber(one: number, other: number): number {
  return one - other;
}
