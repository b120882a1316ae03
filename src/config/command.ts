import type { Launch } from '../../machines/types.ts';
import { classify, quoteArgv } from './launch.ts';
import { command, list, type Kind } from './kind.ts';
import { below, complain, item, missing, note, type Place } from './place.ts';
import { exclusive, optional, type Values } from './record.ts';

/** One word of `exec`; may be empty, except for the first. */
const argument: Kind<string> = {
  schema: { type: ['string', 'number', 'boolean'] },
  read(place) {
    if (place.node.kind === 'scalar' && place.node.text === '' && place.node.value === '') return '';
    return command.read(place);
  },
};

const argv = list(argument, 'a list of words', 1);

export const commandKeys = {
  command: optional(command, 'The command line; exactly one of `command` and `exec`. Executed directly when it is nothing but words and quotes, else by `sh -c`.'),
  exec: optional(argv, 'The argument vector, executed without a shell.'),
};

export interface ResolvedCommand {
  /** As shown to people and as hashed. */
  readonly command: string;
  readonly launch: Launch;
}

/** Exactly one of `command` and `exec`; `null` after having complained. */
export function resolveCommand(place: Place, values: Values<typeof commandKeys>): ResolvedCommand | null {
  exclusive(place, ['command', 'exec']);
  if (values.exec !== null) {
    const program = values.exec[0] ?? '';
    if (program === '') complain(below(place, 'exec') ?? place, 'expected the name of a program as first word, got ""');
    noteLeftReferences(place, values.exec);
    return { command: quoteArgv(values.exec), launch: { kind: 'exec', argv: values.exec } };
  }
  if (values.command !== null) return { command: values.command, launch: classify(values.command) };
  const refused = below(place, 'command') ?? below(place, 'exec');
  if (refused === null) missing(place, 'missing field `command` (or `exec`)');
  return null;
}

/** Without a shell a reference that was not replaced reaches the program as it is. */
function noteLeftReferences(place: Place, argv: readonly string[]): void {
  const entry = place.node.kind === 'map' ? place.node.entries.find((candidate) => candidate.key === 'exec') : undefined;
  if (entry?.value.kind !== 'list') return;
  entry.value.items.forEach((node, index) => {
    if (/\$\{/.test(argv[index] ?? '')) note({ ...item(place, node, index), path: [...place.path, 'exec', String(index)] }, 'no shell reads this: a reference to an unknown variable reaches the program as it is');
  });
}
