import { setTimeout as pause } from 'node:timers/promises';
import { refusals } from '../errors.ts';
import { ask, askStatus, supervisorPid } from './ask.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';
import { outcomes, refuse, report } from './report.ts';

/** How long the new supervisor may take to answer. */
const LIMIT_MS = 30_000;

/** `restart --supervisor`: asks the running one to make way, and waits until another one answers in its place. */
export async function replaceSupervisor(call: Call): Promise<number> {
  const { flags } = call;
  const beside = [options.service, options.config].find((option) => flags.has(option));
  if (beside !== undefined) return refuse(call, refusals.usage(`--supervisor restarts the supervisor and no service: it takes no --${beside.name}`));
  const before = supervisorPid(call);
  const answer = await ask(call, { kind: 'handover' });
  if (!answer.ok) return refuse(call, answer.refusal);
  const deadline = performance.now() + LIMIT_MS;
  for (let waitMs = 20; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 200)) {
    await pause(waitMs);
    const after = supervisorPid(call);
    const status = after === null || after === before ? null : await askStatus(call);
    if (status?.ok !== true) continue;
    const { length } = status.snapshot.units.filter(({ process }) => process !== undefined);
    return report(call, {
      message: `Supervisor restarted (pid ${before ?? '?'} → ${after}); ${length} ${length === 1 ? 'service goes' : 'services go'} on`, units: outcomes(status.snapshot, null),
    });
  }
  return refuse(call, refusals.timeout(`no new supervisor answered within ${LIMIT_MS / 1000} s; see ${call.paths.supervisorLog}`));
}
