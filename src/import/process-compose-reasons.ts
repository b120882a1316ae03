import { logReason, nameOfAll } from './remarks.ts';

const itself = 'it is about process-compose itself';

/** Why a key of a process has no match. */
export const processReasons: Readonly<Record<string, string>> = {
  description: 'services have no description',
  log_location: logReason,
  disable_ansi_colors: 'a log here has the bytes that were written',
  is_tty: 'services have no terminal; script(1) gives one to a program',
  is_interactive: 'services have no terminal',
  is_daemon: 'the program has to stay in the foreground: its end is that of the service',
  launch_timeout_seconds: 'it belongs to is_daemon',
  is_elevated: 'a supervisor of root runs it as root; "user" is another account',
  is_dotenv_disabled: 'the variables of .env are those of every service',
  watch: 'sysg does not watch files',
  mcp: 'there is no server of MCP',
};

/** Why a key of the file has no match. */
export const topReasons: Readonly<Record<string, string>> = {
  name: nameOfAll,
  ...Object.fromEntries(['log_level', 'log_length', 'log_format', 'is_tui_disabled', 'theme', 'mcp_server'].map((key) => [key, itself])),
  log_location: logReason,
  log_configuration: `${logReason}; "logs" of "defaults" says how they are rotated`,
  env_cmds: 'variables have values; a command can begin with NAME=$(…)',
  extends: 'import that file, too: -c may be given twice, and what is given last counts',
  ordered_shutdown: 'what needs a service is stopped before it in any case',
};
