import { versionTwoNote } from '../engines.ts';
import { readHead } from '../files.ts';
import type { Call } from './call.ts';

/** Says of a file of systemg of version 2 how it is read. What cannot be read is said by the start itself. */
export function noteForeignVersion({ terminal }: Pick<Call, 'terminal'>, path: string): void {
  try {
    const head = readHead(path, 4096).toString('utf8');
    if (/^version:\s*(["']?)2\1\s*(?:#.*)?$/m.test(head)) terminal.warn(`${path}: ${versionTwoNote}`);
  } catch {
    // ENOENT, EACCES and the like.
  }
}
