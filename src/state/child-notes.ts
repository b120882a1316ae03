import { setTimeout as sleep } from 'node:timers/promises';
import type { AdoptOrder, ChildRecord, SpawnOrder } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { finite, list, object, orNull, text, whole, type Decoder } from './decode.ts';
import { decodeIdentity } from './decode-record.ts';
import type { Ledger } from './ledger.ts';
import { holdersOf, isSame, leaderOf, type RecoveryOutside, type ScannedRow } from './recovery.ts';

/** What became of the spawned children of the ledger while no supervisor watched. */
export interface FoundChildren {
  /** They live, and so does the process of their service that they belong to. */
  readonly adopt: readonly ChildRecord[];
  /** They live, but their service has ended: so must they. */
  readonly stray: readonly ChildRecord[];
  /** Nothing is left of them. */
  readonly gone: readonly string[];
}

export function noteChild(ledger: Pick<Ledger, 'note'>, record: ChildRecord): void {
  ledger.note(keyOf(record.id), record);
}

export function forgetChild(ledger: Pick<Ledger, 'forgetNote'>, id: string): void {
  ledger.forgetNote(keyOf(id));
}

/** Looks for the children that the notes tell of. `units`: what recovery has found of their services. Unreadable notes are told and dropped. */
export async function recoverChildren(
  meta: ReadonlyMap<string, unknown>, units: readonly AdoptOrder[], outside: RecoveryOutside & { onProblem(text: string): void },
): Promise<FoundChildren> {
  const gone: string[] = [];
  const records = [...meta].flatMap(([key, value]): ChildRecord[] => {
    if (!key.startsWith(PREFIX)) return [];
    try {
      return [decodeChild(value, key)];
    } catch (error) {
      outside.onProblem(`the ledger's note of a spawned child cannot be read: ${textOf(error)}`);
      gone.push(key.slice(PREFIX.length));
      return [];
    }
  });
  if (records.length === 0) return { adopt: [], stray: [], gone };
  let found = look(records, await outside.scan(), outside);
  if (found.some(({ record, lives }) => record.identity === null && !lives)) {
    // A process between fork(2) and execve(2) does not show its token yet.
    await sleep(outside.secondLookMs ?? 200);
    found = look(records, await outside.scan(), outside);
  }
  const living = found.filter(({ lives }) => lives).map(({ record }) => record);
  const serves = ({ order }: ChildRecord): boolean => units.some(({ record, verdict }) => (
    verdict === 'alive' && record.unit === order.unit && record.generation === order.generation && record.process?.token === order.token
  ));
  return {
    adopt: living.filter(serves), stray: living.filter((record) => !serves(record)),
    gone: [...gone, ...found.filter(({ lives }) => !lives).map(({ record }) => record.id)],
  };
}

const PREFIX = 'child/';

function keyOf(id: string): string {
  return `${PREFIX}${id}`;
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

const decodeChild: Decoder<ChildRecord> = object<{ [Key in keyof ChildRecord]: ChildRecord[Key] }>({
  id: text,
  order: object<{ [Key in keyof SpawnOrder]: SpawnOrder[Key] }>({
    unit: text, generation: whole(0), token: text, parent: orNull(text), parentPid: whole(1), name: text, argv: list(text), ttlMs: orNull(finite), logLevel: orNull(text),
  }),
  depth: whole(1),
  token: text,
  startedAt: finite,
  identity: orNull(decodeIdentity),
});
