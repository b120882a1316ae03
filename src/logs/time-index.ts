import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { timesOf } from './archives.ts';
import { readTimesAt, timesHeader, timesLine, type TimeMark, type Times } from './times.ts';

/** The times at which a log file was written: `<file>.times`, beside it. */
export interface TimeIndex {
  /** Called when the file was opened, with the time of the last change to it; null: that was ours. */
  begin(mtimeMs: number | null): void;
  /**
   * Called after bytes were appended to the file, not before: they are in memory only until then. Never throws: what the disk does not
   * take is kept and written with the next mark.
   */
  note(logDescriptor: number, appendedBytes: number): void;
  /** Closes its file, and goes on with it at the next mark. */
  rest(): void;
  /** The next mark is of another file. */
  release(): void;
}

/** Marks come at most once in 100 ms, so that a flood costs nothing; the index takes at most about a MiB. */
export function makeTimeIndex(file: string, clock: { wallMs(): number; monotonicMs(): number } = systemClock): TimeIndex {
  const path = timesOf(file);
  let descriptor: number | null = null;
  /** The inode of what was made or taken up at `path`; null: nothing was yet. */
  let known: number | null = null;
  let nextAt = 0;
  let lastOffset = 0;
  let lastAt = 0;
  /** How large the log file is at least, unless others have emptied it; null: that is not known. */
  let leastSize: number | null = null;
  let bytes = 0;
  let pending = '';
  let changedMs: number | null = null;

  const rest = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };

  const release = (): void => {
    rest();
    known = null;
    nextAt = 0;
    leastSize = null;
    pending = '';
  };

  const create = (times: Times): void => {
    const text = timesHeader(times.inode) + times.marks.map(timesLine).join('');
    // What was there may be open elsewhere, or not be ours to write to.
    rmSync(path, { force: true });
    writeFileSync(path, text, { mode: 0o640, flag: 'wx' });
  };

  const open = (inode: number, offset: number, { at, wasEmptied }: { readonly at: number; readonly wasEmptied: boolean }): number => {
    if (known !== null) {
      descriptor ??= attempt(openIndex, null, 'ENOENT', 'ELOOP');
      const { ino, nlink } = descriptor === null ? { ino: null, nlink: 0 } : fstatSync(descriptor);
      if (descriptor !== null && ino === known && nlink > 0 && !wasEmptied) return descriptor;
      rest();
      return put({ inode, marks: wasEmptied ? emptied(offset) : bereft() });
    }
    const times = takeUp(file, inode, offset, { changedMs, at });
    changedMs = null;
    return put(times);
  };

  /** Whatever came since the last mark came within the gap between two. */
  const emptied = (size: number): TimeMark[] => (size > 0 ? [{ offset: 0, at: lastAt, latest: lastAt }] : []);
  const bereft = (): TimeMark[] => [
    ...(lastOffset > 0 ? [{ offset: 0, at: null, latest: lastAt }] : []), { offset: lastOffset, at: lastAt, latest: lastAt },
  ];

  const put = (times: Times): number => {
    create(times);
    descriptor = openIndex();
    ({ ino: known, size: bytes } = fstatSync(descriptor));
    return descriptor;
  };

  const openIndex = (): number => openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);

  const thin = (inode: number): void => {
    const { marks } = readTimesAt(path) ?? { marks: [] };
    rest();
    put({ inode, marks: marks.filter(({ at }, index) => index % 2 === 0 || at === null) });
  };

  return {
    begin(mtimeMs) {
      changedMs = mtimeMs;
    },
    note(logDescriptor, appendedBytes) {
      const now = clock.monotonicMs();
      if (leastSize !== null) leastSize += appendedBytes;
      if (now < nextAt) return;
      nextAt = now + leastGapMs;
      try {
        const { ino, size } = fstatSync(logDescriptor);
        const at = Math.floor(clock.wallMs());
        const offset = Math.max(0, size - appendedBytes);
        pending += timesLine({ at, latest: at, offset });
        const index = open(ino, offset, { at, wasEmptied: leastSize !== null && size < leastSize });
        leastSize = size;
        if (bytes > mostBytes) thin(ino);
        bytes += writeSync(descriptor ?? index, pending, null, 'latin1');
        pending = '';
        lastOffset = offset;
        lastAt = at;
      } catch {
        // A full disk, mostly, which the writer of the log reports: until there is room the marks wait here.
        if (pending.length > mostPendingBytes) pending = pending.slice(pending.indexOf('\n', pending.length / 2) + 1);
      }
    },
    rest,
    release,
  };
}

/**
 * After a file was put away as archive 1, with what follows offset `cut` in its successor: so is its index. Never throws; a file whose
 * index could not be made has no times.
 */
export function rotateTimes(file: string, cut: number, keep: number): void {
  try {
    const times = readTimesAt(timesOf(file));
    if (times === null) return;
    if (keep === 0) rmSync(timesOf(file), { force: true });
    else renameSync(timesOf(file), timesOf(`${file}.1`));
    const successor = statSync(file, { throwIfNoEntry: false });
    if (successor === undefined) return;
    const before = times.marks.findLast(({ offset }) => offset <= cut);
    const after = times.marks.filter(({ offset }) => offset > cut).map((mark) => ({ ...mark, offset: mark.offset - cut }));
    const marks = before === undefined ? after : [{ ...before, offset: 0 }, ...after];
    writeFileSync(timesOf(file), timesHeader(successor.ino) + marks.map(timesLine).join(''), { mode: 0o640, flag: 'wx' });
  } catch {
    // A full disk, mostly. An index of another inode is passed over by readers, and replaced by the next mark.
  }
}

/** From now on somebody else writes to the file: of that no times are known. Never throws. */
export function endTimes(file: string): void {
  try {
    const times = readTimesAt(timesOf(file));
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    const last = times?.marks.at(-1);
    if (last === undefined || size === undefined || (last.at === null && last.latest === null)) return;
    const line = timesLine({ at: null, latest: null, offset: size });
    // The first newline ends what may be torn.
    writeFileSync(timesOf(file), `\n${line}`, { flag: 'a' });
  } catch {
    // A full disk, mostly: the times are wrong from here on, and better none.
    rmSync(timesOf(file), { force: true });
  }
}

const leastGapMs = 100;
const mostBytes = 1024 * 1024;
const mostPendingBytes = 64 * 1024;
/** A log file that was changed so long after its last mark was written to by somebody else. */
const foreignMs = 1000;
const systemClock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/** What is known of a file that we go on with. */
function takeUp(file: string, inode: number, size: number, { changedMs, at }: { readonly changedMs: number | null; readonly at: number }): Times {
  const found = readTimesAt(timesOf(file));
  if (found !== null && found.inode !== inode) rescue(file, found.inode);
  const marks: TimeMark[] = found?.inode === inode && (found.marks.at(-1)?.offset ?? 0) <= size ? [...found.marks] : [];
  const last = marks.at(-1);
  const isForeign = last === undefined ? size > 0 : size > last.offset && (changedMs ?? 0) > (last.latest ?? Infinity) + foreignMs;
  if (isForeign) {
    if (last !== undefined) marks.pop();
    marks.push({ offset: last?.offset ?? 0, at: null, latest: Math.ceil(changedMs ?? at) });
  }
  return { inode, marks };
}

/** A crash came between putting the file away and its index. */
function rescue(file: string, inode: number): void {
  const archive = statSync(`${file}.1`, { throwIfNoEntry: false });
  const target = timesOf(`${file}.1`);
  if (archive?.ino === inode && statSync(target, { throwIfNoEntry: false }) === undefined) renameSync(timesOf(file), target);
}
