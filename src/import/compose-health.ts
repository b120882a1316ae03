import { formatDuration } from '../words.ts';
import type { Sourced } from '../yaml-text.ts';
import { templateOf, templatesOf, settledText, type ComposeAround } from './compose-run.ts';
import { put, type DraftBlock } from './draft.ts';
import { truth, type Reader } from './reader.ts';
import { asCommandLine, asScript } from './references.ts';

/**
 * A health check. Docker begins at once and does not count failures during `start_period`; sysg gives a service until `timeout` to be ready, so that
 * both times together are that timeout. An unhealthy container is left alone.
 */
export function importHealth(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const health = read.within('healthcheck');
  if (health === null || health.node.entries === null) return;
  const test = health.take('test');
  const isOff = truth(String(health.take('disable')?.value ?? 'false')) === true || test?.items?.[0]?.value === 'NONE';
  const command = test === null ? null : commandOf(test, health.at('test'), around);
  const times = Object.fromEntries(['interval', 'timeout', 'start_period', 'start_interval'].map((key) => [key, milliseconds(health, key, around)]));
  const retries = health.number('retries') ?? 3;
  health.rest({});
  if (isOff) return;
  if (command === null) return read.lose('healthcheck', test === null ? 'the image says what its check is' : 'its test has no command');
  const attemptMs = times['timeout'] ?? 30_000;
  const intervalMs = times['interval'] ?? 30_000;
  const check: DraftBlock = new Map();
  put(check, 'command', command, test);
  put(check, 'interval', formatDuration(times['start_interval'] ?? intervalMs));
  put(check, 'timeout', formatDuration((times['start_period'] ?? 0) + retries * (intervalMs + attemptMs)));
  put(check, 'attempt_timeout', formatDuration(attemptMs));
  put(check, 'retries', retries);
  put(check, 'on_unhealthy', 'none');
  put(block, 'health_check', check, health.node);
  read.change('healthcheck', 'a service that is not healthy within `timeout` is ended and counts as failed; docker would leave it running');
}

function commandOf(test: Sourced, key: string, around: ComposeAround): string | null {
  if (test.items === null) return test.value === null ? null : asScript(templateOf(test, key, around));
  const [kind, ...words] = test.items;
  if (kind?.value !== 'CMD-SHELL' && kind?.value !== 'CMD') return null;
  const templates = templatesOf(kind.value === 'CMD' ? words : words.slice(0, 1), key, around);
  const [first] = templates;
  if (first === undefined) return null;
  return kind.value === 'CMD' ? asCommandLine(templates) : asScript(first);
}

function milliseconds(read: Reader, key: string, around: ComposeAround): number | null {
  const from = read.take(key);
  const text = from === null ? null : settledText(from, read.at(key), around);
  const ms = text === null ? null : composeDuration(text.text);
  if (from !== null && ms === null) read.lose(key, `expected a duration such as 1m30s, got ${JSON.stringify(from.value)}`);
  return ms === 0 && key !== 'start_period' ? null : ms;
}

const units = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Whole milliseconds of `1m30s`, `1.5s`, `500ms`; a bare number is seconds. */
export function composeDuration(text: string): number | null {
  if (/^\d+(\.\d+)?$/.test(text.trim())) return Math.round(Number(text) * 1000);
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h|d)/gy)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text.trim()) return null;
  return Math.round(parts.reduce((sum, [, number, unit]) => sum + Number(number) * units[unit as keyof typeof units], 0));
}
