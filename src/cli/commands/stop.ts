import type { UnitStatus } from '../../wire/payloads.ts';
import { isAcceptance } from '../../wire/responses.ts';
import { refusals } from '../../errors.ts';
import { ask, askInTurn, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { besideEvery, namedUnits, notPresent } from '../names.ts';
import { options } from '../options.ts';
import { outcomes, refuse, refuseUnits, report, reportUnits, type UnitOutcome, withProgress } from '../report.ts';
import { findSupervisor } from '../../state/lock-owner.ts';
import { endGuardian, hasBegun, lookForServer, untilReleased } from '../presence.ts';
import { foreignObstacle } from '../supervision.ts';

/** Stops the services that are named; without a name all of them and the supervisor. */
export async function stop(call: Call): Promise<number> {
  if (call.flags.has(options.every)) {
    const refused = besideEvery(call);
    if (refused !== null) return refuse(call, refused);
    const { forEach, listEach } = await import('../every-supervisor.ts');
    return (call.flags.has(options.json) ? listEach : forEach)(call, stopEverything);
  }
  const otherwise = call.flags.has(options.config) ? await (await import('../left-running.ts')).otherRuns(call) : null;
  if (otherwise !== null) return refuse(call, otherwise);
  warnAboutOtherConfig(call);
  const named = await namedUnits(call);
  if (!named.ok) return refuse(call, named.refusal);
  if (named.names !== null) return stopServices(call, named.names);
  return call.flags.has(options.forget) ? refuse(call, refusals.usage('--forget needs the names of units\ntry: sysg stop --help')) : stopEverything(call);
}

async function stopServices(call: Call, names: readonly string[]): Promise<number> {
  for (const name of names) {
    const obstacle = await foreignObstacle(call, name);
    if (obstacle?.kind === 'unknown') return refuse(call, await notPresent(call, name, obstacle.names));
  }
  const stopOne = (service: string): ReturnType<typeof ask> => ask(call, { kind: 'stop', service, settlements: call.flags.has(options.json), forget: call.flags.has(options.forget), notes: true });
  const answer = await withProgress(call, { expects: ({ name }) => names.includes(name) }, () => askInTurn(names, stopOne));
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? withoutSupervisor(call, names) : refuseUnits(call, answer, names);
  return reportUnits(call, messageOf(answer.response), names);
}

async function stopEverything(call: Call): Promise<number> {
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  const expects = ({ process, phase }: UnitStatus): boolean => process !== undefined || phase === 'starting' || phase === 'stopping' || phase === 'backoff';
  const ended = await withProgress(call, { expects }, async () => {
    // Of one whose files somebody removed it is not seen who it is before it has put them back.
    const owner = findSupervisor(call.paths) ?? (await lookForServer(call) === 'served' ? findSupervisor(call.paths) : null);
    const answer = await ask(call, { kind: 'shutdown' });
    // The answer comes just before the end: a start, or the removal of the state directory, must not find the old ones still there. After an
    // acceptance the end waits for this command.
    return { answer, isReleased: !answer.ok || isAcceptance(answer.response) || await untilReleased(call, GONE_WITHIN_MS, owner) };
  });
  const { answer } = ended;
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? withoutSupervisor(call, null) : refuse(call, answer.refusal);
  if (!ended.isReleased) call.terminal.warn(`the supervisor has answered and is not gone after ${GONE_WITHIN_MS / 1000} s`);
  const units = status?.ok && !isAcceptance(answer.response) ? outcomes(status.snapshot, null).map(({ name }): UnitOutcome => ({ name, phase: 'stopped' })) : [];
  return report(call, { message: messageOf(answer.response), units });
}

/** No supervisor: what a dead one left running is ended. Nothing running is what was asked for, and no failure, as in systemg 0.33.0. */
async function withoutSupervisor(call: Call, names: readonly string[] | null): Promise<number> {
  const { stopAtRest } = await import('../stop-at-rest.ts');
  const isForgotten = names !== null && call.flags.has(options.forget);
  const { forgetAtRest, unforgettable } = await import('../ad-hoc.ts');
  const configured = isForgotten ? unforgettable(call, names) : null;
  if (configured !== null) return refuse(call, configured);
  if (names === null) await endGuardian(call.paths);
  const stopped = await stopAtRest(call, names);
  if (!stopped.ok && await hasBegun(call, stopped.refusal)) return names === null ? stopEverything(call) : stopServices(call, names);
  const failed = stopped.ok && isForgotten ? forgetAtRest(call, names) : null;
  if (failed !== null) return refuse(call, failed);
  const { message } = refusals.noSupervisor(call.paths.stateDir, '');
  if (!stopped.ok) return refuse(call, { ...stopped.refusal, message: `${message}\n${stopped.refusal.message}` });
  const text = [message, ...stopped.ended.map(({ name, pid }) => `Service '${name}' stopped (pid ${pid}, left running by a dead supervisor)`), ...(isForgotten ? names.map((name) => `Service '${name}' forgotten`) : [])].join('\n');
  call.terminal.complain(`sysg: ${text}`);
  return call.flags.has(options.json) ? report(call, { message: text, units: stopped.ended.map(({ name }) => ({ name, phase: 'stopped' })) }) : 0;
}

const GONE_WITHIN_MS = 10_000;
