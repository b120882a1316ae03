export type LineProgress =
  | { readonly kind: 'partial' }
  | { readonly kind: 'line'; readonly line: Buffer }
  | { readonly kind: 'too-long' };

/** Gathers the bytes before the first newline; what comes after it is not kept. */
export class FirstLine {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  /** A line of exactly `limitBytes` is taken, a longer one is not. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  push(chunk: Buffer): LineProgress {
    const newline = chunk.indexOf(NEWLINE);
    const part = newline === -1 ? chunk : chunk.subarray(0, newline);
    if (this.#sizeBytes + part.length > this.#limitBytes) {
      this.#chunks = [];
      return { kind: 'too-long' };
    }
    this.#chunks.push(part);
    this.#sizeBytes += part.length;
    return newline === -1 ? { kind: 'partial' } : { kind: 'line', line: this.rest() };
  }

  /** What there is when the stream ends without a newline. */
  rest(): Buffer {
    const line = Buffer.concat(this.#chunks, this.#sizeBytes);
    this.#chunks = [];
    return line;
  }
}

const NEWLINE = 0x0a;
