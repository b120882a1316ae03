import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { lineEndProblem } from '../config-path.ts';

/** Looked for in this order when no file is named. */
export const configNames = ['sysg.config.yaml', 'sysg.yaml', 'systemg.yaml'] as const;

/** As short as a file may be, on one line. */
export const shortestConfig = '{version: "1", services: {web: {command: node server.js}}}';

export interface DiscoverOptions {
  readonly cwd: string;
  /** `~/.config/systemg`, or `/etc/systemg` in system mode. */
  readonly configDir: string;
  /** The argument of `-c`; `null` and, as in 0.33.0, an empty one search. */
  readonly explicit: string | null;
}

export type Discovered = { readonly path: string } | { readonly problem: string };

/**
 * The absolute path of the configuration. A named file is taken from the working directory, then from the config
 * directory; one that is in neither, or absolute, is given as it is and fails when it is read.
 */
export function discoverConfig(options: DiscoverOptions): Discovered {
  const found = discovered(options);
  const problem = 'path' in found ? lineEndProblem(found.path) : null;
  return problem === null ? found : { problem };
}

function discovered({ cwd, configDir, explicit: named }: DiscoverOptions): Discovered {
  const explicit = named || null;
  if (explicit !== null && isAbsolute(explicit)) return { path: explicit };
  const names = explicit === null ? configNames : [explicit];
  for (const path of [cwd, configDir].flatMap((directory) => names.map((name) => join(directory, name)))) {
    const found = existing(path);
    if (found !== null) return { path: found };
  }
  if (explicit !== null) return { path: join(cwd, explicit) };
  return { problem: `No config file found: looked for ${configNames.join(', ')} in ${cwd} and ${configDir}` };
}

/** A link in the place of the file is followed, for the project is where the file is; links on the way there (`current`) are left to each reading. */
function existing(path: string, followed = 0): string | null {
  if (!existsSync(path) || followed > MOST_LINKS) return null;
  return lstatSync(path).isSymbolicLink() ? existing(resolve(dirname(path), readlinkSync(path)), followed + 1) : path;
}

/** As many as Linux follows: path_resolution(7). */
const MOST_LINKS = 40;
