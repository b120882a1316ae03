import { randomBytes } from 'node:crypto';
import type { ChildLedgerPort, SwitchLedgerPort } from '../../machines/ports.ts';
import type { AdoptOrder, ChildRecord, SwitchRecord } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { check, type Shape } from '../wire/shape.ts';
import type { Ledger } from './ledger.ts';
import { childRecord, switchRecord } from './record-shapes.ts';
import { holdersOf, isSame, leaderOf, scanTwice, type RecoveryOutside, type ScannedRow } from './recovery.ts';

/** What became of the spawned children of the ledger while no supervisor watched. */
export interface FoundChildren {
  /** Children that live, as does the process of their service that they belong to. */
  readonly adopt: readonly ChildRecord[];
  /** Children that live although their service has ended: they must be ended. */
  readonly stray: readonly ChildRecord[];
  /** Ids of children of which no process is left. */
  readonly gone: readonly string[];
}

type Notes = Pick<Ledger, 'note' | 'forgetNote'>;
type Report = (text: string) => void;

/** Living spawned children, kept in the ledger beside the units. */
export function keepChildren(ledger: Notes): ChildLedgerPort {
  return { recordChild: (record) => ledger.note(CHILD + record.id, record), forgetChild: (id) => ledger.forgetNote(CHILD + id) };
}

/** Of the ledger, as far as the notes of them can be read. */
export function notedChildren(meta: ReadonlyMap<string, unknown>): readonly ChildRecord[] {
  return readNotes(meta, CHILD, childRecord, 'a spawned child', () => undefined).found;
}

/** Switches under way, kept in the ledger: a supervisor that dies meanwhile leaves the next one to put them back. */
export function keepSwitches(ledger: Notes): SwitchLedgerPort {
  return { recordSwitch: (record) => ledger.note(SWITCH + record.unit, record), forgetSwitch: (unit) => ledger.forgetNote(SWITCH + unit) };
}

/** The switches that were left open. One whose candidate has become the unit was complete; only the note of it was not removed. */
export function openSwitches({ meta, entries }: Pick<Ledger, 'meta' | 'entries'>, onProblem: Report): readonly SwitchRecord[] {
  return readNotes(meta, SWITCH, switchRecord, 'an open switch', onProblem).found.filter(({ unit, generation }) => entries.get(unit)?.record.generation !== generation);
}

/** Looks for the children that the notes name. `units`: what recovery has found of their services. A note that cannot be read is reported and dropped. */
export async function recoverChildren(
  meta: ReadonlyMap<string, unknown>, units: readonly AdoptOrder[], outside: RecoveryOutside & { onProblem: Report },
): Promise<FoundChildren> {
  const { found: records, unreadable } = readNotes(meta, CHILD, childRecord, 'a spawned child', outside.onProblem);
  if (records.length === 0) return { adopt: [], stray: [], gone: unreadable };
  const isUnborn = (table: ReadonlyMap<number, ScannedRow>): boolean => look(records, table, outside).some(({ record, lives }) => record.identity === null && !lives);
  const found = look(records, await scanTwice(isUnborn, outside), outside);
  const living = found.filter(({ lives }) => lives).map(({ record }) => record);
  const serves = ({ order }: ChildRecord): boolean => units.some(({ record, verdict }) => (
    verdict === 'alive' && record.unit === order.unit && record.generation === order.generation && record.process?.token === order.token
  ));
  return {
    adopt: living.filter(serves), stray: living.filter((record) => !serves(record)),
    gone: [...unreadable, ...found.filter(({ lives }) => !lives).map(({ record }) => record.id)],
  };
}

/** What the tokens of one run of the supervisor begin with. Noted, so that the processes of this state directory can be distinguished from other supervisors' later. */
export function noteTokenSeed(ledger: Pick<Ledger, 'meta' | 'note'>): string {
  const seed = randomBytes(6).toString('hex');
  ledger.note(TOKEN_SEEDS, [...tokenSeeds(ledger.meta), seed].slice(-SEEDS_KEPT));
  return seed;
}

/** Of earlier runs in the same state directory, oldest first. */
export function tokenSeeds(meta: ReadonlyMap<string, unknown>): readonly string[] {
  return stringsOf(meta.get(TOKEN_SEEDS));
}

/** Which configuration the units of the state directory are of. */
export function noteConfig(ledger: Pick<Ledger, 'note'>, path: string): void {
  ledger.note(CONFIG, path);
}

/** Null: no supervisor has noted it. */
export function notedConfig(meta: ReadonlyMap<string, unknown>): string | null {
  const path = meta.get(CONFIG);
  return typeof path === 'string' ? path : null;
}

export function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

const CHILD = 'child/';
const SWITCH = 'switch/';
const TOKEN_SEEDS = 'token seeds';
const CONFIG = 'config';
const SEEDS_KEPT = 64;

/** The notes under a prefix. */
function readNotes<Value>(meta: ReadonlyMap<string, unknown>, prefix: string, shape: Shape<Value>, what: string, onProblem: Report) {
  const found: Value[] = [];
  const unreadable: string[] = [];
  for (const [key, value] of meta) {
    if (!key.startsWith(prefix)) continue;
    try {
      check(value, shape, key);
      found.push(value);
    } catch (error) {
      onProblem(`the ledger's note of ${what} cannot be read: ${textOf(error)}`);
      unreadable.push(key.slice(prefix.length));
    }
  }
  return { found, unreadable };
}

function look(records: readonly ChildRecord[], table: ReadonlyMap<number, ScannedRow>, outside: RecoveryOutside): readonly { readonly record: ChildRecord; readonly lives: boolean }[] {
  const { bootId } = outside.now();
  return records.map((record) => {
    const holders = holdersOf(record.token, table);
    if (record.identity !== null) return { record, lives: holders.length > 0 || isSame(record.token, record.identity, table.get(record.identity.pid), outside) };
    const leader = leaderOf(holders);
    return leader === undefined ? { record, lives: false } : { record: { ...record, identity: { pid: leader.pid, startTime: leader.startTime, bootId } }, lives: true };
  });
}
