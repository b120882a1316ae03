import { realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Looked for in this order when no file is named. */
export const configNames = ['sysg.config.yaml', 'sysg.yaml', 'systemg.yaml'] as const;

export interface DiscoverOptions {
  readonly cwd: string;
  /** `~/.config/systemg`, or `/etc/systemg` in system mode. */
  readonly configDir: string;
  /** The argument of `-c`; `null` searches. */
  readonly explicit: string | null;
}

export type Discovered = { readonly path: string } | { readonly problem: string };

/**
 * The absolute path of the configuration. A named file is taken from the working directory, then from the config
 * directory; one that is in neither, or absolute, is given as it is and fails when it is read.
 */
export function discoverConfig({ cwd, configDir, explicit }: DiscoverOptions): Discovered {
  if (explicit === '') return { problem: 'expected the path of a config file, got ""' };
  if (explicit !== null && isAbsolute(explicit)) return { path: explicit };
  const names = explicit === null ? configNames : [explicit];
  for (const path of [cwd, configDir].flatMap((directory) => names.map((name) => join(directory, name)))) {
    const found = existing(path);
    if (found !== null) return { path: found };
  }
  if (explicit !== null) return { path: join(cwd, explicit) };
  return { problem: `No config file found: looked for ${configNames.join(', ')} in ${cwd} and ${configDir}` };
}

function existing(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    // ENOENT and its kin: the next place is tried.
    return null;
  }
}
