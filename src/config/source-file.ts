import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { osText } from '../errors.ts';

export type FileText =
  | { readonly ok: true; readonly text: string }
  /** `line` is 1-based, `null` when the file as a whole is meant. */
  | { readonly ok: false; readonly message: string; readonly line: number | null };

/** Bytes that a configuration or env file may have. */
export const maxFileBytes = 16 * 1024 * 1024;

/** Every file that was read with `readText` while work went on, and what it was. */
export type Reads = ReadonlyMap<string, FileText>;

let noted: Map<string, FileText> | null = null;

/** Does the work, and notes what it reads. */
export function notingReads<Result>(work: () => Result): { readonly result: Result; readonly reads: Reads } {
  const reads = (noted = new Map());
  try {
    return { result: work(), reads };
  } finally {
    noted = null;
  }
}

/** Whether all that was read is still the same: what was made of it is, too. */
export function areUnchanged(reads: Reads): boolean {
  return [...reads].every(([path, then]) => {
    const now = readText(path);
    return now.ok && then.ok && now.text === then.text;
  });
}

/** Reads a UTF-8 text file. Devices and pipes are refused: they could block or never end. `failure` begins the message. */
export function readText(path: string, failure = 'Failed to read config file'): FileText {
  const file = readNow(path, failure);
  noted?.set(path, file);
  return file;
}

function readNow(path: string, failure: string): FileText {
  const refused = (reason: string): FileText => ({ ok: false, message: `${failure}: ${reason} (${path})`, line: null });
  try {
    const found = statSync(path);
    if (found.isDirectory()) return refused('Is a directory (os error 21)');
    if (!found.isFile()) return refused('not a regular file');
    if (found.size > maxFileBytes) return refused(`${found.size} bytes, expected at most ${maxFileBytes}`);
    const bytes = readFileSync(path);
    if (isUtf8(bytes)) return { ok: true, text: bytes.toString('utf8').replace(/^\ufeff/, '') };
    return { ok: false, message: 'expected UTF-8 text, got bytes of another encoding', line: firstBadLine(bytes) };
  } catch (error) {
    return refused(osText(error));
  }
}

function firstBadLine(bytes: Buffer): number {
  return bytes.toString('latin1').split('\n').findIndex((line) => !isUtf8(Buffer.from(line, 'latin1'))) + 1;
}
