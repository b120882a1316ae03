import { randomBytes } from 'node:crypto';
import type { ServiceSpec } from '../../machines/types.ts';
import type { LoggerRunner } from '../logs/logger.ts';
import { childEnvironment } from '../process/environment.ts';
import { confineAsUser } from '../process/privileges.ts';
import { runCommand } from '../process/run-command.ts';

export interface LoggerOutside {
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges: boolean;
  onProblem(text: string): void;
}

/**
 * How the loggers of a unit are run: in its working directory, with its environment, as its user; its limits and namespaces are for the
 * service itself. With a token of their own: who stops the service does not stop them.
 */
export function makeLoggerRunner(spec: ServiceSpec, { environment, dropPrivileges, onProblem }: LoggerOutside): LoggerRunner {
  const run: LoggerRunner['run'] = async ({ command, stream, input, signal, onComplaint }) => {
    const confinement = confineAsUser(spec, environment, dropPrivileges);
    if (!confinement.ok) return { ok: false, reason: `could not be run: ${confinement.reason}` };
    const token = `logger.${randomBytes(6).toString('hex')}`;
    const env = childEnvironment(environment, { ...spec.env, ...confinement.environment }, token);
    return runCommand({
      script: command, token, signal, input, onComplaint, onProblem, prefix: confinement.prefix, cwd: spec.workingDir, output: 'complaints', isResident: true,
      env: { ...env, SYSG_SERVICE_NAME: spec.name, SYSG_LOG_STREAM: stream },
    });
  };
  return { definition: spec.definition.process, run };
}
