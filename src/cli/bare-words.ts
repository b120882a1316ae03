import { refusals, type Refusal } from '../errors.ts';
import { resolveProgram } from '../process/program.ts';
import { parsePlain, type ParsedCall } from './arguments.ts';
import { openCall, type Surroundings } from './call.ts';
import { chooseConfigAtRest, chooseConfigToRead } from './config-choice.ts';
import { explain, type Explained } from './explain.ts';
import { configuredUnits, knownUnits, matchEach } from './names.ts';
import { options } from './options.ts';

interface CommandLine { readonly argv: readonly string[]; readonly columns: number; readonly surroundings: Surroundings }

/**
 * What is meant by words after `start` without `--` before them: units where the first one names a unit, else a command, as to systemg 0.33.0. A word that
 * is neither a unit nor a program is refused.
 */
export async function meaningOf(asCommand: ParsedCall, { argv, columns, surroundings }: CommandLine): Promise<Explained> {
  const command: Explained = { kind: 'call', parsed: asCommand };
  const [first = ''] = asCommand.command ?? [];
  const isForCommand = [options.child, options.parentPid, options.ttl, options.name, options.service].some((option) => asCommand.flags.has(option));
  if (asCommand.verb.name !== 'start' || isForCommand) return command;
  // Flags behind the names count, `-c` among them.
  const asNames = parsePlain(argv, 'names');
  const names = (): Promise<Explained> => (asNames === null ? explain(argv, columns, 'names') : Promise.resolve({ kind: 'call', parsed: asNames }));
  // What another machine has as programs is not known here.
  if (asCommand.flags.has(options.host)) return names();
  const opened = openCall(asNames ?? asCommand, { ...surroundings, terminal: { ...surroundings.terminal, complain: () => undefined } });
  const known = opened.ok ? await knownUnits(opened.call) : opened;
  if (!known.ok) return command;
  // A service that was left out for its profiles can be started by name.
  const others = opened.ok && known.isLive ? await configuredUnits(opened.call, chooseConfigToRead(opened.call)) : [];
  const { missing } = matchEach([first], [...known.units, ...others]);
  if (missing.length === 0) return names();
  if (resolveProgram(first, surroundings.env['PATH'], surroundings.cwd).ok) return command;
  // Of a file that cannot be read its mistakes are said: it may have the word.
  if (!known.isLive && known.units.length === 0 && opened.ok && chooseConfigAtRest(opened.call).ok) return names();
  return { kind: 'refused', refusal: neither(missing[0] ?? '', asCommand.command ?? []), asJson: (asNames ?? asCommand).flags.has(options.json) };
}

function neither(missing: string, command: readonly string[]): Refusal {
  return refusals.runtime(`${missing}\nand '${command[0]}' is no program on PATH; a command may also follow --, as in: sysg start -- ${command.join(' ')}`);
}
