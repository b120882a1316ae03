import type { UnitStatus } from '../../wire/payloads.ts';
import { ask, messageOf } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfig, namedConfig } from '../config-choice.ts';
import { options } from '../options.ts';
import { withProgress } from '../progress.ts';
import { refuse, refuseUnits, reportUnits } from '../report.ts';
import { startDetached, warnDropPrivileges } from './start.ts';

/** Restarts a service, or all of them with the file read again. Only a file named with `-c` is sent along. */
export async function restart(call: Call): Promise<number> {
  const { flags } = call;
  const service = flags.text(options.service);
  if (flags.has(options.supervisor)) return (await import('../replace-supervisor.ts')).replaceSupervisor(call);
  const wait = !flags.has(options.daemonize) || flags.has(options.wait);
  const config = namedConfig(call);
  if (!config.ok) return refuse(call, config.refusal);
  const send = (): ReturnType<typeof ask> => ask(call, { kind: 'restart', config: config.path, service, wait, settlements: flags.has(options.json) });
  const expects = (unit: UnitStatus): boolean => (service === null ? unit.kind === 'service' && unit.wanted === 'up' : unit.name === service);
  const answer = await (wait ? withProgress(call, { expects }, send) : send());
  if (!answer.ok) {
    return answer.refusal.code === 'no-supervisor' && flags.has(options.daemonize) ? startInstead(call) : refuseUnits(call, answer, service);
  }
  if (call.dropPrivileges) warnDropPrivileges(call);
  // With --daemonize alone the answer only means that the restart was accepted, and systemg 0.33.0 prints nothing then.
  return reportUnits(call, wait || flags.has(options.json) ? messageOf(answer.response) : '', service);
}

async function startInstead(call: Call): Promise<number> {
  const config = chooseConfig(call);
  return config.ok ? startDetached(call, config.path) : refuse(call, config.refusal);
}
