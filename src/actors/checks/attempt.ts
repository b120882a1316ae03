import { randomBytes } from 'node:crypto';
import type { Announced, CheckProbe, ServiceSpec } from '../../../machines/types.ts';
import { textOf } from '../../errors.ts';
import { childEnvironment } from '../../process/environment.ts';
import { confineAsUser } from '../../process/privileges.ts';
import { runCommand, type CommandResult } from '../../process/run-command.ts';
import { accepts } from './tcp.ts';
import { answers } from './url.ts';

/** A check that is made again and again. */
export type Attempted = Exclude<CheckProbe, Announced>;

export interface AttemptOutside {
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges?: boolean;
  onProblem(text: string): void;
}

/** One attempt, until the signal is aborted. Never rejects; a failure's reason follows the words "the check". */
export async function attempt(probe: Attempted, spec: ServiceSpec, outside: AttemptOutside, signal: AbortSignal): Promise<CommandResult> {
  try {
    switch (probe.kind) {
      case 'command': return await runCheck(probe.command, spec, outside, signal);
      case 'url': return await answers({ url: probe.url, expectStatus: probe.expectStatus, signal, certificates: outside.environment['NODE_EXTRA_CA_CERTS'] });
      case 'tcp': return await accepts(probe.host, probe.port, signal);
    }
  } catch (error) {
    return { ok: false, reason: `could not be made: ${textOf(error)}` };
  }
}

/** As the unit's user; its limits and namespaces are for the service itself. */
function runCheck(script: string, spec: ServiceSpec, outside: AttemptOutside, signal: AbortSignal): CommandResult | Promise<CommandResult> {
  const { environment, dropPrivileges = false, onProblem } = outside;
  const confinement = confineAsUser(spec, environment, dropPrivileges);
  if (!confinement.ok) return { ok: false, reason: `could not be run: ${confinement.reason}` };
  const token = `check.${randomBytes(6).toString('hex')}`;
  return runCommand({
    script, token, signal, onProblem, prefix: confinement.prefix, cwd: spec.workingDir, output: 'ignore',
    env: { ...childEnvironment(environment, { ...spec.env, ...confinement.environment }, token), SYSG_SERVICE_NAME: spec.name },
  });
}
