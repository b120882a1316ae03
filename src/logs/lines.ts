/** A line without its newline, or a part of one above 64 KiB or not ended yet. */
export interface Piece {
  /** To be used, or copied, before the next bytes are cut. */
  readonly bytes: Buffer;
  readonly ended: boolean;
}

export interface Cutter {
  /** Whether the next bytes go on with a line that has begun. */
  readonly isWithinLine: boolean;
  cut(bytes: Uint8Array): readonly Piece[];
  /** What a last line without a newline has so far. */
  rest(): readonly Piece[];
}

/** Cuts a byte stream into lines, those above 64 KiB in pieces that split no character. */
export function makeCutter(): Cutter {
  return new ByteCutter();
}

class ByteCutter implements Cutter {
  #held: Buffer[] = [];
  #heldBytes = 0;

  get isWithinLine(): boolean {
    return this.#heldBytes > 0;
  }

  cut(chunk: Uint8Array): readonly Piece[] {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const pieces: Piece[] = [];
    for (let start = 0; start < bytes.length;) {
      const lineEnd = bytes.indexOf(newline, start);
      const end = lineEnd < 0 ? bytes.length : lineEnd;
      let part = bytes.subarray(start, end);
      start = end + 1;
      while (this.#heldBytes + part.length > longestPiece) {
        const all = this.#release(part);
        const cut = characterStart(all, longestPiece);
        pieces.push({ bytes: all.subarray(0, cut), ended: false });
        part = all.subarray(cut);
      }
      if (lineEnd >= 0) pieces.push({ bytes: this.#release(part), ended: true });
      else {
        this.#held.push(Buffer.from(part));
        this.#heldBytes += part.length;
      }
    }
    return pieces;
  }

  rest(): readonly Piece[] {
    return this.isWithinLine ? [{ bytes: this.#release(Buffer.alloc(0)), ended: false }] : [];
  }

  #release(end: Buffer): Buffer {
    const all = this.#heldBytes === 0 ? end : Buffer.concat([...this.#held, end]);
    this.#held = [];
    this.#heldBytes = 0;
    return all;
  }
}

export interface LineCutter {
  push(bytes: Uint8Array): void;
  /** Hands out a last line that has no newline yet. */
  flush(): void;
}

/** As `makeCutter`, with each piece as text. */
export function openLineCutter(onLine: (line: string) => void): LineCutter {
  return new TextCutter(onLine);
}

class TextCutter implements LineCutter {
  readonly #cutter = new ByteCutter();
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    for (const { bytes: line, ended } of this.#cutter.cut(bytes)) this.#onLine(ended ? textOfLine(line) : line.toString('utf8'));
  }

  flush(): void {
    for (const { bytes } of this.#cutter.rest()) this.#onLine(textOfLine(bytes));
  }
}

/** For people and programs: invalid UTF-8 is replaced, a carriage return at the end is left out. */
export function textOfLine(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length);
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const longestPiece = 64 * 1024;

/** The last place at or before `offset` where a UTF-8 character begins; `offset` itself in what is not UTF-8. */
function characterStart(bytes: Buffer, offset: number): number {
  for (let back = 0; back < 4; back += 1) {
    const byte = bytes[offset - back];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return offset - back;
  }
  return offset;
}
