import { identify } from '../compat/identity.ts';
import { readAdHoc } from '../config/ad-hoc-list.ts';
import { combine, type Combined } from '../config/ad-hoc.ts';
import { loadConfig, type ConfigResult, type LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { refusals, type Result } from '../errors.ts';
import type { Call } from './call.ts';

/** The configuration at `path` (absolute), as a supervisor that is started by this command would read it. */
export function loadConfigFor({ env, secrets }: Pick<Call, 'env' | 'secrets'>, path: string): ConfigResult {
  return loadConfig(path, { env, identify, secrets });
}

/** The configuration with the units beside it, as they are while no supervisor runs. */
export function combinedFor(call: Call, config: LoadedConfig): Combined {
  const { env, secrets, paths: { stateDir }, terminal } = call;
  return combine({ path: config.path, specs: config.services }, readAdHoc(stateDir, terminal.warn), { context: { env, identify, secrets }, onProblem: terminal.warn });
}

/** As `loadConfigFor`, with one refusal for everything that is wrong. */
export function loadOrRefuse(call: Call, path: string): Result<Pick<Extract<ConfigResult, { ok: true }>, 'config'>> {
  const loaded = loadConfigFor(call, path);
  return loaded.ok ? loaded : { ok: false, refusal: refusals.config(loaded.problems.map(formatProblem).join('\n')) };
}
