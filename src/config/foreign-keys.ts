/** What stands for a key of another supervisor or engine, as the rest of a sentence; null for any other key. `known`: the keys of the map. */
export function meaningOfKey(key: string, known: readonly string[]): string | null {
  const meant = sameKeys.find(([foreign, ours]) => foreign === key && known.includes(ours.replace(/:.*/, '')));
  if (meant !== undefined) return `, did you mean '${meant[1]}'?`;
  // What has no key here is one of a service there.
  const other = known.includes('restart_policy') ? otherKeys.find(([foreign]) => foreign.split(' ').includes(key)) : undefined;
  return other === undefined ? null : `: ${other[1]}`;
}

/** Keys of 0.33.0's documentation and examples that its program never read, and names that other supervisors use, with what is meant here. */
const sameKeys: readonly (readonly [foreign: string, ours: string])[] = [
  ['autostart', 'profiles'], ['http', 'health_check: {url: …}'], ['http', 'url'], ['http_get', 'health_check: {url: …}'], ['http_get', 'url'],
  ['tcp', 'health_check: {tcp: …}'], ['test', 'command'], ['readiness_probe', 'health_check'], ['liveness_probe', 'health_check'],
  ['wait_ready', 'health_check: {notify_fd: …}'], ['autorestart', 'restart_policy: always'], ['availability', 'restart_policy'],
  ['startsecs', 'stable_after'], ['min_uptime', 'stable_after'], ['startretries', 'max_restarts'], ['priority', 'depends_on'],
  ['exitcodes', 'success_exit_codes'], ['stopsignal', 'stop_signal'], ['stopwaitsecs', 'stop_timeout'],
  ['max_memory_restart', 'limits: {cgroup: {memory_max: …}}'], ['mem_limit', 'limits: {cgroup: {memory_max: …}}'], ['cron_restart', 'cron'],
  ['script', 'command'], ['entrypoint', 'exec'], ['out_file', 'logs'], ['error_file', 'logs'], ['stdout_logfile', 'logs'], ['stderr_logfile', 'logs'],
  ['work_dir', 'working_dir'], ['workdir', 'working_dir'], ['cwd', 'working_dir'], ['directory', 'working_dir'], ['retries', 'max_restarts'],
  ['restart', 'restart_policy'], ['restart_delay', 'backoff'], ['deployment_strategy', 'deployment: {strategy: …}'],
  ['pre_start', 'deployment: {pre_start: …}'], ['limit', 'limits'], ['environment', 'env'], ['env_file', 'env: {file: …}'],
  ['environment_file', 'env: {file: …}'], ['cmd', 'command'], ['args', 'exec'], ['argv', 'exec'], ['depends', 'depends_on'], ['after', 'depends_on'],
  ['requires', 'depends_on'], ['healthcheck', 'health_check'], ['schedule', 'cron'], ['timezone', 'cron: {expression: …, timezone: …}'],
  ['stop_grace_period', 'stop_timeout'], ['kill_timeout', 'stop_timeout'], ['grace_period', 'stop_timeout'], ['kill_signal', 'stop_signal'],
  ['log', 'logs'], ['logging', 'logs'], ['on_error', 'on_start: {error: …}'], ['webhooks', 'hooks'], ['livenessProbe', 'health_check'],
  ['readinessProbe', 'health_check'], ['startupProbe', 'health_check'], ['terminationGracePeriodSeconds', 'stop_timeout'],
  ['restartPolicy', 'restart_policy'], ['workingDir', 'working_dir'], ['resources', 'limits: {cgroup: …}'], ['memory', 'cgroup: {memory_max: …}'],
  ['cpu', 'cgroup: {cpu_max: …}'], ['memory_limit', 'limits: {cgroup: {memory_max: …}}'], ['concurrencyPolicy', 'cron: {expression: …, overlap: …}'],
  ['envFrom', 'env: {file: …}'], ['initContainers', 'depends_on'], ['ExecStart', 'command'], ['ExecStop', 'stop_command'],
  ['ExecStartPre', 'deployment: {pre_start: …}'], ['WorkingDirectory', 'working_dir'], ['EnvironmentFile', 'env: {file: …}'],
  ['RestartSec', 'backoff'], ['KillSignal', 'stop_signal'], ['TimeoutStopSec', 'stop_timeout'], ['User', 'user'], ['After', 'depends_on'],
  ['Requires', 'depends_on'], ['OnCalendar', 'cron'], ['ulimits', 'limits'], ['on_failure', 'on_stop: {error: …}'],
  ['on_failure', 'hooks: {on_stop: {error: …}}'], ['kind', 'oneshot: true'], ['type', 'oneshot: true'], ['Type', 'oneshot: true'],
  ['dir', 'working_dir'], ['run', 'command'], ['stop_exit_codes', 'success_exit_codes'], ['exp_backoff_restart_delay', 'backoff'], ['listen_timeout', 'health_check: {…, timeout: …}'],
  ['nice', 'limits: {nice: …}'], ['Nice', 'limits: {nice: …}'], ['MemoryMax', 'limits: {cgroup: {memory_max: …}}'], ['log_file', 'logs'], ['log_location', 'logs'],
  ['wants', 'depends_on'], ['Wants', 'depends_on'], ['disabled', 'profiles'], ['shutdown', 'stop_signal'],
];

const otherKeys: readonly (readonly [foreign: string, meant: string])[] = [
  ['instances exec_mode numprocs replicas scale', 'each instance is a service of its own here'],
  ['image build', 'services are programs of this machine here, given by command or exec'],
  ['ports expose networks', 'services listen on the machine itself here'],
  ['volumes', 'paths are those of the machine here'],
  ['watch ignore_watch', 'the program has to watch its files itself, as in: node --watch'],
  ['namespace', 'a project of its own, or names with a common beginning and patterns, are the groups here'],
];
