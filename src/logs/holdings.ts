import { listArchives } from './archives.ts';
import { statLog } from './plain-file.ts';

/** What there is of a log on disk, archives included, compressed ones by the bytes that they take. */
export interface Holding {
  readonly bytes: number;
  readonly archives: number;
  /** Milliseconds of the wall clock; null: there is no file at all. */
  readonly writtenMs: number | null;
}

export function holdingOf(file: string): Holding {
  const present = statLog(file);
  const archives = listArchives(file).filter(({ stat }) => stat.size > 0);
  const pieces = [...(present === undefined ? [] : [present]), ...archives.map(({ stat }) => stat)];
  return {
    bytes: pieces.reduce((sum, { size }) => sum + size, 0), archives: archives.length,
    writtenMs: pieces.length === 0 ? null : Math.max(...pieces.map(({ mtimeMs }) => mtimeMs)),
  };
}
