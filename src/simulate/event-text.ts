import { signal } from '../config/kind.ts';
import type { Finding } from '../config/place.ts';
import { parseDuration } from '../words.ts';
import { parseCommand } from './command.ts';
import { parseInstant, type ScenarioEvent } from './scenario.ts';

export type EventResult = { readonly ok: true; readonly event: ScenarioEvent } | { readonly ok: false; readonly problem: string };

const FORM = "expected UNIT@TIME=exit:CODE, signal:NAME or check:fail|ok, or @TIME=COMMAND, such as 'api@3s=exit:1'";

/** One event of the command line: `api@3s=exit:1`, `api@4s=signal:SIGKILL`, `db@5s=check:fail`, `@6s=restart api`. */
export function parseEvent(text: string, startWallMs: number): EventResult {
  const refuse = (why: string): EventResult => ({ ok: false, problem: `${why}; ${FORM}` });
  const match = /^(.*)@([^@=]+)=(.+)$/s.exec(text.trim());
  if (match === null) return refuse(`got ${JSON.stringify(text)}`);
  const [, unit = '', when = '', what = ''] = match;
  const atMs = momentOf(when.trim(), startWallMs);
  if (atMs === null) return refuse(`got ${JSON.stringify(when)} as the time of ${JSON.stringify(text)}`);
  if (atMs < 0) return refuse(`${JSON.stringify(when)} is before the start`);
  if (unit === '') {
    const command = parseCommand(what);
    return command === null ? refuse(`got ${JSON.stringify(what)} as a command`) : { ok: true, event: { kind: 'command', atMs, command } };
  }
  const [kind, value = ''] = splitOnce(what, ':');
  if (kind === 'exit' && /^\d{1,3}$/.test(value) && Number(value) <= 255) return { ok: true, event: { kind: 'exit', atMs, unit, exit: { code: Number(value), signal: null } } };
  if (kind === 'check' && (value === 'fail' || value === 'ok')) return { ok: true, event: { kind: 'check', atMs, unit, passes: value === 'ok' } };
  if (kind === 'signal') {
    const findings: Finding[] = [];
    const name = signal.read({ node: { kind: 'scalar', offset: 0, text: value, value }, keyOffset: 0, path: [], scope: () => undefined, findings });
    if (name !== undefined) return { ok: true, event: { kind: 'exit', atMs, unit, exit: { code: null, signal: name } } };
  }
  return refuse(`got ${JSON.stringify(what)}`);
}

function momentOf(text: string, startWallMs: number): number | null {
  const offset = parseDuration(text);
  if (offset.ok) return offset.value;
  const wallMs = parseInstant(text);
  return wallMs === null ? null : wallMs - startWallMs;
}

function splitOnce(text: string, at: string): readonly string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
