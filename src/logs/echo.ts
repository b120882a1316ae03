export interface LineCutter {
  push(bytes: Uint8Array): void;
  /** Hands out a last line that has no newline yet. */
  flush(): void;
}

/**
 * Cuts a byte stream into lines for people: without the newline and a carriage return before it, invalid UTF-8
 * replaced, lines above 64 KiB in pieces that split no character.
 */
export function openLineCutter(onLine: (line: string) => void): LineCutter {
  let held: Buffer[] = [];
  let heldBytes = 0;

  const emit = (end: Uint8Array): void => {
    const line = heldBytes === 0 ? asBuffer(end) : Buffer.concat([...held, end]);
    held = [];
    heldBytes = 0;
    onLine(textOfLine(line));
  };

  const hold = (bytes: Uint8Array): void => {
    held.push(Buffer.from(bytes));
    heldBytes += bytes.length;
    if (heldBytes <= longestPiece) return;
    const all = Buffer.concat(held);
    let start = 0;
    while (all.length - start > longestPiece) {
      const end = characterStart(all, start + longestPiece);
      onLine(all.toString('utf8', start, end));
      start = end;
    }
    held = [all.subarray(start)];
    heldBytes = all.length - start;
  };

  return {
    push(bytes) {
      let start = 0;
      for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
        let rest = bytes.subarray(start, end);
        if (heldBytes + rest.length > longestPiece) {
          hold(rest);
          rest = rest.subarray(rest.length);
        }
        emit(rest);
        start = end + 1;
      }
      if (start < bytes.length) hold(bytes.subarray(start));
    },
    flush() {
      if (heldBytes > 0) emit(new Uint8Array(0));
    },
  };
}

/** For people and programs: invalid UTF-8 is replaced, a carriage return at the end is left out. */
export function textOfLine(bytes: Buffer): string {
  return bytes.toString('utf8', 0, bytes.at(-1) === carriageReturn ? bytes.length - 1 : bytes.length);
}

/** Where the echo of all units lines up: `unit | line`. */
export function echoWidth(units: Iterable<string>): number {
  let width = 0;
  for (const unit of units) width = Math.max(width, [...unit].length);
  return width;
}

export function echoLine(unit: string, line: string, width: number): string {
  return `${unit}${' '.repeat(Math.max(0, width - [...unit].length))} | ${line}\n`;
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const longestPiece = 64 * 1024;

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The last place at or before `offset` where a UTF-8 character begins; `offset` itself in what is not UTF-8. */
function characterStart(bytes: Buffer, offset: number): number {
  for (let back = 0; back < 4; back += 1) {
    const byte = bytes[offset - back];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return offset - back;
  }
  return offset;
}
