import type { UnitStatus } from '../../wire/payloads.ts';
import { isAcceptance } from '../../wire/responses.ts';
import { refusals } from '../../errors.ts';
import { ask, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { outcomes, refuse, refuseUnits, report, reportUnits, type UnitOutcome, withProgress } from '../report.ts';
import { findLockOwner } from '../../state/lock-owner.ts';
import { foreignObstacle, untilReleased } from '../supervision.ts';

/** Stops a service; without `-s` all of them and the supervisor. */
export async function stop(call: Call): Promise<number> {
  warnAboutOtherConfig(call);
  const service = call.flags.text(options.service);
  return service === null ? stopEverything(call) : stopService(call, service);
}

async function stopService(call: Call, service: string): Promise<number> {
  if (await foreignObstacle(call, service) === 'unknown') return refuse(call, refusals.unknownUnit(service));
  const answer = await withProgress(call, { expects: ({ name }) => name === service }, () => ask(call, { kind: 'stop', service, settlements: call.flags.has(options.json) }));
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? withoutSupervisor(call) : refuseUnits(call, answer, service);
  return reportUnits(call, messageOf(answer.response), service);
}

async function stopEverything(call: Call): Promise<number> {
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  const expects = ({ process, phase }: UnitStatus): boolean => process !== undefined || phase === 'starting' || phase === 'stopping' || phase === 'backoff';
  const ended = await withProgress(call, { expects }, async () => {
    const owner = findLockOwner(call.paths);
    const answer = await ask(call, { kind: 'shutdown' });
    // The answer comes just before the end: a start, or the removal of the state directory, must not find the old ones still there. After an
    // acceptance the end waits for this command.
    return { answer, isReleased: !answer.ok || isAcceptance(answer.response) || await untilReleased(call, GONE_WITHIN_MS, owner) };
  });
  const { answer } = ended;
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? withoutSupervisor(call) : refuse(call, answer.refusal);
  if (!ended.isReleased) call.terminal.warn(`the supervisor has answered and is not gone after ${GONE_WITHIN_MS / 1000} s`);
  const units = status?.ok && !isAcceptance(answer.response) ? outcomes(status.snapshot, null).map(({ name }): UnitOutcome => ({ name, phase: 'stopped' })) : [];
  return report(call, { message: messageOf(answer.response), units });
}

/** No supervisor: what a dead one left running is ended. Nothing running is what was asked for, and no failure, as in systemg 0.33.0. */
async function withoutSupervisor(call: Call): Promise<number> {
  const { stopAtRest } = await import('../stop-at-rest.ts');
  const stopped = await stopAtRest(call, call.flags.text(options.service));
  const { message } = refusals.noSupervisor(call.paths.stateDir, '');
  if (!stopped.ok) return refuse(call, { ...stopped.refusal, message: `${message}\n${stopped.refusal.message}` });
  const text = [message, ...stopped.ended.map(({ name, pid }) => `Service '${name}' stopped (pid ${pid}, left running by a dead supervisor)`)].join('\n');
  call.terminal.complain(`sysg: ${text}`);
  return call.flags.has(options.json) ? report(call, { message: text, units: stopped.ended.map(({ name }) => ({ name, phase: 'stopped' })) }) : 0;
}

const GONE_WITHIN_MS = 10_000;
