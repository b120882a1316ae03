import { identify } from '../compat/identity.ts';
import { loadConfig, type ConfigResult } from '../config/load.ts';
import type { Call } from './call.ts';

/** The configuration at `path` (absolute), as a supervisor that is started by this command would read it. */
export function loadConfigFor({ env }: Pick<Call, 'env'>, path: string): ConfigResult {
  return loadConfig(path, { env, identify });
}
