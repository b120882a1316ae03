import { identify } from '../compat/identity.ts';
import { loadConfig, type ConfigResult } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { refusals, type Result } from '../errors.ts';
import type { Call } from './call.ts';

/** The configuration at `path` (absolute), as a supervisor that is started by this command would read it. */
export function loadConfigFor({ env, secrets }: Pick<Call, 'env' | 'secrets'>, path: string): ConfigResult {
  return loadConfig(path, { env, identify, secrets });
}

/** As `loadConfigFor`, with one refusal for everything that is wrong. */
export function loadOrRefuse(call: Call, path: string): Result<Pick<Extract<ConfigResult, { ok: true }>, 'config'>> {
  const loaded = loadConfigFor(call, path);
  return loaded.ok ? loaded : { ok: false, refusal: refusals.config(loaded.problems.map(formatProblem).join('\n')) };
}
