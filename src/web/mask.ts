import { statSync } from 'node:fs';
import type { ServiceSpec } from '../../machines/types.ts';
import type { Call } from '../cli/call.ts';
import { chooseConfigToRead } from '../cli/config-choice.ts';
import { loadOrRefuse } from '../cli/load-config.ts';
import type { LoadedConfig } from '../config/load.ts';
import { maskedThroughout } from '../masked.ts';
import type { Mask } from '../secrets.ts';

/** What stands for a value of the environment. */
export const MASK = '•••';

export interface Configured {
  /** The file that was read; null where there is none. */
  readonly path: string | null;
  /** Why the file cannot be read as it is now; what is known of it is of before. */
  readonly problem: string | null;
  readonly specs: readonly ServiceSpec[];
  /** By service, of those that have some. */
  readonly profiles: LoadedConfig['profiles'];
}

/**
 * The configuration as it is on disk, read again when its file has changed and now and then, since it names other files.
 * What is read is masked from then on.
 */
export function watchConfig(call: Call): () => Configured {
  let known: { readonly stamp: string; readonly readMs: number; readonly configured: Configured } | null = null;
  return () => {
    const chosen = chooseConfigToRead(call);
    const path = chosen.ok ? chosen.path : null;
    const found = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
    const stamp = `${path} ${found?.mtimeMs} ${found?.ino}`;
    if (known !== null && known.stamp === stamp && performance.now() - known.readMs < LONGEST_MS) return known.configured;
    const loaded = path === null ? null : loadOrRefuse(call, path);
    // A file that is being edited: what was good stays.
    const { services: specs, profiles } = loaded?.ok === true ? loaded.config : { services: known?.configured.specs ?? [], profiles: known?.configured.profiles ?? {} };
    const configured: Configured = { path, problem: loaded?.ok === false ? call.secrets.mask(loaded.refusal.message) : null, specs, profiles };
    known = { stamp, readMs: performance.now(), configured };
    return configured;
  };
}

/** The definition of a unit for people to read, without a value of its environment. */
export function maskedSpec({ env, definition: _, name, hash, dependsOn, ...rest }: ServiceSpec, mask: Mask): unknown {
  // Names of units are no secrets.
  return { name, hash, ...maskedThroughout(rest, mask), dependsOn, env: Object.fromEntries(Object.keys(env).map((key) => [key, MASK])) };
}

const LONGEST_MS = 30_000;
