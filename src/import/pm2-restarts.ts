import { refuse } from '../errors.ts';
import { quoteArgv } from '../config/launch.ts';
import { formatDuration } from '../words.ts';
import { signalNamed } from '../signals.ts';
import type { Sourced } from '../yaml-text.ts';
import { importCron } from './cron.ts';
import { put, type DraftBlock } from './draft.ts';
import { countIn, exitCodesIn, type Reader } from './reader.ts';

/** When an app is started again, and after how long. */
export function restarts(read: Reader, block: DraftBlock, name: string): void {
  const isRestarted = read.flag('autorestart') !== false;
  const schedule = read.scalar('cron_restart', 'cron');
  const isCron = schedule !== null && !isRestarted;
  if (!isRestarted && !isCron) put(block, 'restart_policy', 'never', read.take('autorestart'));
  if (schedule !== null && String(schedule.value) !== '0' && schedule.value !== false) {
    const written = String(schedule.value);
    const cron = isCron ? importCron(written) : refuse(`a running service is not restarted by the clock; a crontab can: "${written} sysg restart -s ${quoteArgv([name])}"`);
    const key = read.at('cron_restart');
    if (!cron.ok) read.remarks.lost(schedule, key, cron.reason);
    else {
      put(block, 'cron', cron.expression, schedule);
      read.remarks.changed(schedule, key, `runs when it is due; pm2 also runs it at its own start${cron.changed === null ? '' : `; ${cron.changed}`}`);
    }
  }
  const growing = duration(read, 'exp_backoff_restart_delay');
  const delay = duration(read, 'restart_delay');
  if (growing !== null && growing.value > 0) {
    // pm2: half as much again each time, 15 s at most, forgotten after 30 s.
    put(block, 'backoff', { initial: formatDuration(growing.value), max: formatDuration(Math.max(growing.value, 15_000)), factor: 1.5, jitter: 0 }, growing.from);
    put(block, 'stable_after', '30s');
  } else if (delay !== null) put(block, 'backoff', formatDuration(delay.value), delay.from);
  const most = read.parsed('max_restarts', 'a number of 0 or more', countIn);
  if (most !== null) put(block, 'max_restarts', Math.round(most.value), most.from);
  const uptime = duration(read, 'min_uptime');
  if (uptime !== null && !block.has('stable_after')) put(block, 'stable_after', formatDuration(uptime.value), uptime.from);
  const codes = read.take('stop_exit_codes');
  if (codes !== null) put(block, 'no_restart_exit_codes', exitCodesIn(read, 'stop_exit_codes', codes.items ?? [codes]), codes);
  if (block.has('cron')) for (const key of ['backoff', 'max_restarts', 'stable_after']) block.delete(key);
}

/** How it is ended, and when it is ready. */
export function stopping(read: Reader, block: DraftBlock): void {
  const timeout = duration(read, 'kill_timeout');
  if (timeout !== null) put(block, 'stop_timeout', formatDuration(timeout.value), timeout.from);
  const signal = read.parsed('kill_signal', 'a signal', signalNamed) ?? read.parsed('stop_signal', 'a signal', signalNamed);
  if (signal !== null) put(block, 'stop_signal', signal.value, signal.from);
  if (read.flag('treekill') === false) put(block, 'kill_mode', 'mixed', read.take('treekill'));
  if (read.flag('wait_ready') === true)
    read.lose('wait_ready', "sysg has no message channel for process.send('ready'); health_check: {notify_fd: 3} waits for a newline on descriptor 3, {tcp: …} for a port");
}

function duration(read: Reader, key: string): { readonly value: number; readonly from: Sourced } | null {
  return read.parsed(key, 'milliseconds or a duration such as 10s', milliseconds);
}

/** A number of milliseconds, or seconds, minutes and hours by their letter. */
function milliseconds(text: string): number | null {
  const [, number, unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*$/.exec(text) ?? [];
  return number === undefined ? null : Math.round(Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit as 'ms' | 's' | 'm' | 'h']);
}
