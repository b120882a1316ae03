import { isControlError } from '../../control/brief-client.ts';
import { sendCommand } from '../../control/client.ts';
import { diagnose } from '../../doctor/examine.ts';
import type { ConfigFact, Diagnosis, Finding, ServingFact } from '../../doctor/facts.ts';
import { gather } from '../../doctor/gather.ts';
import { formatProblem } from '../../config/problem.ts';
import { isServed } from '../../state/lock-owner.ts';
import { lookOf, type Call } from '../call.ts';
import { chooseConfigToRead, commandStart } from '../config-choice.ts';
import { combinedFor, loadConfigFor } from '../load-config.ts';
import { options } from '../options.ts';
import { palette, type Look } from '../print/palette.ts';
import displayWidth, { broken, padded, printable } from '../../width.ts';

/** Checks that files, socket, processes and actors agree, with or without a supervisor. Changes nothing; exit code 1 when they do not. */
export async function doctor(call: Call): Promise<number> {
  const { flags, terminal, paths, env } = call;
  const input = { paths, command: commandStart(call), uid: process.geteuid?.() ?? 0, searchPath: env['PATH'], serving: (patienceMs: number) => serving(paths.socket, patienceMs) };
  const found = await diagnose(() => gather({ ...input, config: readConfig(call) }));
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else for (const line of doctorReport(found, lookOf(call))) terminal.print(line);
  return found.ok ? 0 : 1;
}

function readConfig(call: Call): ConfigFact {
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return { kind: 'none', reason: chosen.refusal.message };
  const loaded = loadConfigFor(call, chosen.path);
  if (loaded.ok) return { kind: 'loaded', path: chosen.path, specs: combinedFor(call, loaded.config).specs, profiles: loaded.config.profiles };
  return { kind: 'refused', path: chosen.path, problems: loaded.problems.map(formatProblem) };
}

async function serving(socket: string, timeoutMs: number): Promise<ServingFact> {
  const begunMs = performance.now();
  try {
    const response = await sendCommand({ kind: 'status' }, { socket, timeoutMs, health: null });
    const tookMs = Math.round(performance.now() - begunMs);
    return response.kind === 'status' ? { kind: 'answers', snapshot: response.snapshot, tookMs } : { kind: 'silent', reason: `it answered Status with ${response.kind}` };
  } catch (error) {
    if (!(isControlError(error))) throw error;
    return error.kind === 'not-available' && !await isServed(socket) ? { kind: 'nobody' } : { kind: 'silent', reason: error.message };
  }
}

/** A line for each finding, what disagrees last, where it is seen; then how many there are. */
function doctorReport({ findings }: Diagnosis, look: Look): readonly string[] {
  const width = Math.max(0, ...findings.map(({ check }) => displayWidth(printable(check))));
  const wrong = findings.filter(({ ok }) => !ok);
  const right = findings.filter(({ ok }) => ok);
  const sum = wrong.length === 0 ? `all ${right.length} checks passed` : `${wrong.length} of ${findings.length} checks failed`;
  return [...[...right, ...wrong].flatMap((finding) => lines(finding, width, look)), '', sum];
}

function lines({ check, ok, detail }: Finding, width: number, { width: columns, color, glyphs }: Look): readonly string[] {
  const paint = palette(color).health(ok ? 'healthy' : 'failing');
  const mark = glyphs ? (ok ? '✓' : '✗') : ok ? 'ok   ' : 'WRONG';
  const indent = mark.length + width + 3;
  const text = printable(detail);
  const parts = columns === null || columns - indent < NARROWEST ? [text] : broken(text, columns - indent);
  return parts.map((part, index) => (index === 0 ? `${paint(mark)} ${padded(printable(check), width)}  ${part}` : `${' '.repeat(indent)}${part}`));
}

const NARROWEST = 30;
