import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AdoptOrder, OwnedProcess, ProcessIdentity, RecoveryVerdict, ServiceSpec, UnitRecord } from '../../machines/types.ts';
import { isLiving } from '../process/proc.ts';
import type { ScannedProcess } from '../process/scan.ts';
import type { LedgerEntry, Stamp } from './ledger-lines.ts';

/** What recovery needs to know of a living process. `tokens` is null where environments cannot be read. */
export type ScannedRow = Pick<ScannedProcess, 'pid' | 'pgrp' | 'state' | 'startTime' | 'tokens'>;

export interface RecoveryOutside {
  scan(): Promise<ReadonlyMap<number, ScannedRow>>;
  /** Same pid, start time and boot, and not a zombie. */
  isAlive(identity: ProcessIdentity): boolean;
  /** This moment by both clocks, and this boot. */
  now(): Stamp;
  /** Milliseconds between the two scans for processes whose start was ordered but not noted. */
  readonly secondLookMs?: number;
}

/**
 * What became of every unit of the ledger while no supervisor watched.
 *
 * `alive`: the recorded process lives, or what it left behind does (holders of its token): the process that adopts it sees the
 * leader's end and clears the rest away. An environment that is empty or cannot be read disproves nothing, since
 * programs may clear their own; one that holds other tokens only does.
 * `unborn`: its start was ordered, and two scans found no holder of its token. `dead`: it does not live. `rest`: owns none.
 * A process of a later generation than the recorded one is the unit's: the disk did not take its record.
 */
export async function recover(entries: Iterable<LedgerEntry>, outside: RecoveryOutside): Promise<AdoptOrder[]> {
  const { bootId } = outside.now();
  const known = [...entries];
  const owning = known.filter(({ record, written }) => record.process !== null && written.bootId === bootId);
  const isUnborn = (table: Table): boolean => owning.some((entry) => look(entry, table, outside).verdict === 'unborn');
  const table: Table = owning.length > 0 ? await scanTwice(isUnborn, outside) : new Map();
  return known.map((entry) => look(entry, table, outside));
}

type Table = ReadonlyMap<number, ScannedRow>;

/** All processes, seen a second time where one is lacking: between fork(2) and execve(2) it does not show its token yet. */
export async function scanTwice(lacksOne: (table: Table) => boolean, outside: RecoveryOutside): Promise<Table> {
  const table = await outside.scan();
  if (!lacksOne(table)) return table;
  await sleep(outside.secondLookMs ?? 200);
  return outside.scan();
}

/** Whether a record of the ledger is of an instance beside its unit: `web/candidate`. No unit has a slash in its name. */
export function isAside(record: string): boolean {
  return record.includes('/');
}

/**
 * When a supervisor died while it replaced a unit: the process that the ledger records for the unit stays, and the other instance is
 * ended. Two records may name one process for the time of a change; then the process is the unit's.
 */
export function withoutDoubles(orders: readonly AdoptOrder[]): readonly AdoptOrder[] {
  const tokens = new Set(orders.filter(({ record }) => !isAside(record.unit)).map(({ record }) => record.process?.token));
  return orders.filter(({ record }) => !isAside(record.unit) || !tokens.has(record.process?.token));
}

/** Stands for an instance beside its unit until that has ended: the unit's stop signal and stop timeout, and nothing that would start or check it. */
export function asideSpec(name: string, specs: readonly ServiceSpec[]): ServiceSpec | null {
  const [owner] = name.split('/');
  const spec = specs.find((known) => known.name === owner);
  return spec === undefined ? null : { ...spec, name, check: null, hooks: [], dependsOn: [], essential: false, cron: null, spawn: null };
}

/**
 * What a start makes of what recovery found. A supervisor that its guardian brought back (`isBack`) goes on: what a person stopped stays down, counts go on,
 * and an end that nobody saw is an end. A start by a person or by a boot script wants everything in the file, as after a clean end: what lives is
 * adopted and wanted, and nothing is concluded from the rest. Nor is anything from a record of another boot. A run of a cron unit that began is closed.
 */
export function whatCounts(
  orders: readonly AdoptOrder[], { isBack, isAlive, entries, specs, now }: Pick<RecoveryOutside, 'isAlive'> & {
    readonly isBack: boolean; readonly entries: ReadonlyMap<string, LedgerEntry>; readonly specs: readonly ServiceSpec[]; readonly now: Stamp;
  },
): readonly AdoptOrder[] {
  const specOf = new Map(specs.map((spec) => [spec.name, spec]));
  return orders.flatMap((order): readonly AdoptOrder[] => {
    const { record, verdict } = order;
    const spec = specOf.get(record.unit);
    if (isBack && entries.get(record.unit)?.written.bootId === now.bootId) return [order];
    if (verdict === 'alive' && spec === undefined) return [order];
    if (verdict === 'alive') {
      const identity = record.process?.identity ?? null;
      // Only what the leader left behind lives: it is ended, and the unit starts after that.
      if (identity !== null && !isAlive(identity)) return [{ ...order, record: { ...wantedAgain(record), state: 'stopping', cause: 'restart' } }];
      return [{ ...order, record: { ...wantedAgain(record), cause: record.cause === null ? null : 'restart' } }];
    }
    if (spec?.cron == null || record.process === null) return [];
    return [{ verdict: 'dead', record: { ...wantedAgain(record), since: now.at, deadline: null } }];
  });
}

function wantedAgain(record: UnitRecord): UnitRecord {
  return { ...record, wanted: 'up', failures: [], streak: 0 };
}

function look({ record, written }: LedgerEntry, table: Table, outside: RecoveryOutside): AdoptOrder {
  const verdict = (word: RecoveryVerdict): AdoptOrder => ({ record, verdict: word });
  const owned = record.process;
  if (owned === null) return verdict('rest');
  const { bootId } = outside.now();
  const later = written.bootId === bootId ? laterGeneration(owned, table, bootId) : null;
  if (later !== null) {
    return { record: { ...record, state: 'running', cause: null, deadline: null, generation: later.generation, process: later }, verdict: 'alive' };
  }
  const holders = written.bootId === bootId ? holdersOf(owned.token, table) : [];
  if (owned.identity === null) {
    const leader = leaderOf(holders);
    if (leader === undefined) return verdict('unborn');
    const identity = { pid: leader.pid, startTime: leader.startTime, bootId };
    return { record: { ...record, process: { ...owned, identity } }, verdict: 'alive' };
  }
  if (holders.length > 0) return verdict('alive');
  return verdict(isSame(owned.token, owned.identity, table.get(owned.identity.pid), outside) ? 'alive' : 'dead');
}

/** Tokens of a unit differ in what follows the last dot: the generation of the service itself, or of a step before it. */
const serviceToken = /^(.+)\.([0-9]+)$/;

function laterGeneration(owned: OwnedProcess, table: Table, bootId: string): OwnedProcess | null {
  const base = serviceToken.exec(owned.token)?.[1];
  if (base === undefined) return null;
  const generations = [...table.values()].flatMap((row) => row.tokens ?? []).flatMap((token) => {
    const [, itsBase, number] = serviceToken.exec(token) ?? [];
    return itsBase === base && Number(number) > owned.generation ? [Number(number)] : [];
  });
  for (const generation of [...new Set(generations)].sort((one, other) => other - one)) {
    const token = `${base}.${generation}`;
    const leader = leaderOf(holdersOf(token, table));
    if (leader === undefined) continue;
    return { generation, role: 'main', token, identity: { pid: leader.pid, startTime: leader.startTime, bootId }, adopted: false };
  }
  return null;
}

/** The first of them that leads a group, else the oldest. */
export function leaderOf(holders: readonly ScannedRow[]): ScannedRow | undefined {
  return holders.find((row) => row.pgrp === row.pid) ?? holders[0];
}

/** The living processes that carry a token, oldest first. */
export function holdersOf(token: string, table: Table): ScannedRow[] {
  return [...table.values()]
    .filter((row) => isLiving(row) && row.tokens?.includes(token) === true)
    .sort((one, other) => Number(one.startTime) - Number(other.startTime) || one.pid - other.pid);
}

const takenOver = 'taken-';

/** Of a process that was taken over: nobody holds it, what belongs to the process is found by group, session and parents. The process may carry that of the program that started it. */
export function takenOverToken(): string {
  return `${takenOver}${randomBytes(6).toString('hex')}`;
}

/** A program may clear its own environment; one that holds other tokens is another. */
export function isSame(token: string, identity: ProcessIdentity, row: ScannedRow | undefined, outside: RecoveryOutside): boolean {
  const foreign = row !== undefined && !token.startsWith(takenOver) && row.startTime === identity.startTime && row.tokens !== null && row.tokens.length > 0;
  return !foreign && outside.isAlive(identity);
}
