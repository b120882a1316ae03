import { readFileSync } from 'node:fs';

/** One recorded exchange of systemg 0.33.0. */
export interface Golden {
  readonly file: string;
  readonly name: string;
  readonly request: Buffer;
  readonly response: string;
  /** `raw`, or the command line whose client wrote the request. */
  readonly via: string;
  readonly note: string | null;
}

export function readGolden(...files: readonly string[]): readonly Golden[] {
  return files.flatMap((file) => readFileSync(new URL(`../fixtures/wire/${file}.jsonl`, import.meta.url), 'utf8')
    .split('\n').filter((line) => line !== '').map((line) => readRecord(file, line)));
}

/** The bytes of the first line, newline included, or all there is. */
export function firstLine(bytes: Buffer): Buffer {
  const newline = bytes.indexOf(0x0a);
  return newline === -1 ? bytes : bytes.subarray(0, newline + 1);
}

function readRecord(file: string, line: string): Golden {
  const record: Readonly<Record<string, unknown>> = JSON.parse(line);
  const encoded = record['request_base64'];
  return {
    file,
    name: String(record['name']),
    request: typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : Buffer.from(String(record['request'])),
    response: String(record['response']),
    via: String(record['via']),
    note: typeof record['note'] === 'string' ? record['note'] : null,
  };
}
