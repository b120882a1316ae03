import { connect } from 'node:net';
import { fromCallback } from 'xstate';
import type { attemptPort, AttemptInput } from '../../../machines/ports.ts';
import { isAnnounced, type Announced, type AttemptReport, type CheckProbe, type ServiceSpec } from '../../../machines/types.ts';
import { connectFailure, hasCode, refuse, textOf } from '../../errors.ts';
import { runForUnit, type CommandOutside, type CommandResult } from '../../process/run-command.ts';
import { urlHost } from '../../words.ts';
import { within } from '../within.ts';
import type { Announcements } from './announcements.ts';
import { answers } from './url.ts';

export interface AttemptOutside extends CommandOutside {
  readonly announcements: Pick<Announcements, 'heard'>;
}

/** One attempt of a check, for at most its limit, reported once; of an actor that is ended before, XState passes nothing on. */
export function makeAttemptActor(outside: AttemptOutside): typeof attemptPort {
  const { clock } = outside;
  return fromCallback<{ type: 'never' }, AttemptInput>(({ input: { spec, check: { probe }, limitMs }, sendBack }) => {
    const ended = new AbortController();
    void within(limitMs, clock, ended.signal, async (signal): Promise<CommandResult> => {
      if (!isAnnounced(probe)) return attempt(probe, spec, outside, signal);
      return await outside.announcements.heard(spec, probe, signal) ? { ok: true } : refuse('was not heard');
    }).then((result) => {
      sendBack((result.ok ? { type: 'attempt.ok', at: clock.now() } : { type: 'attempt.failed', at: clock.now(), reason: result.reason }) satisfies AttemptReport);
    });
    return () => ended.abort();
  });
}

/** A check that is made again and again. */
export type Attempted = Exclude<CheckProbe, Announced>;

/** One attempt, until the signal is aborted. Never rejects; a failure's reason follows the words "the check". */
export async function attempt(probe: Attempted, spec: ServiceSpec, outside: CommandOutside, signal: AbortSignal): Promise<CommandResult> {
  try {
    switch (probe.kind) {
      case 'command': return await runForUnit(spec, {
        purpose: 'check', asUnit: true, sweeps: 'if-group-lives', script: probe.command, output: 'ignore', signal, variables: { SYSG_SERVICE_NAME: spec.name },
      }, outside);
      case 'url': return await answers({ url: probe.url, expectStatus: probe.expectStatus, signal, certificates: outside.environment['NODE_EXTRA_CA_CERTS'] });
      case 'tcp': return await accepts(probe.host, probe.port, signal);
    }
  } catch (error) {
    return refuse(`could not be made: ${textOf(error)}`);
  }
}

/** Whether an address accepts a connection, which is closed in order: what greets who connects, as many databases do, would be reset otherwise. */
function accepts(host: string, port: number, signal: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let farewell: NodeJS.Timeout | undefined;
    const leave = (): void => void socket.destroy();
    const settle = (result: CommandResult): void => {
      signal.removeEventListener('abort', leave);
      resolve(result);
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    socket.once('connect', () => {
      settle({ ok: true });
      // Not an idle time: who is connected to may go on sending.
      farewell = setTimeout(leave, FAREWELL_MS).unref();
      socket.resume().end();
    });
    socket.once('close', () => {
      clearTimeout(farewell);
      settle(refuse('was given up'));
    });
    // Stays: a second error must not be an uncaught one.
    // A reset in the place of the connect: it was accepted, and closed at once.
    socket.on('error', (error) => settle(hasCode(error, 'ECONNRESET') ? { ok: true } : refuse(`got no connection to ${urlHost({ host, port })}: ${connectFailure(error, host)}`)));
  });
}

/** How long an address that was reached may take to close the connection, too. */
const FAREWELL_MS = 1000;
