import { randomBytes } from 'node:crypto';
import type { ServiceSpec } from '../../machines/types.ts';
import { refuse } from '../errors.ts';
import { childEnvironment } from './environment.ts';
import { confineAsUser } from './privileges.ts';
import { runCommand, type CommandRequest, type CommandResult } from './run-command.ts';

export interface CommandOutside extends Pick<CommandRequest, 'clock' | 'onProblem'> {
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges?: boolean;
}

export interface UnitCommand extends Pick<CommandRequest, 'script' | 'output' | 'onComplaint' | 'input' | 'isResident' | 'signal'> {
  readonly purpose: 'hook' | 'check' | 'logger' | 'switch';
  /**
   * As the unit's user in its working directory, else as the supervisor's user in the project's. The unit's limits, capabilities and namespaces are
   * for the service itself.
   */
  readonly asUnit: boolean;
  /** Over those of the unit; `null` is not set at all, an inherited one included. */
  readonly variables: Readonly<Record<string, string | null>>;
}

/** Runs a command beside a unit, with the unit's environment and a token of its own: an order to stop the unit does not reach the command. Never rejects. */
export async function runForUnit(spec: ServiceSpec, { purpose, asUnit, variables, ...command }: UnitCommand, outside: CommandOutside): Promise<CommandResult> {
  const { clock, environment: inherited, dropPrivileges = false, onProblem } = outside;
  const confinement = asUnit ? confineAsUser(spec, inherited, dropPrivileges) : { ok: true, prefix: [], environment: {} } as const;
  if (!confinement.ok) return refuse(`could not be run: ${confinement.reason}`);
  const token = `${purpose}.${randomBytes(6).toString('hex')}`;
  const env = childEnvironment(inherited, { ...spec.env, ...confinement.environment }, token);
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  return runCommand({ ...command, clock, env, token, prefix: confinement.prefix, cwd: asUnit ? spec.workingDir : spec.projectDir, onProblem });
}
