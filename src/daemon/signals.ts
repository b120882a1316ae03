import type { Trigger } from '../../machines/types.ts';
import type { Exchange, Route } from '../control/connection.ts';
import { readStatText, statFields } from '../process/proc.ts';
import type { DaemonSetting } from './setting.ts';
import type { Units } from './units.ts';

/** Ends everything in order; a second time it does nothing. */
export type Shutdown = (because: string, origin: Trigger) => void;

export function makeShutdown({ clock, log, echo }: DaemonSetting, { send }: Pick<Units, 'send'>): Shutdown {
  let ending = false;
  return (because, origin) => {
    if (ending) return;
    ending = true;
    log.info('systemg::supervisor', `Shutting down: ${because}`);
    echo?.say('systemg is shutting down... terminating child services');
    send({ type: 'shutdown', at: clock.now(), ticket: null, exitCode: 0, origin });
  };
}

/** TERM, INT and QUIT end everything; HUP reloads; with a terminal it means that the terminal is gone, and ends everything too. */
export function obeySignals({ log, parent }: DaemonSetting, route: Route, shutdown: Shutdown): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => shutdown(signal, { kind: 'signal', by: signal }));
  process.on('SIGHUP', () => {
    if (hasTerminal() && process.pid !== 1) return shutdown('SIGHUP from the terminal', { kind: 'signal', by: 'SIGHUP' });
    void route({ kind: 'reload', config: null }, noClient).then((answer) => {
      if (answer === null) return;
      if (answer.kind === 'error') log.error('systemg::supervisor', `Reload refused, nothing changed: ${answer.text}`);
      else if (answer.kind === 'message') log.info('systemg::supervisor', answer.text);
    });
  });
  parent.onGone(() => shutdown('the command in the foreground is gone', { kind: 'signal', by: null }));
  if (parent.asked !== null) process.kill(process.pid, parent.asked);
}

/** A signal asks, no client. */
const noClient: Exchange = { signal: new AbortController().signal, write: () => Promise.resolve(), peerDescriptor: () => null };

/** Whether this process has a controlling terminal: field 7 of proc_pid_stat(5). */
function hasTerminal(): boolean {
  if (process.platform !== 'linux') return process.stdin.isTTY === true;
  return statFields(readStatText('self') ?? '')?.(7) !== '0';
}
