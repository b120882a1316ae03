import { constants } from 'node:os';
import { signalNamed } from '../signals.ts';
import { formatDuration } from '../words.ts';
import { composeDuration } from './compose-health.ts';
import { settledText, templateOf, type ComposeAround } from './compose-run.ts';
import { importCron } from './cron.ts';
import { put, type DraftBlock } from './draft.ts';
import { processReasons } from './process-compose-reasons.ts';
import { openReader, shown, type Reader } from './reader.ts';
import { asScript } from './references.ts';

export function availability(read: Reader, block: DraftBlock, isNeeded: boolean): void {
  const found = read.take('availability');
  const rules = found === null ? null : openReader(found, `${read.path}.availability`, read.remarks);
  const restart = rules?.take('restart') ?? null;
  const word = String(restart?.value ?? 'no').replace('false', 'no');
  if (word === 'always' || word === 'on_failure') put(block, 'restart_policy', word.replace('_', '-'), restart);
  else if (word === 'exit_on_failure') put(block, 'essential', true, restart);
  else if (word !== 'no' && restart !== null) read.remarks.lost(restart, `${read.path}.availability.restart`, `expected no, always, on_failure or exit_on_failure, got ${shown(restart)}`);
  if (rules?.flag('exit_on_end') === true) {
    put(block, 'essential', true, rules.take('exit_on_end'));
    if (word !== 'always') put(block, 'oneshot', true);
  }
  // The end of an essential one-shot would end everything.
  if (isNeeded && word !== 'always' && !block.has('essential')) put(block, 'oneshot', true);
  const pause = rules?.number('backoff_seconds') ?? null;
  if (pause !== null && pause > 0) put(block, 'backoff', `${pause}s`, rules?.take('backoff_seconds') ?? null);
  const [most, from] = [rules?.number('max_restarts') ?? null, rules?.take('max_restarts') ?? null];
  if (most !== null && most > 0 && from !== null) {
    put(block, 'max_restarts', Math.round(most), from);
    read.remarks.changed(from, `${read.path}.availability.max_restarts`, 'failures in a row count here, and none that was 10 s before the next');
  }
  rules?.lose('exit_on_skipped', 'what is skipped ends nothing');
  rules?.rest({});
}

export function shutdown(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const found = read.take('shutdown');
  if (found === null) return;
  const rules = openReader(found, `${read.path}.shutdown`, read.remarks);
  const stop = rules.take('command');
  if (stop !== null) put(block, 'stop_command', asScript(templateOf(stop, `${rules.path}.command`, around)), stop);
  const signal = rules.take('signal');
  const name = signal === null ? null : (Object.entries(constants.signals).find(([, number]) => number === Number(signal.value))?.[0] ?? signalNamed(String(signal.value)));
  if (name !== null) put(block, 'stop_signal', name, signal);
  else if (signal !== null) read.remarks.lost(signal, `${rules.path}.signal`, `expected the number of a signal, got ${shown(signal)}`);
  const seconds = rules.number('timeout_seconds');
  if (seconds !== null && seconds > 0) put(block, 'stop_timeout', formatDuration(Math.round(seconds * 1000)), rules.take('timeout_seconds'));
  if (rules.flag('parent_only') === true) put(block, 'kill_mode', 'mixed', rules.take('parent_only'));
  rules.rest({});
}

/** One check: that of readiness, else that of liveness, else a line of the log. */
export function health(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const [ready, line] = [read.take('readiness_probe'), read.take('ready_log_line')];
  const live = ready === null ? read.take('liveness_probe') : null;
  if (ready !== null) read.lose('liveness_probe', 'a service has one check; that of readiness goes on when it is ready');
  const found = ready ?? live;
  const check: DraftBlock = new Map();
  if (found === null) {
    if (line === null) return;
    put(check, 'log', String(line.value).replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`), line);
    put(block, 'health_check', check, line);
    return read.remarks.changed(line, `${read.path}.ready_log_line`, 'a service whose line has not come within `timeout`, 30 s, is ended and counts as failed');
  }
  if (line !== null) read.lose('ready_log_line', 'a service has one check');
  const probe = openReader(found, `${read.path}.${ready === null ? 'liveness' : 'readiness'}_probe`, read.remarks);
  const exec = probe.take('exec');
  const http = exec === null ? probe.take('http_get') : null;
  if (exec !== null) {
    const inner = openReader(exec, `${probe.path}.exec`, read.remarks);
    const script = inner.take('command');
    if (script !== null) put(check, 'command', asScript(templateOf(script, `${inner.path}.command`, around)), script);
    inner.rest({ working_dir: 'a check runs in the directory of its service' });
  } else if (http !== null) {
    const inner = openReader(http, `${probe.path}.http_get`, read.remarks);
    const part = (key: string): string => {
      const from = inner.take(key);
      return from === null ? '' : settledText(from, `${inner.path}.${key}`, around)?.text.trim() ?? '';
    };
    const [scheme, host, port, path] = [part('scheme') || 'http', part('host') || '127.0.0.1', part('port') || part('num_port'), part('path') || '/'];
    put(check, 'url', `${scheme}://${host}${port === '' ? '' : `:${port}`}${path.startsWith('/') ? '' : '/'}${path}`, http);
    const status = inner.number('status_code');
    if (status !== null) put(check, 'expect_status', status, inner.take('status_code'));
    inner.rest({ headers: 'a check sends no headers of its own; a command with curl does' });
  }
  const seconds = (key: string, otherwise: number): number => Math.max(0, probe.number(key) ?? 0) || otherwise;
  const [delay, period, attempt, retries] = [seconds('initial_delay_seconds', 0), seconds('period_seconds', 10), seconds('timeout_seconds', 1), Math.round(seconds('failure_threshold', 3))];
  const successes = probe.take('success_threshold');
  if (successes !== null && Number(successes.value) > 1) read.remarks.lost(successes, `${probe.path}.success_threshold`, 'one check that passes is enough');
  probe.rest({});
  if (!check.has('command') && !check.has('url')) return read.remarks.lost(found, probe.path, 'expected exec with a command, or http_get');
  put(check, 'interval', `${period}s`);
  put(check, 'timeout', `${retries * (period + attempt)}s`);
  put(check, 'attempt_timeout', `${attempt}s`);
  put(check, 'retries', retries);
  if (delay > 0) put(check, 'start_period', `${delay}s`);
  if (!block.has('restart_policy')) {
    put(check, 'on_unhealthy', 'none');
    read.remarks.changed(found, probe.path, 'once it was ready, an unhealthy service that is not restarted is left running');
  }
  put(block, 'health_check', check, found);
  if (live !== null) read.remarks.changed(live, probe.path, 'it also says when the service is ready');
}

export function schedule(read: Reader, block: DraftBlock, name: string): void {
  const found = read.take('schedule');
  if (found === null) return;
  const rules = openReader(found, `${read.path}.schedule`, read.remarks);
  const [cron, interval, zone] = [rules.take('cron'), rules.take('interval'), rules.text('timezone')];
  const place = cron ?? interval ?? found;
  const every = cron === null && interval !== null ? everyOf(composeDuration(String(interval.value))) : null;
  const imported = cron !== null ? importCron(String(cron.value)) : every === null ? { ok: false as const, why: 'a schedule here has times of the day, of which this interval is none' } : { ok: true as const, expression: every, changed: 'it runs by the clock, and not from the start on' };
  if (rules.flag('run_on_start') === true) rules.lose('run_on_start', 'it first runs when it is due');
  if ((rules.number('max_concurrent') ?? 1) !== 1) rules.lose('max_concurrent', 'a unit runs once at a time');
  rules.rest({});
  if (!imported.ok) {
    put(block, 'skip', true, found);
    return read.remarks.lost(place, rules.path, `${imported.why}: ${name} is skipped until it has another`);
  }
  if (imported.changed !== null) read.remarks.changed(place, rules.path, imported.changed);
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
  const found = read.take('log_configuration');
  if (found === null) return;
  const outer = openReader(found, `${read.path}.log_configuration`, read.remarks);
  const inner = outer.take('rotation');
  const rules = inner === null ? null : openReader(inner, `${outer.path}.rotation`, read.remarks);
  const [size, keep, compress] = [rules?.number('max_size_mb') ?? null, rules?.number('max_backups') ?? null, rules?.flag('compress') ?? null];
  const rotate = { ...(size !== null && size > 0 && { size: `${Math.round(size)}M` }), ...(keep !== null && { keep: Math.round(keep) }), ...(compress !== null && { compress }) };
  if (Object.keys(rotate).length > 0) put(block, 'logs', { rotate }, found);
  rules?.rest({}, processReasons['log_location']);
  outer.rest({}, 'a log here has the bytes that were written');
}
