import type { Announced, CheckProbe, ServiceSpec } from '../../../machines/types.ts';
import { textOf } from '../../errors.ts';
import type { CommandResult } from '../../process/run-command.ts';
import { runForUnit, type CommandOutside } from '../../process/unit-command.ts';
import { accepts } from './tcp.ts';
import { answers } from './url.ts';

/** A check that is made again and again. */
export type Attempted = Exclude<CheckProbe, Announced>;

/** One attempt, until the signal is aborted. Never rejects; a failure's reason follows the words "the check". */
export async function attempt(probe: Attempted, spec: ServiceSpec, outside: CommandOutside, signal: AbortSignal): Promise<CommandResult> {
  try {
    switch (probe.kind) {
      case 'command': return await runForUnit(spec, {
        purpose: 'check', asUnit: true, script: probe.command, output: 'ignore', signal, variables: { SYSG_SERVICE_NAME: spec.name },
      }, outside);
      case 'url': return await answers({ url: probe.url, expectStatus: probe.expectStatus, signal, certificates: outside.environment['NODE_EXTRA_CA_CERTS'] });
      case 'tcp': return await accepts(probe.host, probe.port, signal);
    }
  } catch (error) {
    return { ok: false, reason: `could not be made: ${textOf(error)}` };
  }
}
