import { closeSync, constants, fstatSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { timesOf } from './archives.ts';
import { readTimesAt, timesHeader, timesLine, type TimeMark, type Times } from './times.ts';

interface MarkClock {
  wallMs(): number;
  monotonicMs(): number;
}

/**
 * The times at which a log file was written: `<file>.times`, beside it. Marks come at most once in 100 ms, so that a flood costs nothing; the index takes at most
 * about a MiB.
 */
export class TimeIndex {
  readonly #file: string;
  readonly #clock: MarkClock;
  #descriptor: number | null = null;
  /** The inode of what was made or taken up as the index; null: nothing was yet. */
  #known: number | null = null;
  #nextAt = 0;
  #lastOffset = 0;
  #lastAt = 0;
  /** How large the log file is at least, unless others have emptied it; null: that is not known. */
  #leastSize: number | null = null;
  #bytes = 0;
  #pending = '';
  #changedMs: number | null = null;

  constructor(file: string, clock: MarkClock = systemClock) {
    this.#file = file;
    this.#clock = clock;
  }

  /** Called when the file was opened, with the time of the last change to it; null: that was ours. */
  begin(mtimeMs: number | null): void {
    this.#changedMs = mtimeMs;
  }

  /**
   * Called after bytes were appended to the file, not before: they are in memory only until then. Never throws: what the disk does not
   * take is kept and written with the next mark.
   */
  note(logDescriptor: number, appendedBytes: number): void {
    const now = this.#clock.monotonicMs();
    if (this.#leastSize !== null) this.#leastSize += appendedBytes;
    if (now < this.#nextAt) return;
    this.#nextAt = now + leastGapMs;
    try {
      const { ino, size } = fstatSync(logDescriptor);
      const at = Math.floor(this.#clock.wallMs());
      const offset = Math.max(0, size - appendedBytes);
      this.#pending += timesLine({ at, latest: at, offset });
      const index = this.#open(ino, offset, { at, wasEmptied: this.#leastSize !== null && size < this.#leastSize });
      this.#leastSize = size;
      if (this.#bytes > mostBytes) this.#thin(ino);
      this.#bytes += writeSync(this.#descriptor ?? index, this.#pending, null, 'latin1');
      this.#pending = '';
      this.#lastOffset = offset;
      this.#lastAt = at;
    } catch {
      // A full disk, mostly, which the writer of the log reports: until there is room the marks wait here.
      const { length } = this.#pending;
      if (length > mostPendingBytes) this.#pending = this.#pending.slice(this.#pending.indexOf('\n', length / 2) + 1);
    }
  }

  /** Closes its file, and goes on with it at the next mark. */
  rest(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  /** The next mark is of another file. */
  release(): void {
    this.rest();
    this.#known = null;
    this.#nextAt = 0;
    this.#leastSize = null;
    this.#pending = '';
  }

  get #path(): string {
    return timesOf(this.#file);
  }

  #open(inode: number, offset: number, { at, wasEmptied }: { readonly at: number; readonly wasEmptied: boolean }): number {
    if (this.#known !== null) {
      this.#descriptor ??= attempt(() => this.#openIndex(), null, 'ENOENT', 'ELOOP');
      const { ino, nlink } = this.#descriptor === null ? { ino: null, nlink: 0 } : fstatSync(this.#descriptor);
      if (this.#descriptor !== null && ino === this.#known && nlink > 0 && !wasEmptied) return this.#descriptor;
      this.rest();
      return this.#put({ inode, marks: wasEmptied ? this.#emptied(offset) : this.#bereft() });
    }
    const times = takeUp(this.#file, inode, offset, { changedMs: this.#changedMs, at });
    this.#changedMs = null;
    return this.#put(times);
  }

  /** Whatever came since the last mark came within the gap between two. */
  #emptied(size: number): TimeMark[] {
    return size > 0 ? [{ offset: 0, at: this.#lastAt, latest: this.#lastAt }] : [];
  }

  #bereft(): TimeMark[] {
    const before = this.#lastOffset > 0 ? [{ offset: 0, at: null, latest: this.#lastAt }] : [];
    return [...before, { offset: this.#lastOffset, at: this.#lastAt, latest: this.#lastAt }];
  }

  #put({ inode, marks }: Times): number {
    // What was there may be open elsewhere, or not be ours to write to.
    rmSync(this.#path, { force: true });
    writeFileSync(this.#path, timesHeader(inode) + marks.map(timesLine).join(''), { mode: 0o640, flag: 'wx' });
    this.#descriptor = this.#openIndex();
    ({ ino: this.#known, size: this.#bytes } = fstatSync(this.#descriptor));
    return this.#descriptor;
  }

  #openIndex(): number {
    return openSync(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  }

  #thin(inode: number): void {
    const { marks } = readTimesAt(this.#path) ?? { marks: [] };
    this.rest();
    this.#put({ inode, marks: marks.filter(({ at }, index) => index % 2 === 0 || at === null) });
  }
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
