import { setTimeout as pause } from 'node:timers/promises';
import { isControlError } from '../control/brief-client.ts';
import { pidText, refusals, type Refusal } from '../errors.ts';
import { askStatus } from './ask.ts';
import type { Call } from './call.ts';
import { supervisorPid } from './config-choice.ts';
import { waitTimeoutMs } from './options.ts';
import { isRunning, lookForServer, untilOver } from './presence.ts';

/** `foreign`: the supervisor serves the socket without our lock, as systemg 0.33.0's does. */
export type Supervision = 'none' | 'ours' | 'foreign';

/** Whose supervisor runs. A supervisor that begins or ends is waited for, so that a start right after a stop, or during one, starts one. */
export async function supervisionOf(call: Call): Promise<Supervision | Refusal> {
  const began = performance.now();
  for (let isEnding = false; ; await pause(AGAIN_MS)) {
    const locked = isRunning(call);
    if (typeof locked !== 'boolean') return locked;
    const found = locked ? 'served' : await lookForServer(call);
    if (found !== 'served') return found;
    const stage = await stageOf(call.paths.socket);
    // Looked at again: the supervisor may have begun between the two looks.
    if (stage !== null && stage !== 'ending') return isRunning(call) === true ? 'ours' : 'foreign';
    isEnding ||= stage === 'ending';
    if (performance.now() - began < (isEnding ? Math.max(waitTimeoutMs(call), SETTLED_WITHIN_MS) : SETTLED_WITHIN_MS)) continue;
    const supervisor = `a supervisor${pidText(supervisorPid(call))}`;
    if (isEnding) return refusals.timeout(`${supervisor} is still ending: nothing was started`);
    return refusals.unresponsive(`${supervisor} ${locked ? `holds ${call.paths.lock}` : `serves ${call.paths.socket}`} and does not answer; see sysg doctor`);
  }
}

/** Waits until each unit of the supervisor's first start has come up or failed, within the wait timeout. A refusal when some have not. */
export async function untilStarted(call: Call): Promise<Refusal | null> {
  const isStarting = async (): Promise<boolean> => ['starting', null].includes(await stageOf(call.paths.socket));
  if (await untilOver(isStarting, waitTimeoutMs(call))) return null;
  return refusals.timeout(`${refusals.alreadyRunning(supervisorPid(call)).message}, but it is still starting its services`);
}

/**
 * What keeps a command about a service from a supervisor of systemg 0.33.0: it starts a second copy of what runs, and claims to have stopped what does not
 * exist. Null: nothing, or the supervisor is ours and knows by itself.
 */
export async function foreignObstacle(call: Call, service: string): Promise<{ readonly kind: 'unknown' | 'running'; readonly names: readonly string[] } | null> {
  if (isRunning(call) !== false) return null;
  const status = await askStatus(call);
  if (!status.ok) return null;
  const unit = status.snapshot.units.find(({ name }) => name === service);
  const names = status.snapshot.units.map(({ name }) => name);
  if (unit === undefined) return { kind: 'unknown', names };
  return unit.process?.state === 'running' ? { kind: 'running', names } : null;
}

/** Null: no answer. A busy supervisor does not answer in time and serves all the same: 0.33.0's answers no client while it starts services. */
async function stageOf(socket: string): Promise<'starting' | 'serving' | 'ending' | null> {
  const { sendCommand } = await import('../control/client.ts');
  try {
    const answer = await sendCommand({ kind: 'status' }, { socket, signal: AbortSignal.timeout(BUSY_MS), health: null });
    return answer.kind === 'status' ? (answer.snapshot.supervisor ?? 'serving') : 'serving';
  } catch (error) {
    if (isControlError(error)) return error.kind === 'server' ? 'serving' : null;
    if (error instanceof DOMException && error.name === 'TimeoutError') return 'serving';
    throw error;
  }
}

const SETTLED_WITHIN_MS = 15_000;
const AGAIN_MS = 100;
const BUSY_MS = 2000;
