// What holds after every step that has come to rest, of the processes, the files and the answers. docs/invariants.md says the same of the machines.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isSupervisor, processes } from './world.mjs';
import { BUDGET, NAMES, STEADY } from './units.mjs';

/** What a unit that is wanted is at rest. */
const RESTING = { flaps: ['running', 'backoff', 'starting'], spent: ['failed'], once: ['stopped'], waits: ['backoff'], tick: ['waiting', 'running', 'starting', 'stopping'] };

/** Why the world is not at rest as it should be, as sentences. `wanted`: of each unit the set of what it may want. */
export function unrest(status, wanted) {
  if (status === null) return ['the supervisor does not answer'];
  const problems = [];
  const table = processes();
  const units = new Map(status.units.map((unit) => [unit.name, unit]));
  const isDown = (name) => units.get(name)?.wanted !== 'up';
  for (const name of NAMES) {
    const unit = units.get(name);
    const wants = unit === undefined ? 'absent' : unit.wanted;
    if (!wanted.get(name).has(wants)) problems.push(`${name} is wanted ${wants}, the last accepted command says ${[...wanted.get(name)].join(' or ')}`);
    if (unit === undefined) continue;
    const { phase } = unit;
    if (unit.rollout !== undefined) problems.push(`${name} is being replaced`);
    // A one-shot that ran when its supervisor was killed counts as interrupted: nobody saw how it ended.
    const expected = name === 'once' && unit.reason === 'interrupted' ? ['failed'] : RESTING[name] ?? ['running'];
    if (wants === 'up' && !expected.includes(phase) && !(name === 'after' && isDown('talk'))) problems.push(`${name} is ${phase} and wanted up (${JSON.stringify({ reason: unit.reason, restarts: unit.restarts, generation: unit.generation, exit: unit.last_exit })})`);
    if (wants === 'down' && phase !== (name === 'tick' ? 'waiting' : 'stopped')) problems.push(`${name} is ${phase} and wanted down`);
    if (phase === 'running' && table.get(unit.process?.pid)?.isZombie !== false && STEADY.includes(name)) problems.push(`${name} runs as pid ${unit.process?.pid}, which is none`);
    if (name === 'spent' && unit.restarts > BUDGET) problems.push(`spent was restarted ${unit.restarts} times, its budget is ${BUDGET}`);
  }
  for (const row of table.values()) {
    if (row.isZombie || row.unit === null) continue;
    const leader = units.get(row.unit)?.process?.pid;
    const isOf = leader !== undefined && table.get(leader)?.instance === row.instance;
    // What comes and goes is looked at where it stays.
    if (!isOf && !['flaps', 'spent', 'once', 'waits', 'tick'].includes(row.unit)) {
      problems.push(`pid ${row.pid} (${row.argv.join(' ')}) of ${row.unit} is nobody's: the unit's process is ${leader ?? 'none'}`);
    }
    if (!isOf && isDown(row.unit)) problems.push(`pid ${row.pid} (${row.argv.join(' ')}) of ${row.unit} lives, which is to be down`);
  }
  const supervisors = [...table.values()].filter(isSupervisor);
  if (supervisors.length !== 1) problems.push(`${supervisors.length} supervisors live`);
  const zombie = [...table.values()].find(({ isZombie, ppid }) => isZombie && supervisors.some(({ pid }) => pid === ppid));
  if (zombie !== undefined) problems.push(`pid ${zombie.pid} is a zombie of the supervisor's`);
  return problems;
}

/** Of each steady unit the instance that runs, and the slot it runs in. */
export function instances(status) {
  const table = processes();
  return new Map((status?.units ?? []).filter(({ name, process }) => STEADY.includes(name) && process !== undefined)
    .map(({ name, process }) => [name, table.get(process.pid)?.instance ?? null]));
}

/** What the files say, apart from the logs of services. `torn`: lines that a power cut has left, which may be one in each file after each. */
export function badFiles(world, torn, mayBeTorn) {
  const problems = [];
  const readable = (file, line) => {
    const value = parsed(line);
    if (value === null && mayBeTorn) torn.add(line);
    if (value === null && !torn.has(line)) problems.push(`the ${file} has the line ${JSON.stringify(line.slice(0, 120))}`);
    return value;
  };
  const log = textOf(join(world.logs, 'supervisor.log'));
  const trace = /^.*(internal error|Supervisor exited with error|MaxListenersExceeded|^ {4}at ).*$/m.exec(log);
  if (trace !== null) problems.push(`the supervisor's log says: ${trace[0]}`);
  let last = 0;
  for (const line of textOf(join(world.state, 'journal.ndjson')).split('\n').slice(0, -1)) {
    const seq = readable('journal', line)?.seq;
    if (seq !== undefined && seq <= last) problems.push(`the journal goes from ${last} to ${seq}`);
    last = seq ?? last;
  }
  for (const line of textOf(join(world.state, 'ledger.ndjson')).split('\n').slice(0, -1)) readable('ledger', line);
  return problems;
}

/** The slot that traffic goes to is the one of the process that runs. */
export function wrongSlot(world, status) {
  const unit = status.units.find(({ name }) => name === 'blue');
  const slot = processes().get(unit?.process?.pid)?.slot;
  const active = textOf(join(world.dir, 'active')).trim() || 'one';
  return slot !== undefined && slot !== active ? [`blue runs in slot ${slot}, traffic goes to ${active}`] : [];
}

/** Whether the switch command could not put the traffic back, as on a full disk, since `blue` was replaced last: that is on record, and nobody has put it back since. */
export async function couldNotSwitchBack(world) {
  const { stdout } = await world.sysg(['events', 'blue', '--json', '--lines', '1000']);
  const results = stdout.split('\n').map(parsed).filter((record) => record?.event === 'rollout' && record.detail?.result !== undefined);
  return results.slice(results.findLastIndex(({ detail }) => detail.result === 'replaced') + 1).some(({ detail }) => detail.reason?.includes('could not be switched back'));
}

/** What belongs to the unit with a control group is in there; without a supervisor no group is left. */
export function strayGroups(world, isRunning) {
  if (world.groups.cgroup2 === undefined) return [];
  const place = join(world.groups.cgroup2, 'units');
  if (!isRunning) return existsSync(place) ? readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => `the control group ${name} is left`) : [];
  return [...processes().values()].filter(({ unit, isZombie }) => unit === 'grouped' && !isZombie)
    .filter(({ pid }) => !/^0::\/units\//m.test(textOf(`/proc/${pid}/cgroup`))).map(({ pid, argv }) => `pid ${pid} (${argv.join(' ')}) is not in the control group of grouped`);
}

export function launchesOf(world, name) {
  return textOf(join(world.said, 'launches')).split('\n').filter((line) => line.startsWith(`${name} `)).map((line) => line.split(' ')[1]);
}

/**
 * Of the launches of a unit those of which a supervisor that was killed has not noted that they were made: the record that a start is ordered is written
 * before the process is made, the one with its pid after that. Where the process has ended by then too, the next supervisor finds nothing of it, and
 * starts it again: twice rather than never, without counting it as a restart.
 */
export function unnotedLaunches(world, name) {
  let isOrdered = false;
  let count = 0;
  for (const line of ['journal.1.ndjson', 'journal.ndjson'].flatMap((file) => textOf(join(world.state, file)).split('\n'))) {
    const { unit, event, to } = line.includes(`"${name}"`) ? parsed(line) ?? {} : {};
    if (unit !== name || event === 'request') continue;
    if (event === 'adopt' && to === 'spawning' && isOrdered) count += 1;
    isOrdered = to === 'spawning';
  }
  return count;
}

function textOf(path) {
  try {
    // A FIFO would keep the reader.
    return statSync(path).isFIFO() ? '' : readFileSync(path, 'utf8');
  } catch {
    // No such file, or its process ended meanwhile.
    return '';
  }
}

function parsed(line) {
  try {
    return JSON.parse(line);
  } catch {
    // Not JSON: the caller says which line.
    return null;
  }
}
