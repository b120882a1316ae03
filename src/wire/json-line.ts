/** The text is not what was expected. Without a position until it is placed, then ` at line L column C` follows. */
export class JsonLineError extends Error {
  readonly placed: boolean;

  constructor(message: string, placed: boolean) {
    super(message);
    this.placed = placed;
  }
}

export type JsonNumber = { readonly kind: 'integer'; readonly value: bigint } | { readonly kind: 'float'; readonly value: number };

/**
 * A pull reader of strict JSON (RFC 8259) that reports problems in the words and at the positions of serde_json, which
 * 0.33.0's clients know. Columns count bytes. Nothing here recurses, so nesting cannot exhaust the stack.
 */
export class JsonLineReader {
  readonly #text: string;
  #index = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not blank, without taking it; `''` at the end. */
  peek(): string {
    while (BLANK.has(this.#text.charAt(this.#index))) this.#index += 1;
    return this.#text.charAt(this.#index);
  }

  take(): void {
    this.#index += 1;
  }

  /** A problem with what was read so far. */
  problem(message: string): JsonLineError {
    return this.#place(message, this.#index, 0);
  }

  /** A problem with the character to come. */
  problemAhead(message: string): JsonLineError {
    return this.#place(message, this.#index, this.#index < this.#text.length ? 1 : 0);
  }

  /** Gives a problem that has no position the present one. */
  placed(error: JsonLineError): JsonLineError {
    return error.placed ? error : this.problem(error.message);
  }

  enter(): void {
    this.take();
    this.#depth += 1;
    if (this.#depth >= DEPTH_LIMIT) throw this.problem('recursion limit exceeded');
  }

  leave(): void {
    this.#depth -= 1;
  }

  /** The rest of a literal whose first character was seen but not taken. */
  literal(word: string): void {
    this.take();
    for (const expected of word.slice(1)) {
      const found = this.#text.charAt(this.#index);
      if (found === '') throw this.problem('EOF while parsing a value');
      this.take();
      if (found !== expected) throw this.problem('expected ident');
    }
  }

  /** A string whose opening quote was seen but not taken. */
  string(): string {
    this.take();
    let value = '';
    for (;;) {
      PLAIN.lastIndex = this.#index;
      PLAIN.test(this.#text);
      value += this.#text.slice(this.#index, PLAIN.lastIndex);
      this.#index = PLAIN.lastIndex;
      const next = this.#next('EOF while parsing a string');
      if (next === '"') return value;
      if (next !== '\\') throw this.problem('control character (\\u0000-\\u001F) found while parsing a string');
      value += this.#escape();
    }
  }

  /** A number whose first character was seen but not taken. */
  number(): JsonNumber {
    const begin = this.#index;
    if (this.#text.charAt(this.#index) === '-') this.take();
    const first = this.#next('EOF while parsing a value');
    if (!isDigit(first)) throw this.problem('invalid number');
    if (first === '0' && isDigit(this.#text.charAt(this.#index))) throw this.problemAhead('invalid number');
    this.#digits();
    let integral = true;
    if (this.#text.charAt(this.#index) === '.') {
      integral = false;
      this.take();
      if (!isDigit(this.#text.charAt(this.#index))) {
        throw this.problemAhead(this.#index < this.#text.length ? 'invalid number' : 'EOF while parsing a value');
      }
      this.#digits();
    }
    if (/[eE]/.test(this.#text.charAt(this.#index))) {
      integral = false;
      this.take();
      if (/[+-]/.test(this.#text.charAt(this.#index))) this.take();
      if (!isDigit(this.#next('EOF while parsing a value'))) throw this.problem('invalid number');
      this.#digits();
    }
    const text = this.#text.slice(begin, this.#index);
    if (integral && text.length <= LONGEST_INTEGER && text !== '-0') {
      const value = BigInt(text);
      if (value >= -(2n ** 63n) && value < 2n ** 64n) return { kind: 'integer', value };
    }
    const value = Number(text);
    if (!Number.isFinite(value)) throw this.problem('number out of range');
    return { kind: 'float', value };
  }

  /** Reads over any value. */
  skip(): void {
    const open: ('[' | '{')[] = [];
    for (;;) {
      const next = this.peek();
      if (next === '[' || next === '{') {
        this.enter();
        open.push(next);
      } else {
        this.#skipScalar(next);
      }
      if (!this.#toNextValue(open, next === '[' || next === '{')) return;
    }
  }

  /** Nothing but blanks may follow. */
  end(): void {
    if (this.peek() !== '') throw this.problemAhead('trailing characters');
  }

  #skipScalar(next: string): void {
    if (next === '') throw this.problemAhead('EOF while parsing a value');
    const word = LITERALS.get(next);
    if (word !== undefined) this.literal(word);
    else if (next === '"') this.string();
    else if (next === '-' || isDigit(next)) this.number();
    else throw this.problemAhead('expected value');
  }

  /** Closes what is complete and moves to the next value inside `open`; false when there is none left. */
  #toNextValue(open: ('[' | '{')[], fresh: boolean): boolean {
    let first = fresh;
    for (;;) {
      const container = open.at(-1);
      if (container === undefined) return false;
      const next = this.peek();
      if (next === '') throw this.problemAhead(container === '[' ? 'EOF while parsing a list' : 'EOF while parsing an object');
      if (next === (container === '[' ? ']' : '}')) {
        this.take();
        this.leave();
        open.pop();
        first = false;
        continue;
      }
      if (!first) {
        if (next !== ',') throw this.problemAhead(container === '[' ? 'expected `,` or `]`' : 'expected `,` or `}`');
        this.take();
      }
      if (container === '{') this.#skipKey();
      return true;
    }
  }

  #skipKey(): void {
    const next = this.peek();
    if (next === '') throw this.problemAhead('EOF while parsing an object');
    if (next !== '"') throw this.problemAhead('key must be a string');
    this.string();
    this.colon();
  }

  colon(): void {
    const next = this.peek();
    if (next === '') throw this.problemAhead('EOF while parsing an object');
    if (next !== ':') throw this.problemAhead('expected `:`');
    this.take();
  }

  #escape(): string {
    const next = this.#next('EOF while parsing a string');
    if (next !== 'u') {
      const meaning = ESCAPES.get(next);
      if (meaning === undefined) throw this.#place('invalid escape', this.#index - 1, 1);
      return meaning;
    }
    const lead = this.#hex();
    if (lead >= 0xdc00 && lead <= 0xdfff) throw this.problem('lone leading surrogate in hex escape');
    if (lead < 0xd800 || lead > 0xdbff) return String.fromCharCode(lead);
    for (const expected of ['\\', 'u']) {
      if (this.#next('EOF while parsing a string') !== expected) throw this.#place('unexpected end of hex escape', this.#index - 1, 1);
    }
    const trail = this.#hex();
    if (trail < 0xdc00 || trail > 0xdfff) throw this.problem('lone leading surrogate in hex escape');
    return String.fromCharCode(lead, trail);
  }

  #hex(): number {
    const digits = this.#text.slice(this.#index, this.#index + 4);
    this.#index += digits.length;
    if (digits.length < 4) throw this.problem('EOF while parsing a string');
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.problem('invalid escape');
    return Number.parseInt(digits, 16);
  }

  #digits(): void {
    while (isDigit(this.#text.charAt(this.#index))) this.#index += 1;
  }

  #next(atEnd: string): string {
    const next = this.#text.charAt(this.#index);
    if (next === '') throw this.problem(atEnd);
    this.#index += 1;
    return next;
  }

  #place(message: string, index: number, bytesAfter: number): JsonLineError {
    const lines = this.#text.slice(0, index).split('\n');
    const column = Buffer.byteLength(lines.at(-1) ?? '') + bytesAfter;
    return new JsonLineError(`${message} at line ${lines.length} column ${column}`, true);
  }
}

/** serde_json's. */
const DEPTH_LIMIT = 128;
/** More digits than this are beyond 64 bits: read as floating point, which is linear in their number. */
const LONGEST_INTEGER = 20;
const BLANK = new Set([' ', '\t', '\n', '\r']);
// eslint-disable-next-line no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const LITERALS = new Map([['n', 'null'], ['t', 'true'], ['f', 'false']]);
const ESCAPES = new Map([
  ['"', '"'], ['\\', '\\'], ['/', '/'], ['b', '\b'], ['f', '\f'], ['n', '\n'], ['r', '\r'], ['t', '\t'],
]);

function isDigit(text: string): boolean {
  return text >= '0' && text <= '9' && text.length === 1;
}
