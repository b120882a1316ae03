import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { switchOf } from '../../machines/slots.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { within } from '../actors/within.ts';
import { refuse } from '../errors.ts';
import { runForUnit, type CommandOutside, type CommandResult } from '../process/run-command.ts';

/** How long the switch command may take; then it is ended, and what it did is put back. */
const SWITCH_LIMIT_MS = 60_000;
const SHOWN_BYTES = 1000;

/** Runs the switch command in the project's directory as the supervisor's user, with the service's variables and its own. */
export async function runSwitch(spec: ServiceSpec, change: ReturnType<typeof switchOf>, outside: CommandOutside, calledOff: AbortSignal): Promise<CommandResult> {
  if (change === null) return { ok: true };
  // Not a pipe: what the command leaves running may go on writing.
  const output = openUnnamed();
  try {
    const result = await within(SWITCH_LIMIT_MS, outside.clock, calledOff, (signal) => runForUnit(spec, {
      purpose: 'switch', asUnit: false, script: change.command, output, signal, variables: change.env,
    }, outside));
    if (result.ok) return result;
    const said = textOfFile(output);
    return refuse(`blue/green switch command failed: ${said === '' ? result.reason : `${said} (it ${result.reason})`}`);
  } finally {
    closeSync(output);
  }
}

function openUnnamed(): number {
  const path = join(tmpdir(), `sysg-${randomBytes(9).toString('hex')}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return descriptor;
}

/** The end of it, on one line. */
function textOfFile(descriptor: number): string {
  const { size } = fstatSync(descriptor);
  const bytes = Buffer.alloc(Math.min(size, SHOWN_BYTES));
  const length = readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
  return bytes.toString('utf8', 0, length).trim().replaceAll(/\s*\n\s*/g, '; ');
}
