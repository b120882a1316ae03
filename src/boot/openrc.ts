import { shownConfigPath } from '../config-path.ts';
import { shellWord } from '../words.ts';
import { bootName, commandOf, startFlags, markOf, type BootOrder } from './order.ts';

/** A script for openrc-run(8). The supervisor runs in the background under a guardian of its own, which starts it again when it dies. */
export function openrcScript(order: BootOrder): string {
  const call = (...verb: readonly string[]): string => commandOf(order, ...verb).map(shellWord).join(' ');
  return `#!/sbin/openrc-run
# Written by sysg boot install, which writes it anew when it is called again.
# ${markOf(order)}

name=${shellWord(bootName(order))}
description=${shellWord(`sysg supervisor of ${shownConfigPath(order.config)}`)}
extra_started_commands="reload"
export PATH=${shellWord(order.searchPath)}:"$PATH"

depend() {
  use localmount net dns logger
  after bootmisc
}

start() {
  ebegin "Starting $name"
  ${call('start', '--daemonize', ...startFlags(order))}
  eend $?
}

stop() {
  ebegin "Stopping $name"
  ${call('stop')}
  eend $?
}

reload() {
  ebegin "Reloading $name"
  ${call('reload')}
  eend $?
}

status() {
  ${call('status', ...startFlags(order))}
}
`;
}
