import type { Launch } from '../../machines/types.ts';
import type { SourceNode } from './document.ts';
import { command, list, scalarSchema, word, yamlList, type Kind } from './kind.ts';
import { leavesReference } from './interpolate.ts';
import { classify, quoteArgv } from './launch.ts';
import { below, complain, items, missing, note, type Place } from './place.ts';
import { exclusive, optional, type Values } from './record.ts';

/** One word of `exec`; may be empty, except for the first. */
const argument: Kind<string> = {
  schema: scalarSchema,
  read: (place) => (place.node.kind === 'scalar' && place.node.text === '' && place.node.value === '' ? '' : word.read(place)),
};

export const commandKeys = {
  command: optional(command, 'The command line; exactly one of `command` and `exec`. Executed directly when it is nothing but words and quotes, else by `sh -c`.'),
  exec: optional(list(argument, 'a list of words', 1, asWords), 'The argument vector, executed without a shell.'),
};

export interface ResolvedCommand {
  /** As shown to people and as hashed. */
  readonly command: string;
  readonly launch: Launch;
}

/** The words of a line that needs no shell. */
function asWords(node: SourceNode): string | null {
  if (node.kind !== 'scalar') return null;
  const launch = classify(node.text);
  return launch.kind === 'exec' ? yamlList(launch.argv) : `command: ${JSON.stringify(node.text)}, which a shell reads`;
}

/** Exactly one of `command` and `exec`; `null` after having complained. */
export function resolveCommand(place: Place, { command: line, exec: argv }: Values<typeof commandKeys>): ResolvedCommand | null {
  exclusive(place, ['command', 'exec']);
  const exec = below(place, 'exec');
  if (argv !== null && exec !== null) {
    if (argv[0] === '') complain(exec, 'expected the name of a program as first word, got ""');
    // A word of several lines is a program, in whose language it means something.
    for (const item of items(exec)) {
      if (item.node.kind !== 'scalar' || /\n/.test(item.node.text) || !leavesReference(item.node.text, item.scope)) continue;
      note(item, 'no shell reads this: a reference to an unknown variable reaches the program as it is');
    }
    return { command: quoteArgv(argv), launch: { kind: 'exec', argv } };
  }
  if (line !== null) return { command: line, launch: classify(line) };
  if (exec === null && below(place, 'command') === null) {
    const isEmpty = place?.node.kind === 'map' && place.node.entries.some(({ key }) => key === 'command');
    missing(place, `missing field \`command\` (or \`exec\`)${isEmpty ? "; a text that begins with '#' or '&' needs quotes" : ''}`);
  }
  return null;
}
