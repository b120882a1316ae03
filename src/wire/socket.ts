/** Gathers the bytes before the first newline; what comes after it is not kept. */
export class FirstLine {
  readonly #limitBytes: number;
  #chunks: Buffer[] = [];
  #sizeBytes = 0;

  /** A line of exactly `limitBytes` is taken, a longer one is not. */
  constructor(limitBytes: number = Number.POSITIVE_INFINITY) {
    this.#limitBytes = limitBytes;
  }

  /** The whole line once there is one, `null` before that. */
  push(chunk: Buffer): Buffer | 'too-long' | null {
    const newline = chunk.indexOf(NEWLINE);
    const part = newline === -1 ? chunk : chunk.subarray(0, newline);
    this.#sizeBytes += part.length;
    this.#chunks.push(part);
    if (this.#sizeBytes > this.#limitBytes) {
      this.#chunks = [];
      return 'too-long';
    }
    return newline === -1 ? null : this.rest();
  }

  /** What there is when the stream ends without a newline. */
  rest(): Buffer {
    const line = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return line;
  }
}

const NEWLINE = 0x0a;

/** Why a path cannot name a Unix socket, or `null`. Node would cut a long path short without a word. */
export function socketPathProblem(path: string): string | null {
  const sizeBytes = Buffer.byteLength(path);
  if (path.includes('\0')) return `socket path ${JSON.stringify(path)} contains a NUL byte`;
  if (sizeBytes <= PATH_LIMIT_BYTES) return null;
  return `socket path ${path} has ${sizeBytes} bytes, at most ${PATH_LIMIT_BYTES} are possible; use a shorter HOME`;
}

/** `sun_path` of unix(7), less its closing NUL. */
const PATH_LIMIT_BYTES = process.platform === 'linux' ? 107 : 103;
