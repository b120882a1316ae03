/** A line without its newline, or a part of one above 64 KiB or not ended yet. */
export interface Piece {
  /** To be used, or copied, before the next bytes are cut. */
  readonly bytes: Buffer;
  readonly ended: boolean;
}

/** Cuts a byte stream into lines, those above 64 KiB in pieces that split no character. */
export class Cutter {
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** Whether the next bytes go on with a line that has begun. */
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

  /** What a last line without a newline has so far. */
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

/** As `Cutter`, with each piece as text. */
export class LineCutter {
  readonly #cutter = new Cutter();
  readonly #onLine: (line: string) => void;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    for (const { bytes: line, ended } of this.#cutter.cut(bytes)) this.#onLine(ended ? textOfLine(line) : line.toString('utf8'));
  }

  /** Hands out a last line that has no newline yet. */
  flush(): void {
    for (const { bytes } of this.#cutter.rest()) this.#onLine(textOfLine(bytes));
  }
}

/** For people and programs: invalid UTF-8 is replaced, a carriage return at the end is left out. */
export function textOfLine(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length);
}

export const newline = 0x0a;
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
