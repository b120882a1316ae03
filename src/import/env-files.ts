import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnvFile } from '../config/env-file.ts';
import type { Sourced } from '../yaml-text.ts';
import { rebased } from './draft.ts';
import { readFurther, type Source } from './source.ts';
import type { Remarks } from './remarks.ts';

export interface UsableEnvFile {
  /** As the result names it. */
  readonly path: string;
  readonly variables: ReadonlyMap<string, string>;
}

/** The `.env` beside the file; null as for `usableEnvFile`, and where there is none. */
export function dotEnvBeside({ directory, target }: Source, remarks: Remarks, replaces: boolean): UsableEnvFile | null {
  const file = join(directory, '.env');
  return existsSync(file) ? usableEnvFile('.env', { file, line: 1 }, 'env', { directory, target, remarks, replaces }) : null;
}

/** An env file that sysg can read; null after having said why not. `replaces`: its source puts variables in, which sysg does not. */
export function usableEnvFile(
  written: string,
  place: Pick<Sourced, 'file' | 'line'>,
  key: string,
  around: Pick<Source, 'directory' | 'target'> & { readonly remarks: Remarks; readonly replaces: boolean },
): UsableEnvFile | null {
  const { directory, target, remarks, replaces } = around;
  const path = resolve(directory, written);
  if (!existsSync(path)) {
    remarks.lost(place, key, `there is no file ${path}`);
    return null;
  }
  const read = readFurther(path);
  const parsed = read.ok ? parseEnvFile(read.text) : null;
  const problem = read.ok ? parsed?.problems[0] : undefined;
  if (!read.ok || parsed === null || problem !== undefined) {
    remarks.lost(place, key, read.ok ? `sysg cannot read ${path}:${problem?.line}: ${problem?.message}` : read.reason);
    return null;
  }
  const referring = replaces ? [...parsed.variables].filter(([, value]) => /\$(\w|\{)/.test(value)).map(([name]) => name) : [];
  if (referring.length > 0) remarks.changed(place, key, `nothing is replaced within an env file: ${referring.join(', ')} in ${path} would keep the dollar`);
  return { path: rebased(written, directory, target), variables: parsed.variables };
}
