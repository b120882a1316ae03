import { setTimeout as pause } from 'node:timers/promises';
import type { Refusal } from '../../errors.ts';
import { ask, askStatus, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfigAtRest, warnAboutOtherConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { outcomes, refuse, report, type UnitOutcome } from '../report.ts';
import { isRunning } from './start.ts';

/** Stops a service; without `-s` all of them and the supervisor. */
export async function stop(call: Call): Promise<number> {
  warnAboutOtherConfig(call);
  const service = call.flags.text(options.service);
  return service === null ? stopEverything(call) : stopService(call, service);
}

async function stopService(call: Call, service: string): Promise<number> {
  const answer = await ask(call, { kind: 'stop', service });
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? nothingToStop(call, answer.refusal) : refuse(call, answer.refusal);
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  return report(call, { message: messageOf(answer.response), units: status?.ok ? outcomes(status.snapshot, service) : [] });
}

async function stopEverything(call: Call): Promise<number> {
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  const answer = await ask(call, { kind: 'shutdown' });
  if (!answer.ok) return answer.refusal.code === 'no-supervisor' ? nothingToStop(call, answer.refusal) : refuse(call, answer.refusal);
  await untilGone(call);
  const units = status?.ok ? outcomes(status.snapshot, null).map(({ name }): UnitOutcome => ({ name, phase: 'stopped' })) : [];
  return report(call, { message: messageOf(answer.response), units });
}

/** Nothing runs, which is what was asked for, as in systemg 0.33.0; a configuration that cannot be read is told all the same. */
async function nothingToStop(call: Call, refusal: Refusal): Promise<number> {
  const message = refusal.message.split(';')[0] ?? refusal.message;
  const config = chooseConfigAtRest(call);
  if (!config.ok) return refuse(call, { code: 'config', message: `${message}\n${config.refusal.message}` });
  const { loadConfig, formatProblem } = await import('../../config/load.ts');
  const loaded = loadConfig(config.path, { env: call.env, stateDir: call.paths.stateDir });
  if (!loaded.ok) return refuse(call, { code: 'config', message: [message, ...loaded.problems.map(formatProblem)].join('\n') });
  call.terminal.complain(`sysg: ${message}`);
  return call.flags.has(options.json) ? report(call, { message, units: [] }) : 0;
}

/** The answer comes just before the end: a start that follows must not find the old one still there. */
async function untilGone(call: Call): Promise<void> {
  const deadline = performance.now() + GONE_WITHIN_MS;
  for (let waitMs = 10; isRunning(call) === true; waitMs = Math.min(waitMs * 2, 200)) {
    if (performance.now() > deadline) {
      call.terminal.warn(`the supervisor has answered and is not gone after ${GONE_WITHIN_MS / 1000} s`);
      return;
    }
    await pause(waitMs);
  }
}

const GONE_WITHIN_MS = 10_000;
