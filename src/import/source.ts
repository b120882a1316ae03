import { readText } from '../config/source-file.ts';
import { refuse, type Refused } from '../errors.ts';
import type { Draft } from './draft.ts';

/** What an importer is given. */
export interface Source {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** Of the file. */
  readonly directory: string;
  /** The directory where the result is to be. */
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  /** The name of pm2's `--env`. */
  readonly envName: string | null;
}

/** Puts what the source says into the draft. */
export type Importer = (source: Source, draft: Draft) => Refused | null | Promise<Refused | null>;

/** The file, or another one that it names. */
export function readFurther(path: string): { readonly ok: true; readonly text: string } | Refused {
  const read = readText(path, 'Failed to read');
  return read.ok ? read : refuse(read.line === null ? read.message : `${path}:${read.line}: ${read.message}`);
}
