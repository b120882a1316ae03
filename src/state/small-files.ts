import { lstatSync } from 'node:fs';
import { failureOf } from '../errors.ts';
import { replaceFile } from '../files.ts';

/** The files that are small and always written whole, as long as their supervisor lives. */
export interface SmallFiles {
  /** Writes the file. What the disk does not take now is written by `mend`, which asks `again` for the text. Takes one sentence per failing disk to `onProblem`. */
  put(path: string, text: string, again?: () => string): void;
  /** Writes what is missing. True: somebody had removed a file. */
  mend(): boolean;
  /** Sentences about the files that are not as they should be. */
  readonly unwritten: readonly string[];
}

export function openSmallFiles(onProblem: (text: string) => void): SmallFiles {
  const files = new Map<string, () => string>();
  const failures = new Map<string, string>();

  const write = (path: string, text: string): boolean => {
    const failure = failureOf(`${path}: cannot be written`, () => replaceFile(path, text, { durable: false }));
    if (failure === null) failures.delete(path);
    else {
      if (!failures.has(path)) onProblem(`${failure}; it is tried again every 5 s`);
      failures.set(path, failure);
    }
    return failure === null;
  };

  return {
    put(path, text, again = () => text) {
      files.set(path, again);
      write(path, text);
    },
    mend() {
      const late = [...files].filter(([path]) => failures.has(path));
      const removed = [...files].filter(([path]) => !failures.has(path) && lstatSync(path, { throwIfNoEntry: false }) === undefined);
      for (const [path, again] of late) write(path, again());
      return removed.map(([path, again]) => write(path, again())).includes(true);
    },
    get unwritten() {
      return [...failures.values()];
    },
  };
}
