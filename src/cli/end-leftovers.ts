import { setTimeout as pause } from 'node:timers/promises';
import { makeEnding } from '../process/ending.ts';
import { isAlive } from '../process/identity.ts';
import { scan } from '../process/scan.ts';
import { monotonicMs } from '../clock.ts';
import { bootId } from '../process/boot.ts';
import { readLedger } from '../state/ledger-read.ts';
import { recover } from '../state/recovery.ts';

/**
 * Ends what the services of a dead supervisor left running: SIGTERM, `graceMs` later SIGKILL. Only processes that prove
 * by their start time and token to be those of the ledger. Resolves with the names of the units that are alive still.
 */
export async function endLeftovers(ledger: string, graceMs: number, onProblem: (text: string) => void): Promise<readonly string[]> {
  const opened = readLedger(ledger, { onProblem, quarantine: true });
  if (opened.clean) return [];
  const now = () => ({ at: monotonicMs(), wallMs: Date.now(), bootId: bootId() });
  const orders = await recover(opened.entries.values(), { scan, isAlive, now });
  const left = new Set<string>();
  const endings = orders.flatMap(({ record, verdict }) => {
    const { process } = record;
    if (verdict !== 'alive' || process?.identity == null) return [];
    left.add(record.unit);
    return [makeEnding({ leader: process.identity, token: process.token, child: null, onProblem, onGone: () => left.delete(record.unit) })];
  });
  for (const ending of endings) ending.obey({ type: 'stop', signal: 'SIGTERM' });
  await until(() => left.size === 0, graceMs);
  if (left.size > 0) for (const ending of endings) ending.obey({ type: 'kill' });
  await until(() => left.size === 0, KILL_MS);
  for (const ending of endings) ending.detach();
  return [...left];
}

const KILL_MS = 3000;

async function until(isSo: () => boolean, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!isSo() && performance.now() < deadline) await pause(20);
}
