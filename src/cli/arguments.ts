import { globalOptions, options, spellings, type Flags, type OptionSpec } from './options.ts';
import { aliases, verbs, type Verb } from './verbs.ts';

export interface ParsedCall {
  readonly verb: Verb;
  readonly flags: Flags;
  /** Words after the verb that are no flags. */
  readonly operands: readonly string[];
  /** The command line of the user that follows, where the verb takes one. */
  readonly command: readonly string[] | null;
  /** The command line has no `--` before it: its first word may as well be the name of a unit. */
  readonly isBare: boolean;
}

/** What words are that follow a verb which takes a command line, where no `--` is before them. */
export type BareWords = 'command' | 'names';

/** `sysg up web` is `sysg start --daemonize web`. */
export function withoutAlias(argv: readonly string[]): readonly string[] {
  const at = placeOfVerb(argv);
  const verb = argv[at] ?? '';
  return Object.hasOwn(aliases, verb) ? [...argv.slice(0, at), ...aliases[verb] ?? [], ...argv.slice(at + 1)] : argv;
}

/**
 * Separates the arguments of this program from the command line that it is to run, which begins after `--`, else, as a `command`, at the first word after
 * the verb, and may have dashes of its own.
 */
export function partCommand(
  argv: readonly string[], bare: BareWords,
): { readonly own: readonly string[]; readonly command: readonly string[] | null; readonly isBare: boolean } {
  const at = placeOfVerb(argv);
  const takesCommand = verbs.find(({ name }) => name === argv[at])?.trailing === true;
  for (let index = at + 1; takesCommand && index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') return { own: argv.slice(0, index), command: argv.slice(index + 1), isBare: false };
    if (word.startsWith('-')) index += takesNext(word) ? 1 : 0;
    else if (bare === 'command') return { own: argv.slice(0, index), command: argv.slice(index), isBare: true };
  }
  return { own: argv, command: null, isBare: false };
}

/** The first word that is neither a flag nor the value of one. */
export function placeOfVerb(argv: readonly string[]): number {
  let index = 0;
  for (let word = argv[index]; word?.startsWith('-') === true; word = argv[index]) index += takesNext(word) ? 2 : 1;
  return index;
}

/** A flag whose value is the next word. */
function takesNext(word: string): boolean {
  const split = splitFlag(word);
  return split?.value === null && known.get(split.name)?.value !== undefined;
}

/**
 * Reads arguments that are clear. Null for everything else, help and mistakes included: `explain` reads those, and takes longer
 * to load than a command takes to run.
 */
export function parsePlain(argv: readonly string[], bare: BareWords = 'command'): ParsedCall | null {
  const { own, command, isBare } = partCommand(withoutAlias(argv), bare);
  if (command?.length === 0) return null;
  const words: string[] = [];
  const given = new Map<string, readonly string[]>();
  for (let index = 0; index < own.length; index += 1) {
    const word = own[index] ?? '';
    if (!word.startsWith('-')) {
      words.push(word);
      continue;
    }
    const split = splitFlag(word);
    const option = split === null ? undefined : known.get(split.name);
    if (split === null || option === undefined) return null;
    // Before the command only the options of all commands are known.
    if (words.length === 0 && !globalOptions.includes(option)) return null;
    if (option.value === undefined) {
      if (split.value !== null) return null;
      given.set(option.name, []);
      continue;
    }
    const value = split.value ?? own[++index];
    // A value that looks like a flag is more likely a forgotten value.
    if (value === undefined || value === '' || (split.value === null && value.startsWith('-') && value !== '-')) return null;
    if (given.has(option.name) && option.repeats !== true) return null;
    given.set(option.name, [...given.get(option.name) ?? [], value]);
  }
  const [name, ...operands] = words;
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined) return null;
  const allowed = [...globalOptions, ...verb.options];
  for (const [flag, values] of given) {
    const option = allowed.find((candidate) => candidate.name === flag);
    if (option === undefined || values.some((value) => option.check?.(value) != null)) return null;
  }
  const flags = flagsOf(given);
  return wrongOperands(verb, operands, flags) === null ? { verb, flags, operands, command, isBare } : null;
}

/** What is wrong with the words after the verb, or null. */
export function wrongOperands({ operands }: Verb, words: readonly string[], flags: Flags): string | null {
  const extra = words[operands?.most ?? 0];
  if (extra !== undefined) return `unexpected argument '${extra}'`;
  if (operands === undefined) return null;
  if (words.length + flags.texts(options.service).length < operands.least) return `expected ${operands.shown}: ${operands.about}`;
  for (const word of words) {
    const problem = operands.check?.(word) ?? null;
    if (problem !== null) return problem;
  }
  return null;
}

/** `given` has the values of each flag; none for a flag without a value. */
export function flagsOf(given: ReadonlyMap<string, readonly string[]>): Flags {
  return { has: ({ name }) => given.has(name), text: ({ name }) => given.get(name)?.[0] ?? null, texts: ({ name }) => given.get(name) ?? [] };
}

/** The words with each value that is glued to a letter, `-sweb` and `-s=web`, written as `--service=web`: yargs would read letters of it as flags. */
export function unglued(own: readonly string[]): readonly string[] {
  const end = own.includes('--') ? own.indexOf('--') : own.length;
  return own.map((word, index) => {
    const split = index < end && !word.startsWith('--') ? splitFlag(word) : null;
    return split === null || split.value === null ? word : `--${known.get(split.name)?.name}=${split.value}`;
  });
}

/** What is wrong with a flag of these that has a value and takes none, which yargs would read as if the flag were not there; null: there is no such flag. */
export function needlessValue(own: readonly string[], of: readonly OptionSpec[]): string | null {
  const end = own.includes('--') ? own.indexOf('--') : own.length;
  for (const word of own.slice(0, end)) {
    const { name = '', value = null } = (word.startsWith('-') ? splitFlag(word) : null) ?? {};
    if (value !== null && of.some((option) => option.name === name && option.value === undefined)) return `option '--${name}' takes no value, got '${value}'`;
  }
  return null;
}

/** A letter takes its value glued on too, with or without `=`, as in systemg 0.33.0. */
function splitFlag(word: string): { readonly name: string; readonly value: string | null } | null {
  const long = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word);
  if (long !== null) return { name: long[1] ?? '', value: long[2] ?? null };
  const [, name, rest] = /^-([a-z])(.*)$/s.exec(word) ?? [];
  if (name === undefined || rest === undefined) return null;
  if (rest === '') return { name, value: null };
  return known.get(name)?.value === undefined ? null : { name, value: rest.replace(/^=/, '') };
}

const known = new Map<string, OptionSpec>([...globalOptions, ...verbs.flatMap((verb) => verb.options)].flatMap((option) => (
  spellings(option).map((spelling): [string, OptionSpec] => [spelling.replace(/^-+/, ''), option])
)));
