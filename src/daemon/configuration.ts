import { readFileSync, rmSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { identify } from '../compat/identity.ts';
import { loadConfig } from '../config/load.ts';
import { formatProblem, wireError } from '../config/problem.ts';
import type { ReadConfig } from '../control/route.ts';
import { textOf } from '../errors.ts';
import { replaceFile } from '../files.ts';
import type { MetricsSpec } from '../metrics-spec.ts';
import { writeConfigHint } from '../state/runtime.ts';
import type { DaemonSetting } from './setting.ts';

type Config = Extract<ReadConfig, { ok: true }>;

/** The configuration in use, and those that are to be. */
export interface Configuration {
  /** Absolute path of the file in use. */
  readonly inUse: string;
  /** Null: the file in use, read again. Relative paths are taken against its directory. */
  read(asked: string | null): ReadConfig;
  /** That of the start. A supervisor that is started again goes on with what was in use, even where the file is broken now. */
  first(): ReadConfig;
  /** From now on it is the one in use. Returns a sentence when that cannot be noted. */
  use(config: Config): string | null;
}

/** A configuration as it was resolved when it was taken over. */
export interface LastConfig {
  /** Absolute path of its file. */
  readonly path: string;
  readonly specs: readonly ServiceSpec[];
  readonly metrics: MetricsSpec | null;
}

export function openConfiguration({ options, parent, paths, environment, log }: DaemonSetting): Configuration {
  // The guardian knows the file of the first start only.
  const last = parent.again ? lastConfig(paths.stateDir) : null;
  let inUse = last?.path ?? options.config;
  const read = (asked: string | null): ReadConfig => {
    const path = asked === null ? inUse : isAbsolute(asked) ? asked : resolve(dirname(inUse), asked);
    const loaded = loadConfig(path, { env: environment, identify });
    if (!loaded.ok) return { ok: false, problems: loaded.problems.map(formatProblem).join('\n'), error: wireError(loaded.problems) };
    for (const warning of loaded.config.warnings) log.warn('systemg::config', formatProblem(warning));
    return { ok: true, path, specs: loaded.config.services, metrics: loaded.config.metrics };
  };
  return {
    get inUse() {
      return inUse;
    },
    read,
    first: () => {
      const found = read(null);
      if (found.ok || last === null) return found;
      // Services run without a supervisor until this one is there: a file that is being edited must not keep it from starting.
      log.error('systemg::config', `${found.problems}\nThe configuration is broken; the one that was in use goes on until a reload`);
      return { ok: true, ...last };
    },
    use: (config) => {
      const problem = keepConfig(paths.stateDir, config);
      if (config.path === inUse) return problem;
      inUse = config.path;
      return writeConfigHint(paths, config.path) ?? problem;
    },
  };
}

/**
 * Keeps the configuration in use for a supervisor that has to take over while the file is being edited. It holds what the
 * file and its env files hold, in the same directory as the socket, for the owner alone. Returns a sentence when it cannot.
 */
function keepConfig(stateDir: string, config: LastConfig): string | null {
  try {
    replaceFile(fileIn(stateDir), JSON.stringify({ form: FORM, ...config }), { durable: false });
    return null;
  } catch (error) {
    return `${fileIn(stateDir)}: cannot be written: ${textOf(error)}`;
  }
}

/** At a clean end, after which the file itself is read again. */
export function forgetConfig(stateDir: string): void {
  rmSync(fileIn(stateDir), { force: true });
}

/** Null: there is none that this version wrote. */
export function lastConfig(stateDir: string): LastConfig | null {
  try {
    const value: unknown = JSON.parse(readFileSync(fileIn(stateDir), 'utf8'));
    return isLastConfig(value) ? value : null;
  } catch {
    // Not there, or not whole: the caller has the configuration file itself to complain about.
    return null;
  }
}

function isLastConfig(value: unknown): value is LastConfig {
  return typeof value === 'object' && value !== null && 'form' in value && value.form === FORM
    && 'path' in value && typeof value.path === 'string' && 'specs' in value && Array.isArray(value.specs);
}

/** To be raised with every change of what a specification holds: another version's is not understood. */
const FORM = 1;

function fileIn(stateDir: string): string {
  return join(stateDir, 'config.last.json');
}
