import type { ProcessExit } from '../../machines/types.ts';
import { signalNamed } from '../signals.ts';
import { parseDuration } from '../words.ts';

/** Something that happens at a moment, `atMs` after the start. */
export type ScenarioEvent =
  | { readonly kind: 'exit'; readonly atMs: number; readonly unit: string; readonly exit: ProcessExit }
  | { readonly kind: 'check'; readonly atMs: number; readonly unit: string; readonly passes: boolean }
  | { readonly kind: 'command'; readonly atMs: number; readonly command: ScenarioCommand };

/** What a person types in the middle of a simulation. `unit` null: all of them. */
export interface ScenarioCommand {
  readonly verb: (typeof commandVerbs)[number];
  readonly unit: string | null;
  /** Of a reload: another file than the one that is simulated. */
  readonly file: string | null;
}

export const commandVerbs = ['start', 'stop', 'restart', 'reload'] as const;

export type EventResult = { readonly ok: true; readonly event: ScenarioEvent } | { readonly ok: false; readonly problem: string };

const FORM = "expected UNIT@TIME=exit:CODE, signal:NAME or check:fail|ok, or @TIME=COMMAND, such as 'api@3s=exit:1'";

/** One event of the command line: `api@3s=exit:1`, `api@4s=signal:SIGKILL`, `db@5s=check:fail`, `@6s=restart api`. */
export function parseEvent(text: string, startWallMs: number): EventResult {
  const refuse = (why: string): EventResult => ({ ok: false, problem: `${why}; ${FORM}` });
  const [, unit, when = '', what = ''] = /^(.*)@([^@=]+)=(.+)$/s.exec(text.trim()) ?? [];
  if (unit === undefined) return refuse(`got ${JSON.stringify(text)}`);
  const atMs = parseOffset(when.trim(), startWallMs);
  if (atMs === null) return refuse(`got ${JSON.stringify(when)} as the time of ${JSON.stringify(text)}`);
  if (atMs < 0) return refuse(`${JSON.stringify(when)} is before the start`);
  if (unit === '') {
    const command = parseCommand(what);
    return command === null ? refuse(`got ${JSON.stringify(what)} as a command`) : { ok: true, event: { kind: 'command', atMs, command } };
  }
  const [, kind, value = ''] = /^(exit|signal|check):(.*)$/s.exec(what) ?? [];
  if (kind === 'check' && (value === 'fail' || value === 'ok')) return { ok: true, event: { kind, atMs, unit, passes: value === 'ok' } };
  if (kind === 'exit' && /^\d{1,3}$/.test(value) && Number(value) <= 255) return { ok: true, event: { kind, atMs, unit, exit: { code: Number(value), signal: null } } };
  const signal = kind === 'signal' ? signalNamed(value) : null;
  return signal === null ? refuse(`got ${JSON.stringify(what)}`) : { ok: true, event: { kind: 'exit', atMs, unit, exit: { code: null, signal } } };
}

/** The event in the words of the command line. */
export function describeEvent(event: ScenarioEvent): string {
  const when = `@${event.atMs / 1000}s`;
  switch (event.kind) {
    case 'exit': return `${event.unit}${when}=${event.exit.signal === null ? `exit:${event.exit.code}` : `signal:${event.exit.signal}`}`;
    case 'check': return `${event.unit}${when}=check:${event.passes ? 'ok' : 'fail'}`;
    case 'command': return `${when}=${[event.command.verb, event.command.unit ?? event.command.file ?? ''].join(' ').trim()}`;
  }
}

/** `restart api`, `stop`, `reload next.yaml`; null when it is none of these. */
export function parseCommand(text: string): ScenarioCommand | null {
  const [word, argument = null, ...more] = text.trim().split(/\s+/);
  const verb = commandVerbs.find((candidate) => candidate === word);
  if (verb === undefined || more.length > 0) return null;
  return verb === 'reload' ? { verb, unit: null, file: argument } : { verb, unit: argument, file: null };
}

/** Milliseconds after the start: of `3s`, or of an RFC 3339 time; null for anything else. */
export function parseOffset(text: string, startWallMs: number): number | null {
  const offset = parseDuration(text);
  if (offset.ok) return offset.value;
  const wallMs = parseInstant(text);
  return wallMs === null ? null : wallMs - startWallMs;
}

/** An RFC 3339 instant in milliseconds since 1970, or null. */
export function parseInstant(text: string): number | null {
  const wallMs = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(wallMs) ? null : wallMs;
}
