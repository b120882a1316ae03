import type { Readable } from 'node:stream';
import type { SettledUnit } from '../../daemon/parent.ts';

/** What became of a start. `silent`: the supervisor went without a word; `late`: not all was settled in time. */
export type Handshake =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'settled'; readonly pid: number | null; readonly units: readonly SettledUnit[] }
  | { readonly kind: 'silent'; readonly pid: number | null }
  | { readonly kind: 'late'; readonly pid: number | null };

/** Follows the lines of a starting supervisor until the last one that matters, or for `limitMs`. */
export function followStart(lines: Readable, limitMs: number): Promise<Handshake> {
  return new Promise((resolve) => {
    let pid: number | null = null;
    let buffered = '';
    const end = (outcome: Handshake): void => {
      clearTimeout(timer);
      lines.off('data', onData).off('end', onEnd).off('error', onEnd);
      lines.on('error', () => undefined);
      lines.destroy();
      resolve(outcome);
    };
    const onEnd = (): void => end({ kind: 'silent', pid });
    const onData = (chunk: string): void => {
      const parts = (buffered + chunk).split('\n');
      buffered = parts.pop() ?? '';
      for (const part of parts) {
        const event = decodeEvent(part);
        if (event?.kind === 'listening') pid = event.pid;
        else if (event?.kind === 'refused') return end(event);
        else if (event?.kind === 'settled') return end({ ...event, pid });
      }
    };
    const timer = setTimeout(() => end({ kind: 'late', pid }), Math.min(limitMs, MAX_TIMER_MS));
    lines.setEncoding('utf8');
    lines.on('data', onData).once('end', onEnd).once('error', onEnd);
  });
}

type StartEvent =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'listening'; readonly pid: number }
  | { readonly kind: 'settled'; readonly units: readonly SettledUnit[] };

/** Null is a line of a later version, which this one need not understand. */
function decodeEvent(line: string): StartEvent | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // Not of the protocol: a runtime's own words on the descriptor.
    return null;
  }
  if (!isRecord(value)) return null;
  const { event, message, pid, units } = value;
  if (event === 'refused') return { kind: 'refused', message: typeof message === 'string' ? message : 'the supervisor refused to start' };
  if (event === 'listening' && typeof pid === 'number') return { kind: 'listening', pid };
  if (event === 'settled' && Array.isArray(units)) return { kind: 'settled', units: units.flatMap(decodeUnit) };
  return null;
}

function decodeUnit(value: unknown): SettledUnit[] {
  if (!isRecord(value) || typeof value['name'] !== 'string' || typeof value['phase'] !== 'string') return [];
  const { name, phase, pid, error } = value;
  return [{ name, phase, ...(typeof pid === 'number' && { pid }), ...(typeof error === 'string' && { error }) }];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MAX_TIMER_MS = 2 ** 31 - 1;
