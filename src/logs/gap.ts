import { textOf } from '../errors.ts';
import { counted } from '../words.ts';
import { newline } from './lines.ts';
import { endsWithinLine } from './rotate.ts';

/** What the disk does not take of a log: it is dropped and counted, and a time of dropping is reported when it begins and when it is over. */
export class Gap {
  /** Since this was made. */
  droppedBytes = 0;
  readonly #path: string;
  readonly #onProblem: (text: string) => void;
  /** `droppedBytes` when the gap that is open began; null: none is. */
  #start: number | null = null;
  #why = '';
  /** Whether the last byte that was dropped leaves a line without its end. */
  #isWithinLine = false;

  constructor(path: string, onProblem: (text: string) => void) {
    this.#path = path;
    this.#onProblem = onProblem;
  }

  get isOpen(): boolean {
    return this.#start !== null;
  }

  drop(bytes: Uint8Array, error: unknown): void {
    openGaps.set(this, performance.now());
    this.#why = textOf(error);
    if (this.#start === null) {
      this.#onProblem(`${this.#path}: cannot be written: ${textOf(error)}; output is dropped until it can`);
      this.#start = this.droppedBytes;
    }
    this.droppedBytes += bytes.length;
    if (bytes.length > 0) this.#isWithinLine = bytes.at(-1) !== newline;
  }

  /** What follows a gap: the line that was cut gets its end, and what is left of one whose beginning was dropped is dropped too. Throws when the file cannot be asked. */
  fromLineStart(bytes: Uint8Array): Uint8Array {
    const isCut = endsWithinLine(this.#path);
    const lineEnd = this.#isWithinLine ? bytes.indexOf(newline) : -1;
    this.droppedBytes += lineEnd + 1;
    if (lineEnd >= 0) this.#isWithinLine = false;
    const rest = bytes.subarray(lineEnd + 1);
    return isCut && rest.length > 0 ? Buffer.concat([Buffer.of(newline), rest]) : rest;
  }

  /** After something was written. */
  end(): void {
    if (this.#start === null) return;
    this.#onProblem(`${this.#path}: is written again; ${this.droppedBytes - this.#start} bytes were dropped`);
    this.#start = null;
    openGaps.delete(this);
  }

  /** Nothing more is written for now. */
  close(): void {
    openGaps.delete(this);
  }

  toString(): string {
    return `${this.#path}: cannot be written: ${this.#why}`;
  }
}

/** When something was dropped last. */
const openGaps = new Map<Gap, number>();

/** Of which logs output is being dropped, in a sentence; null: of none. A service that says nothing more loses nothing more. */
export function droppedOutput(): string | null {
  const dropping = [...openGaps].filter(([, at]) => performance.now() - at < RECENTLY_MS).map(([gap]) => gap);
  const [first, ...others] = dropping;
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ` (and ${counted(others.length, 'other log')})`;
  return `${first}${more}; output is dropped until it can: ${counted(dropping.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0), 'byte')} so far`;
}

const RECENTLY_MS = 60_000;
