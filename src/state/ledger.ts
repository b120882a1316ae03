import type { LedgerPort } from '../../machines/ports.ts';
import { failureOf, textOf } from '../errors.ts';
import { monotonicMs } from '../monotonic.ts';
import { masked } from '../masked.ts';
import type { Mask } from '../secrets.ts';
import { openAppendFile, type AppendFile } from './append-file.ts';
import { addLine, FORM, FORM_NOTE, keyOf, type LedgerEntry, type LedgerFact } from './ledger-lines.ts';
import { readLedger, soundOpener } from './ledger-read.ts';
import { openReserve } from './ledger-reserve.ts';
import { replaceFile } from '../files.ts';

export type { LedgerEntry } from './ledger-lines.ts';

export interface LedgerOptions {
  /** Takes sentences; one per episode about a failing disk. */
  readonly onProblem: (text: string) => void;
  /** Of this boot, as in process identities. */
  readonly bootId: string;
  /** Milliseconds of CLOCK_MONOTONIC: the same clock in every process of one boot. */
  readonly now?: () => number;
  readonly wallNow?: () => number;
  /** Applied to the free texts of what is written. */
  readonly mask?: Mask;
}

/** The supervisor's memory of its units. Nothing here throws: what cannot be written now is written later. */
export interface Ledger extends LedgerPort {
  /** The records as read when the ledger was opened, from which recovery starts. */
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  /** The notes, those of earlier runs among them. */
  readonly meta: ReadonlyMap<string, unknown>;
  /** The last run ended in order, or there was none. */
  readonly clean: boolean;
  /** Why a ledger that exists cannot be read: a supervisor that starts units all the same may start second copies. */
  readonly unreadable: string | null;
  /** What was last recorded of a unit, in this run or before. */
  latest(unit: string): LedgerEntry | null;
  /** Keeps a JSON value under a key beside the units: boot, pid, config, slots, digests. */
  note(key: string, value: unknown): void;
  /** Removes a note. */
  forgetNote(key: string): void;
  /** Records that the run ended in order. Anything recorded later takes this back. */
  markClean(): void;
  /** Writes the whole ledger again when somebody has removed, replaced or changed the file (true: that was necessary), and what the disk did not take before. */
  mend(): boolean;
  /** Why the file is behind, as a sentence; null: everything is in there. */
  readonly unwritten: string | null;
  /** Writes what is still to be written, if the disk lets it. */
  close(): void;
}

/** Opens or creates the ledger. To be called by the holder of the lock only. */
export function openLedger(path: string, options: LedgerOptions): Ledger {
  const { onProblem, bootId, now = monotonicMs, wallNow = Date.now, mask = (text) => text } = options;
  const opened = readLedger(path, { onProblem, quarantine: true });
  const { sum } = opened;
  const entries = new Map(sum.entries);
  let file: AppendFile | null = null;
  let unwritten: string | null = null;
  const opener = soundOpener(path, opened);
  const reserve = openReserve(path);
  const waiting = new Map([...opened.reserved].map(([key, line]): [string, Waiting] => [key, { line, durable: true, written: false }]));
  let retry: NodeJS.Timeout | undefined;
  let compactBeyond = 0;
  let nextLookAt = 0;
  let closed = false;
  let syncing = false;

  const put = (fact: LedgerFact, durable: boolean): void => {
    // With the first line of a run, since a ledger that ended in order stays as it is until then.
    if (sum.meta.get(FORM_NOTE) !== FORM) add({ kind: 'note', key: FORM_NOTE, value: FORM }, false);
    add(fact, durable);
    flush();
  };

  const add = (fact: LedgerFact, durable: boolean): void => {
    const key = keyOf(fact);
    const line = addLine(sum, { fact: masked(fact, mask), written: { at: now(), wallMs: wallNow(), bootId } });
    const superseded = waiting.get(key);
    waiting.delete(key);
    waiting.set(key, { line, durable: durable || superseded?.durable === true, written: false });
  };

  const flush = (): void => {
    if (opened.unreadable !== null) return;
    try {
      file ??= opener();
      lookAtName();
      for (const [key, entry] of waiting) {
        if (entry.written) continue;
        file.append(Buffer.from(entry.line));
        // A durable line waits for its sync: after a failed fsync(2) the kernel may have dropped what it could not write.
        if (entry.durable) entry.written = true;
        else waiting.delete(key);
      }
      if (file.size > Math.max(compactBeyond, 4 * sum.liveBytes + slackBytes)) compact();
      if (waiting.size > 0) syncSoon();
      else settled();
    } catch (error) {
      failed(error);
    }
    armRetry();
  };

  /** One fsync(2) for all that one event orders. It is done before the answer to the command goes out. */
  const syncSoon = (): void => {
    if (syncing) return;
    syncing = true;
    queueMicrotask(() => {
      syncNow();
      armRetry();
    });
  };

  const syncNow = (): void => {
    if (!syncing) return;
    syncing = false;
    try {
      file?.sync();
      for (const [key, { written }] of waiting) if (written) waiting.delete(key);
      if (waiting.size === 0) settled();
    } catch (error) {
      for (const entry of waiting.values()) entry.written = false;
      failed(error);
    }
  };

  const settled = (): void => {
    unwritten = null;
    reserve.clear();
  };

  const failed = (error: unknown): void => {
    const meanwhile = reserve.keep([...waiting.values()]) ? ', until then it is kept in a reserve' : '';
    const text = `${path}: cannot be written: ${textOf(error)}; it is tried again at the next change and every minute${meanwhile}`;
    if (unwritten === null) onProblem(text);
    unwritten = text;
  };

  /** Who dies before the next look of the supervisor at its files must not leave a ledger without a name. */
  const lookAtName = (): void => {
    if (now() < nextLookAt) return;
    if (isDisplaced()) {
      const obstacle = putBack();
      if (obstacle !== null) throw new Error(`somebody has removed, replaced or changed it, and it cannot be put back: ${obstacle}`);
      onProblem(`${path}: was removed, replaced or changed by somebody and has been written again`);
    }
    nextLookAt = now() + lookEveryMs;
  };

  const isDisplaced = (): boolean => opened.unreadable === null && file !== null && !(file.isInPlace() && file.isWhole());

  /** Returns why it cannot be done, or null. */
  const putBack = (): string | null => failureOf(path, () => {
    rewrite();
    reserve.close();
    settled();
  });

  const rewrite = (): void => {
    // What the opener cuts off is the torn end of the ledger that was found, and no end of the one that takes its place.
    file ??= opener();
    replaceFile(path, [...sum.live.values()].join(''), { durable: true });
    // All that was to be written is in there.
    waiting.clear();
    file.close();
    file = null;
    file = openAppendFile(path);
    compactBeyond = 0;
  };

  const compact = (): void => {
    try {
      rewrite();
    } catch (error) {
      onProblem(`${path}: cannot be compacted: ${textOf(error)}`);
      compactBeyond = (file?.size ?? 0) + slackBytes;
    }
  };

  const armRetry = (): void => {
    clearTimeout(retry);
    retry = waiting.size > 0 && !closed ? setTimeout(flush, retryMs).unref() : undefined;
  };

  if (opened.damaged) compact();

  return {
    entries, meta: sum.meta, clean: opened.clean, unreadable: opened.unreadable,
    record: (record, durable) => put({ kind: 'record', record }, durable),
    forget: (unit) => put({ kind: 'forget', unit }, false),
    latest: (unit) => sum.entries.get(unit) ?? null,
    note: (key, value) => put({ kind: 'note', key, value }, false),
    forgetNote: (key) => put({ kind: 'forget-note', key }, false),
    markClean: () => put({ kind: 'clean' }, true),
    get unwritten() {
      return unwritten;
    },
    mend() {
      if (isDisplaced()) return putBack() === null;
      if (unwritten !== null) flush();
      return false;
    },
    close() {
      closed = true;
      if (waiting.size > 0) flush();
      syncNow();
      clearTimeout(retry);
      file?.close();
      file = null;
      reserve.close();
    },
  };
}

interface Waiting {
  readonly line: string;
  readonly durable: boolean;
  /** In the file, not yet known to be on disk. */
  written: boolean;
}

const lookEveryMs = 100;
const slackBytes = 256 * 1024;
const retryMs = 60_000;
