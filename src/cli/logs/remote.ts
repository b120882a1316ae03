import { Writable } from 'node:stream';
import { streamCommandOutput } from '../../control/client.ts';
import { isControlError } from '../../control/brief-client.ts';
import { refusals } from '../../errors.ts';
import type { Call } from '../call.ts';
import { namedUnits } from '../names.ts';
import { options } from '../options.ts';

/** What the supervisor of another machine sends of its logs. */
export async function remoteLogs(call: Call): Promise<number> {
  const { flags, terminal, paths: { socket } } = call;
  const unfit = [options.json, options.stream, options.raw].find((option) => flags.has(option));
  if (unfit !== undefined) return terminal.refuse(refusals.usage(`--${unfit.name} works on the files of the machine: ssh ${call.host ?? ''} sysg logs --${unfit.name}`));
  const named = await namedUnits(call);
  if (!named.ok) return terminal.refuse(named.refusal);
  const logKind = flags.text(options.kind) ?? 'all';
  const mayFollow = !flags.has(options.noFollow);
  const one = async (service: string | null, follow: boolean): Promise<void> => streamCommandOutput(
    { kind: 'logs', service, lines: Number(flags.text(options.lines) ?? 50), logKind, follow },
    new Writable({ write: (chunk: Buffer, _encoding, done) => void terminal.write(chunk).then(() => done(), done) }), { socket },
  );
  try {
    // The protocol follows one unit at a time.
    const [only = null, ...others] = named.names ?? [];
    const follow = mayFollow && others.length === 0 && (only !== null || logKind === 'supervisor');
    for (const name of named.names ?? [null]) await one(name, follow);
    return 0;
  } catch (error) {
    if (!isControlError(error)) throw error;
    return terminal.refuse(refusals.socket(error.message));
  }
}
