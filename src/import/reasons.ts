/** Why a key of another supervisor has no match here, by its name. */
export type Reasons = Readonly<Record<string, string>>;

const logs = 'sysg keeps logs in its own directory; see "sysg logs"';
/** Of a name of the whole file: whose state lies where is for its owner to choose. */
const nameOfAll = 'left out: "project: NAME" gives the supervisor a name, and a place of its own beside others';
const container = 'it is about the container, and there is none';
const network = 'services use the network of this machine, and reach each other on localhost';
const ownFiles = 'the program sees the files of this machine';
const watching = 'sysg does not watch files';
const events = 'there are no event listeners';
export const kernelLimit = 'limits.cgroup has the kernel keep such a limit, as root with cgroup v2';
export const noImages = 'sysg pulls and runs no images: the program has to be on this machine';

export const composeService: Reasons = {
  ...forKeys('image build pull_policy platform runtime', noImages),
  ...forKeys('ports expose', 'the program opens its ports itself'),
  ...forKeys('networks network_mode links external_links extra_hosts dns dns_search dns_opt hostname domainname mac_address', network),
  ...forKeys('volumes volumes_from configs secrets storage_opt shm_size devices device_cgroup_rules gpus', ownFiles),
  ...forKeys('container_name init tty stdin_open privileged userns_mode uts ipc pid cgroup cgroup_parent sysctls isolation oom_kill_disable', container),
  ...forKeys('oom_score_adj annotations label_file attach use_api_socket provider models credential_spec', container),
  tmpfs: `${ownFiles}; sandbox: {private_tmp: true} gives it a /tmp of its own, as root`,
  read_only: `${ownFiles}; sandbox: {read_only_root: true} keeps it from writing them, as root`,
  security_opt: 'it is about the container; sandbox: {no_new_privs: true} is no-new-privileges here',
  labels: 'services have no labels',
  scale: 'sysg runs one process of a service',
  develop: watching,
  ...forKeys('mem_limit mem_reservation memswap_limit mem_swappiness cpus cpu_count cpu_percent cpu_shares cpu_quota cpu_period', kernelLimit),
  ...forKeys('cpu_rt_runtime cpu_rt_period pids_limit blkio_config', kernelLimit),
  pre_stop: 'hooks of a stop run after it',
};

export const composeFile: Reasons = {
  name: nameOfAll,
  ...forKeys('volumes configs secrets', ownFiles),
  networks: network,
  models: 'sysg runs no models',
};

export const processComposeProcess: Reasons = {
  description: 'services have no description',
  log_location: logs,
  disable_ansi_colors: 'a log here has the bytes that were written',
  is_tty: 'services have no terminal; script(1) gives one to a program',
  is_interactive: 'services have no terminal',
  is_daemon: 'the program has to stay in the foreground: its end is that of the service',
  launch_timeout_seconds: 'it belongs to is_daemon',
  is_elevated: 'a supervisor of root runs it as root; "user" is another account',
  is_dotenv_disabled: 'the variables of .env are those of every service',
  watch: watching,
  mcp: 'there is no server of MCP',
};

export const processComposeFile: Reasons = {
  name: nameOfAll,
  ...forKeys('log_level log_length log_format is_tui_disabled theme mcp_server', 'it is about process-compose itself'),
  log_location: logs,
  log_configuration: `${logs}; "logs" of "defaults" says how they are rotated`,
  env_cmds: 'variables have values; a command can begin with NAME=$(…)',
  extends: 'import that file, too: -c may be given twice, and what is given last counts',
  ordered_shutdown: 'what needs a service is stopped before it in any case',
};

export const pm2App: Reasons = {
  ...forKeys('out_file error_file log_file output error log out combine_logs merge_logs log_date_format log_type time disable_logs pid_file pid', logs),
  ...forKeys('watch ignore_watch watch_options watch_delay', watching),
  max_memory_restart: 'sysg does not restart a service for the memory that it uses; limits.cgroup.memory_max has the kernel end it, as root',
  shutdown_with_message: 'a stop sends a signal and no message',
  listen_timeout: 'it belongs to wait_ready',
  namespace: 'there are no namespaces of apps',
  deploy: 'sysg does not deploy over ssh',
};

export const supervisordProgram: Reasons = {
  ...forKeys('stdout_logfile stderr_logfile stdout_syslog stderr_syslog stderr_logfile_maxbytes stderr_logfile_backups', logs),
  redirect_stderr: 'standard output and standard error have a log each; "exec 2>&1;" before the command makes them one',
  ...forKeys('stdout_events_enabled stderr_events_enabled stdout_capture_maxbytes stderr_capture_maxbytes', events),
  priority: 'services start side by side; depends_on says what has to be there first',
  serverurl: 'there is no such server',
};

export const supervisordItself: Reasons = {
  ...forKeys('nodaemon silent childlogdir pidfile logfile loglevel logfile_maxbytes logfile_backups strip_ansi nocleanup identifier', 'it is about supervisord itself'),
  user: 'sysg runs as the user that starts it; a program has a user of its own',
  directory: 'a service runs in the directory of the configuration, or in its working_dir',
  minfds: 'limits: {nofile} of a service, or of "defaults", says how many files may be open',
  minprocs: 'limits: {nproc} of a service, or of "defaults", says how many processes there may be',
  umask: 'services have the umask of sysg; a program may have one of its own',
};

export const supervisordSections: readonly (readonly [RegExp, string])[] = [
  [/^group:/, 'there are no groups; each program is a service under its own name'],
  [/^eventlistener:/, `${events}; hooks run a command at a start, a stop and a restart, and "sysg events --follow --json" prints what happens`],
  [/^fcgi-program:/, 'sysg opens no socket for a FastCGI program'],
  [/^(unix_http_server|inet_http_server|supervisorctl)$/, 'sysg has a control socket of its own'],
  [/^rpcinterface:/, 'there are no RPC interfaces'],
];

export const systemgFile: Reasons = {
  status: 'what status shows is measured when it is asked for',
  project: nameOfAll,
};

/** `keys` with blanks between them. */
function forKeys(keys: string, reason: string): Reasons {
  return Object.fromEntries(keys.split(' ').map((key) => [key, reason]));
}
