import { refuse } from '../errors.ts';
import { formatDuration } from '../words.ts';
import { signalNamed } from '../signals.ts';
import type { Sourced } from '../yaml-text.ts';
import { importCron } from './cron.ts';
import { put, type DraftBlock } from './draft.ts';
import { shown, textsOf, truth, type Reader } from './reader.ts';

/** When an app is started again, and after how long. */
export function restarts(read: Reader, block: DraftBlock, name: string): void {
  const autorestart = read.take('autorestart');
  const isRestarted = autorestart === null || truth(String(autorestart.value)) !== false;
  const schedule = read.take('cron_restart') ?? read.take('cron');
  const isCron = schedule !== null && !isRestarted;
  if (!isRestarted && !isCron) put(block, 'restart_policy', 'never', autorestart);
  if (schedule !== null && String(schedule.value) !== '0' && schedule.value !== false) {
    const written = String(schedule.value);
    const cron = isCron ? importCron(written) : refuse(`a running service is not restarted by the clock; a crontab can: "${written} sysg restart -s ${name}"`);
    const key = read.at('cron_restart');
    if (!cron.ok) read.remarks.lost(schedule, key, cron.reason);
    else {
      put(block, 'cron', cron.expression, schedule);
      read.remarks.changed(schedule, key, `runs when it is due; pm2 also runs it at its own start${cron.changed === null ? '' : `; ${cron.changed}`}`);
    }
  }
  const growing = read.take('exp_backoff_restart_delay');
  const delay = duration(read, 'restart_delay');
  const initial = growing === null ? null : milliseconds(String(growing.value));
  if (initial !== null && initial > 0) {
    // pm2: half as much again each time, 15 s at most, forgotten after 30 s.
    put(block, 'backoff', { initial: formatDuration(initial), max: formatDuration(Math.max(initial, 15_000)), factor: 1.5, jitter: 0 }, growing);
    put(block, 'stable_after', '30s');
  } else if (delay !== null) put(block, 'backoff', delay.text, delay.from);
  const most = read.take('max_restarts');
  if (most !== null) put(block, 'max_restarts', Math.max(0, Math.round(Number(most.value)) || 0), most);
  const uptime = duration(read, 'min_uptime');
  if (uptime !== null && !block.has('stable_after')) put(block, 'stable_after', uptime.text, uptime.from);
  const codes = read.take('stop_exit_codes');
  if (codes !== null) put(block, 'no_restart_exit_codes', textsOf(codes).map(Number), codes);
  if (block.has('cron')) for (const key of ['backoff', 'max_restarts', 'stable_after']) block.delete(key);
}

/** How it is ended, and when it is ready. */
export function stopping(read: Reader, block: DraftBlock): void {
  const timeout = duration(read, 'kill_timeout');
  if (timeout !== null) put(block, 'stop_timeout', timeout.text, timeout.from);
  const signal = read.take('kill_signal') ?? read.take('stop_signal');
  const name = signal === null ? null : signalNamed(String(signal.value));
  if (name !== null) put(block, 'stop_signal', name, signal);
  const treekill = read.take('treekill');
  if (treekill !== null && truth(String(treekill.value)) === false) put(block, 'kill_mode', 'mixed', treekill);
  if (truth(String(read.take('wait_ready')?.value)) === true)
    read.lose('wait_ready', "sysg has no message channel for process.send('ready'); health_check: {notify_fd: 3} waits for a newline on descriptor 3, {tcp: …} for a port");
}

function duration(read: Reader, key: string): { readonly text: string; readonly from: Sourced } | null {
  const from = read.take(key);
  if (from === null) return null;
  const ms = milliseconds(String(from.value));
  if (ms !== null) return { text: formatDuration(ms), from };
  read.lose(key, `expected milliseconds or a duration such as 10s, got ${shown(from)}`);
  return null;
}

/** A number of milliseconds, or seconds, minutes and hours by their letter. */
function milliseconds(text: string): number | null {
  const [, number, unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*$/.exec(text) ?? [];
  return number === undefined ? null : Math.round(Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h']);
}
