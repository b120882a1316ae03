import { dirname } from 'node:path';
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
  /** Where the result is to be. */
  readonly target: string;
  readonly env: NodeJS.ProcessEnv;
  /** The name of pm2's `--env`. */
  readonly envName: string | null;
}

/** Puts what the source says into the draft. */
export type Importer = (source: Source, draft: Draft) => Promise<Refused | null>;

/** Another file that a source names. */
export function readFurther(path: string): { readonly ok: true; readonly text: string; readonly directory: string } | Refused {
  const read = readText(path, 'Failed to read');
  return read.ok
    ? { ok: true, text: read.text, directory: dirname(path) }
    : refuse(read.line === null ? read.message : `${path}:${read.line}: ${read.message}`);
}
