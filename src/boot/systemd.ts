import { dirname } from 'node:path';
import { firstConfigPath, shownConfigPath } from '../config-path.ts';
import { commandOf, startFlags, markOf, type BootOrder } from './order.ts';

/** A unit in which the supervisor is the main process and the services are its children: systemd.service(5), systemd.kill(5). */
export function systemdUnit(order: BootOrder): string {
  const { config, system, searchPath, stopSeconds } = order;
  return `# Written by sysg boot install, which writes it anew when it is called again: changes belong into a drop-in.
# ${markOf(order)}
[Unit]
Description=sysg supervisor of ${plain(shownConfigPath(config))}
Documentation=man:sysg(1)
RequiresMountsFor=${quoted(dirname(firstConfigPath(config)))}
${system ? 'Wants=network-online.target\nAfter=network-online.target\n' : ''}StartLimitIntervalSec=0

[Service]
Type=exec
Environment=${quoted(`PATH=${searchPath}`)} SYSG_KEEPER=systemd
ExecStart=${execution(commandOf(order, 'start', ...startFlags(order)))}
ExecReload=/bin/kill -s HUP $MAINPID
# A supervisor that dies leaves its services running and the next one goes on with the same processes. KillMode=mixed would end them.
KillMode=process
# The supervisor marks what belongs to a service by a control group below its own.
Delegate=yes
Restart=on-failure
RestartSec=1s
# What was refused would be refused again. 75 is a supervisor that makes way for a newer one: sysg restart --supervisor.
RestartPreventExitStatus=1 2
RestartForceExitStatus=75
# The supervisor ends each service within the stop_timeout of that service.
TimeoutStopSec=${stopSeconds}
# A service that runs out of memory is the supervisor's to restart; the limit on tasks would be one for all services together.
OOMPolicy=continue
TasksMax=infinity

[Install]
WantedBy=${system ? 'multi-user' : 'default'}.target
`;
}

/** The program itself may not have signs of the syntax in its name, and a dollar is one there that nothing takes away. */
function execution(words: readonly string[]): string {
  const [program = '', ...rest] = words;
  return (/["'\\$]/.test(program) ? ['/usr/bin/env', ...words].map(word) : [quoted(program), ...rest.map(word)]).join(' ');
}

/** A percent sign begins a specifier: systemd.unit(5). */
function plain(text: string): string {
  return text.replaceAll('%', '%%');
}

/** systemd.syntax(7) */
function quoted(text: string): string {
  return `"${plain(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A word of a command line, in which a dollar begins a variable. */
function word(text: string): string {
  return quoted(text.replaceAll('$', '$$$$'));
}
