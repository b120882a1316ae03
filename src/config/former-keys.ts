/**
 * Keys of 0.33.0's documentation and examples that its program never read, and names that other supervisors use, with
 * what is meant here. A hint applies where its key is known.
 */
const meant: ReadonlyMap<string, readonly string[]> = new Map([
  ['work_dir', ['working_dir']], ['workdir', ['working_dir']], ['cwd', ['working_dir']], ['directory', ['working_dir']],
  ['retries', ['max_restarts']], ['restart', ['restart_policy']], ['restart_delay', ['backoff']],
  ['deployment_strategy', ['deployment', 'deployment: {strategy: …}']],
  ['pre_start', ['deployment', 'deployment: {pre_start: …}']],
  ['limit', ['limits']], ['environment', ['env']], ['env_file', ['env', 'env: {file: …}']], ['environment_file', ['env', 'env: {file: …}']],
  ['cmd', ['command']], ['args', ['exec']], ['argv', ['exec']], ['depends', ['depends_on']], ['after', ['depends_on']], ['requires', ['depends_on']],
  ['healthcheck', ['health_check']], ['schedule', ['cron']], ['timezone', ['cron', 'cron: {expression: …, timezone: …}']],
  ['stop_grace_period', ['stop_timeout']], ['kill_timeout', ['stop_timeout']], ['grace_period', ['stop_timeout']],
  ['kill_signal', ['stop_signal']], ['log', ['logs']], ['logging', ['logs']],
  ['on_error', ['on_start', 'on_start: {error: …}']], ['webhooks', ['hooks']],
]);

/** `, did you mean 'working_dir'?` when `key` is a former or foreign name of a known key. */
export function hintFor(key: string, known: readonly string[]): string | null {
  const [target, shown] = meant.get(key) ?? [];
  return target !== undefined && known.includes(target) ? `, did you mean '${shown ?? target}'?` : null;
}
