import { phaseOf } from '../../machines/unit.ts';
import type { UnitRecord } from '../../machines/types.ts';
import type { UnitStatus } from '../wire/payloads.ts';
import { journalFiles } from '../journal/read.ts';
import { counted } from '../words.ts';
import { agrees, disagrees, entryOf, isBehind, liveUnits, settledUnits, unwritten, type Facts, type Finding } from './facts.ts';

/** Ledger and journal: whether they can be read, and say of each unit what the supervisor's actors say. */
export function checkRecords(facts: Facts): readonly Finding[] {
  const areBehind = [facts.paths.ledger, journalFiles(facts.paths.stateDir).current].some((path) => isBehind(facts, path));
  return [
    ...checkWriting(facts), checkLedger(facts), checkJournal(facts),
    ...liveUnits(facts).map((unit) => {
      const why = areBehind ? 'it is ahead of the files' : facts.moving.has(unit.name) ? 'it has just changed' : null;
      return why === null ? checkActor(facts, unit) : agrees(`unit ${unit.name}`, `${summary(unit)}; ${why} and is not compared`);
    }),
  ];
}

/** What the supervisor has to write and the disk does not take. */
function checkWriting(facts: Facts): readonly Finding[] {
  if (facts.lock.state !== 'held' || facts.serving.kind !== 'answers') return [];
  const behind = unwritten(facts);
  if (behind.length === 0) return [agrees('writing', 'the disk takes what the supervisor writes')];
  return [disagrees('writing', behind.join('; '), 'a disk that takes what the supervisor writes',
    'Free space on it, mount it writable again, or move away what is said to be in the way; until then services go on, and a supervisor that dies may forget what changed meanwhile.')];
}

function checkLedger(facts: Facts): Finding {
  const { ledger, paths: { ledger: path }, owner } = facts;
  const say = (found: string, remedy: string): Finding => disagrees('ledger', found, 'a ledger with every unit, for recovery', remedy);
  if (ledger.unreadable !== null) return say(ledger.unreadable, 'Repair the file before the next start, which would be refused.');
  if (ledger.problems.length > 0) return say(ledger.problems.join('; '), 'Nothing now: the next supervisor keeps a copy of the damaged file and goes on with the rest.');
  if (owner?.open != null && !owner.open.has(entryOf(facts, path).identity) && !isBehind(facts, path)) {
    return say(`${path} not to be the file that the supervisor writes to`, `Restart the supervisor with ${facts.command}stop and ${facts.command}start while it runs: only its memory has the list of its processes.`);
  }
  const known = counted(ledger.entries.size, 'unit');
  if (ledger.fresh) return agrees('ledger', 'none: nothing is to be recovered');
  if (facts.lock.state === 'held') return agrees('ledger', `${known}, every line sound`);
  return agrees('ledger', `${known}, every line sound; ${ledger.clean ? 'the last supervisor ended in order' : 'the last supervisor died'}`);
}

function checkJournal(facts: Facts): Finding {
  const { journal, owner, paths: { stateDir } } = facts;
  const torn = journal.torn === 0 ? '' : `, ${counted(journal.torn, 'line')} torn by supervisors that were killed`;
  const { current } = journalFiles(stateDir);
  const behind = settledUnits(facts).filter(({ name, last_event: seq }) => seq !== undefined && seq > (journal.newest.get(name)?.seq ?? 0));
  const [first] = behind;
  if (journal.problems.length > 0) {
    const more = journal.problems.length > 3 ? ` and ${journal.problems.length - 3} more` : '';
    return disagrees('journal', `${journal.problems.slice(0, 3).join('; ')}${more}`, 'one record a line, numbered without a gap',
      `Nothing depends on it but sysg why and sysg events: to begin anew move ${current} away while no supervisor runs.`);
  }
  if (first !== undefined && !isBehind(facts, current)) {
    return disagrees('journal',
      `record ${journal.newest.get(first.name)?.seq ?? 'none'} of ${first.name} to be the newest on disk${owner === null ? '' : ` in ${current}`}`,
      `record ${first.last_event}, of which Status speaks`,
      `See whether the disk was full or the file was taken away; the supervisor has the rest in memory: ${facts.command}events.`);
  }
  return agrees('journal', `${counted(journal.count, 'record')}, the newest is number ${journal.last}${torn}`);
}

/** What Status says of a unit against what the next supervisor would read in the ledger. */
function checkActor(facts: Facts, unit: UnitStatus): Finding {
  const record = facts.ledger.entries.get(unit.name)?.record;
  const check = `unit ${unit.name}`;
  const differences = [...differ(unit, record), ...differFromJournal(facts, unit, record), ...overdue(facts, unit)];
  if (differences.length === 0) return agrees(check, summary(unit));
  return disagrees(check, differences.map(({ found }) => found).join('; '), differences.map(({ expected }) => expected).join('; '),
    `See ${facts.command}why ${unit.name}; if it stays so: ${facts.command}restart -s ${unit.name}`);
}

interface Difference { readonly found: string; readonly expected: string }

function differ(unit: UnitStatus, record: UnitRecord | undefined): readonly Difference[] {
  const pid = unit.process?.pid ?? null;
  if (record === undefined) return pid === null ? [] : [{ found: 'nothing of it in the ledger', expected: `a record of pid ${pid}` }];
  const recorded = record.process?.role === 'main' ? (record.process.identity?.pid ?? null) : null;
  const pairs: readonly (readonly [what: string, ledger: unknown, actor: unknown])[] = [
    // A leader that ended keeps its place in the ledger until all of it is gone.
    ['pid', recorded, pid ?? (record.state === 'running' ? null : recorded)],
    ...(unit.kind === 'service' ? [['phase', phaseOf(record.state), unit.phase], ['wanted', record.wanted, unit.wanted], ['generation', record.generation, unit.generation]] as const : []),
  ];
  return pairs.filter(([, ledger, actor]) => ledger !== actor).map(([what, ledger, actor]) => ({ found: `${what} ${ledger ?? 'none'} in the ledger`, expected: `${what} ${actor ?? 'none'}, as its actor says` }));
}

/** Only where a unit comes to rest is a record certain: in a storm what lies between is left out. A rollout's record has no state. */
function differFromJournal({ journal }: Facts, unit: UnitStatus, record: UnitRecord | undefined): readonly Difference[] {
  const newest = journal.newest.get(unit.name);
  if (newest === undefined || record === undefined || unit.kind !== 'service' || !RESTS.has(record.state) || newest.seq !== unit.last_event || newest.to === undefined) return [];
  return newest.to === record.state ? [] : [{ found: `"${newest.to}" in the journal (record ${newest.seq})`, expected: `"${record.state}", as in the ledger` }];
}

function overdue({ nowWallMs }: Facts, unit: UnitStatus): readonly Difference[] {
  const lateMs = unit.next_at === undefined ? 0 : nowWallMs - Date.parse(unit.next_at);
  return lateMs > LATE_MS ? [{ found: `${unit.kind === 'cron' ? 'a run' : 'a try'} due ${Math.round(lateMs / 1000)} s ago`, expected: 'it to have begun' }] : [];
}

/** Longer than any timer is late on a machine that is merely busy. */
const LATE_MS = 30_000;
const RESTS: ReadonlySet<string> = new Set(['stopped', 'failed', 'running', 'backoff']);

function summary(unit: UnitStatus): string {
  const { lifecycle, phase = lifecycle ?? 'unknown', wanted, generation, process } = unit;
  const state = phase === 'stopped' && lifecycle === 'exited_successfully' ? 'completed' : phase;
  return `${state}${process === undefined ? '' : `, pid ${process.pid}`}${generation === undefined ? '' : `, generation ${generation}`}${wanted === undefined ? '' : `, wanted ${wanted}`}`;
}
