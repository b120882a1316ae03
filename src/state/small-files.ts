import { failureOf } from '../errors.ts';
import { replaceFile, sizeOf } from '../files.ts';

/** The files that are small and always written whole, as long as their supervisor lives. */
export interface SmallFiles {
  /** Writes the file. What the disk does not take now is written by `mend`, which asks `again` for the text. Takes one sentence per failing disk to `onProblem`. */
  put(path: string, text: string, again?: () => string): void;
  /** Writes what is missing. True: somebody had removed a file, or cut it. */
  mend(): boolean;
  /** Sentences about the files that are not as they should be. */
  readonly unwritten: readonly string[];
}

export function openSmallFiles(onProblem: (text: string) => void): SmallFiles {
  const files = new Map<string, { readonly bytes: number; readonly again: () => string }>();
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
      files.set(path, { bytes: Buffer.byteLength(text), again });
      write(path, text);
    },
    mend() {
      const late = [...files].filter(([path]) => failures.has(path));
      const changed = [...files].filter(([path, { bytes }]) => !failures.has(path) && sizeOf(path) !== bytes);
      for (const [path, { again }] of late) write(path, again());
      return changed.map(([path, { again }]) => write(path, again())).includes(true);
    },
    get unwritten() {
      return [...failures.values()];
    },
  };
}
