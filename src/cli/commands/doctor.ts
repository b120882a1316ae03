import { ControlError, sendCommand } from '../../control/client.ts';
import { diagnose } from '../../doctor/examine.ts';
import type { ConfigFact, ServingFact } from '../../doctor/facts.ts';
import { gather } from '../../doctor/gather.ts';
import { formatProblem } from '../../config/problem.ts';
import { isServed } from '../../state/occupied.ts';
import type { Call } from '../call.ts';
import { chooseConfigToRead } from '../config-choice.ts';
import { loadConfigFor } from '../load-config.ts';
import { options } from '../options.ts';
import { doctorReport } from '../print/doctor.ts';

/** Checks that files, socket, processes and actors tell the same, with or without a supervisor. Changes nothing; exit code 1 when they do not. */
export async function doctor(call: Call): Promise<number> {
  const { flags, terminal, paths, env } = call;
  const input = { paths, uid: process.geteuid?.() ?? 0, searchPath: env['PATH'], serving: () => serving(paths.socket) };
  const found = await diagnose(() => gather({ ...input, config: readConfig(call) }));
  if (flags.has(options.json)) terminal.print(JSON.stringify(found, null, 2));
  else for (const line of doctorReport(found, { width: terminal.columns, color: terminal.color, glyphs: terminal.columns !== null })) terminal.print(line);
  return found.ok ? 0 : 1;
}

function readConfig(call: Call): ConfigFact {
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return { kind: 'none', reason: chosen.refusal.message };
  const loaded = loadConfigFor(call, chosen.path);
  if (loaded.ok) return { kind: 'loaded', path: chosen.path, specs: loaded.config.services };
  return { kind: 'refused', path: chosen.path, problems: loaded.problems.map(formatProblem) };
}

async function serving(socket: string): Promise<ServingFact> {
  const begunMs = performance.now();
  try {
    const response = await sendCommand({ kind: 'status' }, { socket, timeoutMs: PATIENCE_MS, health: null });
    const tookMs = Math.round(performance.now() - begunMs);
    return response.kind === 'status' ? { kind: 'answers', snapshot: response.snapshot, tookMs } : { kind: 'silent', reason: `it answered Status with ${response.kind}` };
  } catch (error) {
    if (!(error instanceof ControlError)) throw error;
    return error.kind === 'not-available' && !await isServed(socket) ? { kind: 'nobody' } : { kind: 'silent', reason: error.message };
  }
}

/** A query is answered in milliseconds; a machine under load may need longer. */
const PATIENCE_MS = 5000;
