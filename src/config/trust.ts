import { lstatSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { configPaths } from '../config-path.ts';
import { osText } from '../errors.ts';
import type { ConfigResult } from './load.ts';
import { problemOfFile } from './problem.ts';

/** What `load` reads at `path` for a supervisor of root: refused where others could give it orders by the file, or by one that it includes. */
export function loadTrusted(path: string, load: () => ConfigResult): ConfigResult {
  const refused = refusalOf(configPaths(path));
  if (refused !== null) return refused;
  const loaded = load();
  return (loaded.ok ? refusalOf([...Object.keys(loaded.config.included), ...Object.keys(loaded.config.envFiles)]) : null) ?? loaded;
}

function refusalOf(files: readonly string[]): ConfigResult | null {
  const message = files.map(distrust).find((found) => found !== null);
  return message === undefined ? null : { ok: false, problems: [problemOfFile('', message)] };
}

/**
 * Why root must not take orders from a file: somebody else could write to it, or put another file in its place. Looks at the file, at every directory above
 * it, and at where links lead. In a directory with the sticky bit nobody removes what is not his own. Null: nobody else can, or there is no such file, which
 * the reader of the file says better.
 */
export function distrust(path: string): string | null {
  try {
    const places = new Set([...upwards(path), ...upwards(realpathSync(path))]);
    for (const place of places) {
      const problem = openTo(place, place === path ? statSync(place) : lstatSync(place));
      if (problem !== null) return problem;
    }
    return null;
  } catch (error) {
    return /^(No such file|Not a directory)/.test(osText(error)) ? null : `${path}: cannot be looked at: ${osText(error)}`;
  }
}

function upwards(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [path] : [path, ...upwards(above)];
}

function openTo(place: string, found: Stats): string | null {
  if (found.uid !== 0) return `${place}: belongs to uid ${found.uid}, expected root, whose supervisor obeys it`;
  // Who is in the group of root is root as good as.
  const open = found.mode & (found.gid === 0 ? 0o002 : 0o022);
  if (found.isSymbolicLink() || open === 0 || (found.isDirectory() && (found.mode & 0o1000) !== 0)) return null;
  const who = (open & 0o002) !== 0 ? 'everybody' : `group ${found.gid}`;
  return `${place}: ${who} may write to it (mode ${(found.mode & 0o7777).toString(8)}), expected root alone, whose supervisor obeys it; try: chmod go-w ${place}`;
}
