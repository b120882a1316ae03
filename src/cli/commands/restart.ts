import { setTimeout as pause } from 'node:timers/promises';
import { refusals } from '../../errors.ts';
import type { UnitStatus } from '../../wire/payloads.ts';
import { isAcceptance } from '../../wire/responses.ts';
import { ask, askInTurn, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfig, namedConfig, supervisorPid } from '../config-choice.ts';
import { askedWords, namedUnits } from '../names.ts';
import { options } from '../options.ts';
import { outcomes, refuse, refuseUnits, report, reportUnits, withProgress } from '../report.ts';
import { endsOthers, startDetached, warnDropPrivileges } from './start.ts';

/** Restarts the services that are named, or all of them with the file read again. Only a file named with `-c` is sent along. */
export async function restart(call: Call): Promise<number> {
  const { flags } = call;
  if (flags.has(options.supervisor)) return replaceSupervisor(call);
  const wait = !flags.has(options.daemonize) || flags.has(options.wait);
  const config = namedConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const named = await namedUnits(call);
  if (!named.ok) return refuse(call, named.refusal);
  const { names } = named;
  // A script gets the sentence that it knows.
  const notes = flags.has(options.json) || call.terminal.columns !== null;
  const restartOne = (service: string | null): ReturnType<typeof ask> => ask(call, { kind: 'restart', config: config.path, service, wait, settlements: flags.has(options.json), all: flags.has(options.evenCompleted), notes });
  const send = (): ReturnType<typeof ask> => (names === null ? restartOne(null) : askInTurn(names, restartOne));
  const expects = (unit: UnitStatus): boolean => (names === null ? unit.kind === 'service' && unit.wanted === 'up' : names.includes(unit.name));
  const answer = await (wait ? withProgress(call, { expects }, send) : send());
  if (!answer.ok) {
    return answer.refusal.code === 'no-supervisor' && flags.has(options.daemonize) ? startInstead(call, names) : refuseUnits(call, answer, names);
  }
  if (call.dropPrivileges) warnDropPrivileges(call);
  // With --daemonize alone the answer only means that the restart was accepted, and systemg 0.33.0 prints nothing then.
  return reportUnits(call, wait || flags.has(options.json) ? messageOf(answer.response) : '', names);
}

async function startInstead(call: Call, names: readonly string[] | null): Promise<number> {
  const config = chooseConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const others = await endsOthers(call, config.path);
  return others === null ? startDetached(call, config.path, names, restart) : refuse(call, others);
}

/** How long the new supervisor may take to answer. */
const LIMIT_MS = 30_000;

/** `restart --supervisor`: asks the running supervisor to hand over, and waits until another one answers. */
async function replaceSupervisor(call: Call): Promise<number> {
  const { flags } = call;
  const beside = flags.has(options.config) ? `--${options.config.name}` : askedWords(call)[0];
  if (beside !== undefined) return refuse(call, refusals.usage(`--supervisor restarts the supervisor and no service: expected it without ${beside}`));
  const before = supervisorPid(call);
  const earlier = await askStatus(call);
  const answer = await ask(call, { kind: 'handover' });
  if (!answer.ok) return refuse(call, answer.refusal);
  if (isAcceptance(answer.response)) return report(call, { message: messageOf(answer.response), units: [] });
  const pids = new Set(earlier.ok ? earlier.snapshot.units.map(({ process }) => process?.pid) : []);
  const deadline = performance.now() + LIMIT_MS;
  for (let waitMs = 20; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 200)) {
    await pause(waitMs);
    const after = supervisorPid(call);
    const status = after === null || after === before ? null : await askStatus(call);
    if (status?.ok !== true) continue;
    // What is no longer in the file, or is another service there, is ended.
    const { length } = status.snapshot.units.filter(({ process, phase }) => process !== undefined && phase !== 'stopping' && pids.has(process.pid));
    return report(call, {
      message: `Supervisor restarted (pid ${before ?? '?'} → ${after}); ${length} ${length === 1 ? 'service goes' : 'services go'} on`, units: outcomes(status.snapshot, null),
    });
  }
  return refuse(call, refusals.timeout(`no new supervisor answered within ${LIMIT_MS / 1000} s; see ${call.paths.supervisorLog}`));
}
