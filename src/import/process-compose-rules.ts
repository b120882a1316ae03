import { constants } from 'node:os';
import { refuse } from '../errors.ts';
import { signalNamed } from '../signals.ts';
import { formatDuration } from '../words.ts';
import { composeDuration } from './compose-health.ts';
import { settled, templateOf, type ComposeAround } from './compose-run.ts';
import { importCron, type ImportedCron } from './cron.ts';
import { put, type DraftBlock } from './draft.ts';
import { shown, type Reader } from './reader.ts';
import { processComposeProcess } from './reasons.ts';
import { asScript, escaped } from './references.ts';

export function availability(read: Reader, block: DraftBlock, isNeeded: boolean): void {
  const rules = read.within('availability');
  const restart = rules?.take('restart') ?? null;
  const word = String(restart?.value ?? 'no').replace('false', 'no');
  if (word === 'always' || word === 'on_failure') put(block, 'restart_policy', word.replace('_', '-'), restart);
  else if (word === 'exit_on_failure') put(block, 'essential', true, restart);
  else if (word !== 'no' && restart !== null) rules?.lose('restart', `expected no, always, on_failure or exit_on_failure, got ${shown(restart)}`);
  if (rules?.flag('exit_on_end') === true) {
    put(block, 'essential', true, rules.take('exit_on_end'));
    if (word !== 'always') put(block, 'oneshot', true);
  }
  // The end of an essential one-shot would end everything.
  if (isNeeded && word !== 'always' && !block.has('essential')) put(block, 'oneshot', true);
  const pause = rules?.number('backoff_seconds') ?? null;
  if (pause !== null && pause > 0) put(block, 'backoff', `${pause}s`, rules?.take('backoff_seconds') ?? null);
  const most = rules?.number('max_restarts') ?? null;
  if (rules !== null && most !== null && most > 0) {
    put(block, 'max_restarts', Math.round(most), rules.take('max_restarts'));
    rules.change('max_restarts', 'failures in a row count here, and none that was 10 s before the next');
  }
  rules?.lose('exit_on_skipped', 'what is skipped ends nothing');
  rules?.rest({});
}

export function shutdown(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const rules = read.within('shutdown');
  if (rules === null) return;
  const stop = rules.take('command');
  if (stop !== null) put(block, 'stop_command', asScript(templateOf(stop, rules.at('command'), around)), stop);
  const signal = rules.take('signal');
  const name = signal === null ? null : (Object.entries(constants.signals).find(([, number]) => number === Number(signal.value))?.[0] ?? signalNamed(String(signal.value)));
  if (name !== null) put(block, 'stop_signal', name, signal);
  else if (signal !== null) rules.lose('signal', `expected the number of a signal, got ${shown(signal)}`);
  const seconds = rules.number('timeout_seconds');
  if (seconds !== null && seconds > 0) put(block, 'stop_timeout', formatDuration(Math.round(seconds * 1000)), rules.take('timeout_seconds'));
  if (rules.flag('parent_only') === true) put(block, 'kill_mode', 'mixed', rules.take('parent_only'));
  rules.rest({});
}

/** One check: that of readiness, else that of liveness, else a line of the log. */
export function health(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const [ready, line] = [read.within('readiness_probe'), read.scalar('ready_log_line')];
  if (ready !== null) read.lose('liveness_probe', 'a service has one check; that of readiness goes on when it is ready');
  const probe = ready ?? read.within('liveness_probe');
  const check: DraftBlock = new Map();
  if (probe === null) {
    if (line === null) return;
    put(check, 'log', escaped(String(line.value)), line);
    put(block, 'health_check', check, line);
    return read.change('ready_log_line', 'a service whose line has not come within `timeout`, 30 s, is ended and counts as failed');
  }
  if (line !== null) read.lose('ready_log_line', 'a service has one check');
  const name = ready === null ? 'liveness_probe' : 'readiness_probe';
  const exec = probe.within('exec');
  const http = exec === null ? probe.within('http_get') : null;
  if (exec !== null) {
    const script = exec.take('command');
    if (script !== null) put(check, 'command', asScript(templateOf(script, exec.at('command'), around)), script);
    exec.rest({ working_dir: 'a check runs in the directory of its service' });
  } else if (http !== null) {
    const part = (key: string): string => settled(http, key, around)?.text.trim() ?? '';
    const [scheme, host, port, path] = [part('scheme') || 'http', part('host') || '127.0.0.1', part('port') || part('num_port'), part('path') || '/'];
    put(check, 'url', `${scheme}://${host}${port === '' ? '' : `:${port}`}${path.startsWith('/') ? '' : '/'}${path}`, http.node);
    const status = http.number('status_code');
    if (status !== null) put(check, 'expect_status', status, http.take('status_code'));
    http.rest({ headers: 'a check sends no headers of its own; a command with curl does' });
  }
  const seconds = (key: string, otherwise: number): number => Math.max(0, probe.number(key) ?? 0) || otherwise;
  const [delay, period, attempt, retries] = [seconds('initial_delay_seconds', 0), seconds('period_seconds', 10), seconds('timeout_seconds', 1), Math.round(seconds('failure_threshold', 3))];
  if (Number(probe.take('success_threshold')?.value) > 1) probe.lose('success_threshold', 'one check that passes is enough');
  probe.rest({});
  if (!check.has('command') && !check.has('url')) return read.lose(name, 'expected exec with a command, or http_get');
  put(check, 'interval', `${period}s`);
  put(check, 'timeout', `${retries * (period + attempt)}s`);
  put(check, 'attempt_timeout', `${attempt}s`);
  put(check, 'retries', retries);
  if (delay > 0) put(check, 'start_period', `${delay}s`);
  if (!block.has('restart_policy')) {
    put(check, 'on_unhealthy', 'none');
    read.change(name, 'once it was ready, an unhealthy service that is not restarted is left running');
  }
  put(block, 'health_check', check, probe.node);
  if (ready === null) read.change(name, 'it also says when the service is ready');
}

export function schedule(read: Reader, block: DraftBlock, name: string): void {
  const rules = read.within('schedule');
  if (rules === null) return;
  const [cron, interval, zone] = [rules.scalar('cron'), rules.scalar('interval'), rules.text('timezone')];
  const place = cron ?? interval ?? rules.node;
  const every = cron === null && interval !== null ? everyOf(composeDuration(String(interval.value))) : null;
  const imported: ImportedCron = cron !== null
    ? importCron(String(cron.value))
    : every === null ? refuse('a schedule here has times of the day, of which this interval is none') : { ok: true, expression: every, changed: 'it runs by the clock, and not from the start on' };
  if (rules.flag('run_on_start') === true) rules.lose('run_on_start', 'it first runs when it is due');
  if ((rules.number('max_concurrent') ?? 1) !== 1) rules.lose('max_concurrent', 'a unit runs once at a time');
  rules.rest({});
  if (!imported.ok) {
    put(block, 'skip', true, rules.node);
    return read.remarks.lost(place, read.at('schedule'), `${imported.reason}: ${name} is skipped until it has another`);
  }
  if (imported.changed !== null) read.remarks.changed(place, read.at('schedule'), imported.changed);
  put(block, 'cron', zone === null ? imported.expression : { expression: imported.expression, timezone: zone === 'Local' ? 'local' : zone }, place);
  for (const key of ['restart_policy', 'backoff', 'max_restarts', 'oneshot', 'health_check']) block.delete(key);
}

/** Where a minute, an hour or a day is a multiple of it. */
function everyOf(ms: number | null): string | null {
  for (const [unit, count, before, after] of [[1000, 60, '', ' * * * * *'], [60_000, 60, '', ' * * * *'], [3_600_000, 24, '0 ', ' * * *']] as const) {
    const steps = ms === null ? NaN : ms / unit;
    if (Number.isInteger(steps) && steps > 0 && count % steps === 0) return `${before}${steps === count ? '0' : `*/${steps}`}${after}`;
  }
  return null;
}

export function rotation(read: Reader, block: DraftBlock): void {
  const outer = read.within('log_configuration');
  if (outer === null) return;
  const rules = outer.within('rotation');
  const [size, keep, compress] = [rules?.number('max_size_mb') ?? null, rules?.number('max_backups') ?? null, rules?.flag('compress') ?? null];
  const rotate = { ...(size !== null && size > 0 && { size: `${Math.round(size)}M` }), ...(keep !== null && { keep: Math.round(keep) }), ...(compress !== null && { compress }) };
  if (Object.keys(rotate).length > 0) put(block, 'logs', { rotate }, outer.node);
  rules?.rest({}, processComposeProcess['log_location']);
  outer.rest({}, 'a log here has the bytes that were written');
}
