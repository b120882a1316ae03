import type { SignalName, Trigger } from '../../machines/types.ts';
import type { Exchange, Route } from '../control/connection.ts';
import { watchTerminal } from '../process/hangup.ts';
import { isSignal } from '../signals.ts';
import type { DaemonSetting } from './setting.ts';
import type { Supervision } from './supervision.ts';

/** Ends everything in order; a second time it does nothing. */
export type Shutdown = (because: string, origin: Trigger) => void;

export function makeShutdown({ clock, log, echo }: DaemonSetting, { units: { send }, records }: Pick<Supervision, 'units' | 'records'>): Shutdown {
  let ending = false;
  return (because, origin) => {
    if (ending) return;
    ending = true;
    log.info('sysg::supervisor', `Shutting down: ${because}`);
    echo?.say('systemg is shutting down... terminating child services');
    const signal = origin.by !== null && isSignal(origin.by) ? origin.by : undefined;
    records.request({ command: 'shutdown', unit: null, asker: { signal }, detail: { because } });
    send({ type: 'shutdown', at: clock.now(), ticket: null, exitCode: 0, origin });
  };
}

/**
 * To be called before anything else. Node opens its debugger on SIGUSR1 until somebody handles the signal, and SIGXFSZ kills, which the kernel raises for each write
 * beyond the limit of file sizes: the writer is told as well (EFBIG), and a note in the log might be the next such write.
 */
export function handleFromTheStart(): void {
  for (const signal of ['SIGUSR1', 'SIGXFSZ'] as const) on(signal, () => undefined);
}

/**
 * Keeps what arrives until `obeySignals` obeys it: a supervisor that dies while it takes up what another one left running would leave that running too. To be
 * called by the holder of the lock; before, a signal may simply kill.
 */
export function keepSignals() {
  const kept: SignalName[] = [];
  const off = KEPT.filter(isSignal).map((signal) => {
    const keep = (): void => void kept.push(signal);
    process.on(signal, keep);
    return () => process.off(signal, keep);
  });
  return {
    /** To be called when all of them are handled: none is obeyed by dying. Sends again what has arrived. */
    give(): void {
      for (const forget of off) forget();
      for (const signal of kept) process.kill(process.pid, signal);
    },
  };
}

export type KeptSignals = ReturnType<typeof keepSignals>;

/** What signals mean to the supervisor; the table for people is in docs/lifecycle.md. Those that only a fault raises kill, and the guardian starts another one. */
export function obeySignals(
  { clock, log, echo, parent, nohup }: DaemonSetting, kept: KeptSignals, route: Route, shutdown: Shutdown, { units, outputs, records }: Supervision,
): void {
  let endingSince: number | null = null;
  let terminalIsGone = watchTerminal();

  const end = (because: string, by: SignalName): void => {
    endingSince ??= clock.now();
    shutdown(because, { kind: 'signal', by });
  };
  /** A second Ctrl-C. Some parents send one on that the terminal has sent as well. */
  const hurry = (since: number): void => {
    if (clock.now() - since < SAME_KEY_MS) return;
    const text = 'SIGINT again: SIGKILL for everything that has not ended';
    log.warn('sysg::supervisor', text);
    echo?.say(text);
    units.send({ type: 'hurry', at: clock.now() });
  };
  const reload = async (): Promise<void> => {
    const answer = await route({ kind: 'reload', config: null }, { ...noClient, onSignal: 'SIGHUP' });
    if (answer?.kind === 'error') {
      log.error('sysg::supervisor', `Reload refused, nothing changed: ${answer.text}`);
      records.reloadRefused('SIGHUP', answer.text);
    } else if (answer?.kind === 'message') log.info('sysg::supervisor', answer.text);
  };

  for (const signal of ['SIGTERM', 'SIGQUIT', 'SIGPWR'] as const) on(signal, () => end(signal, signal));
  on('SIGINT', () => (endingSince === null ? end('SIGINT', 'SIGINT') : hurry(endingSince)));
  on('SIGHUP', () => {
    if (!terminalIsGone()) return void reload();
    terminalIsGone = () => false;
    if (!nohup) end('the terminal was closed', 'SIGHUP');
  });
  on('SIGUSR1', () => {
    log.reopen();
    outputs.logs.reopen();
    outputs.childLogs.reopen();
    log.info('sysg::supervisor', 'SIGUSR1: log files are opened anew');
  });
  for (const signal of UNUSED) on(signal, () => log.warn('sysg::supervisor', `${signal} means nothing to the supervisor and is ignored`));

  kept.give();
  parent.onGone(() => shutdown('the command in the foreground is gone', { kind: 'signal', by: null }));
  if (parent.asked !== null) process.kill(process.pid, parent.asked);
}

const KEPT = ['SIGTERM', 'SIGQUIT', 'SIGPWR', 'SIGINT', 'SIGHUP'] as const;
/** Without a handler they would kill. Real-time signals cannot be handled by Node. */
const UNUSED = ['SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSTKFLT', 'SIGXCPU'] as const;
/** A person does not press a key twice within that time. */
const SAME_KEY_MS = 100;

/** Where the platform has the signal. */
function on(signal: SignalName, obey: () => void): void {
  if (isSignal(signal)) process.on(signal, obey);
}

/** A signal asks, no client. */
const noClient: Exchange = { signal: new AbortController().signal, write: () => Promise.resolve(), peerDescriptor: () => null };
