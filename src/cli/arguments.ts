import { globalOptions, type Flags, type OptionSpec } from './options.ts';
import { verbs, type Verb } from './verbs.ts';

export interface ParsedCall {
  readonly verb: Verb;
  readonly flags: Flags;
  /** Words after the verb that are no flags. */
  readonly operands: readonly string[];
  /** The command line of the user that follows, where the verb takes one. */
  readonly command: readonly string[] | null;
}

/**
 * Separates the arguments of this program from the command line that it is to run, which begins at the first word after the
 * verb or after `--`, and may have dashes of its own.
 */
export function partCommand(argv: readonly string[]): { readonly own: readonly string[]; readonly command: readonly string[] | null } {
  let verb: Verb | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (verb !== undefined && word === '--') return { own: argv.slice(0, index), command: argv.slice(index + 1) };
    if (word.startsWith('-')) {
      const split = splitFlag(word);
      const option = split === null ? undefined : known.get(split.name);
      if (split?.value === null && option?.value !== undefined) index += 1;
      continue;
    }
    if (verb !== undefined) return { own: argv.slice(0, index), command: argv.slice(index) };
    verb = verbs.find(({ name }) => name === word);
    if (verb?.trailing !== true) break;
  }
  return { own: argv, command: null };
}

/**
 * Reads arguments that are clear. Null for everything else, help and mistakes included: `explain` reads those, and takes longer
 * to load than a command takes to run.
 */
export function parsePlain(argv: readonly string[]): ParsedCall | null {
  const { own, command } = partCommand(argv);
  if (command?.length === 0) return null;
  const words: string[] = [];
  const flags: [name: string, values: readonly string[]][] = [];
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
      flags.push([option.name, []]);
      continue;
    }
    const value = split.value ?? own[++index];
    // A value that looks like a flag is more likely a forgotten value.
    if (value === undefined || value === '' || (split.value === null && value.startsWith('-'))) return null;
    flags.push([option.name, [value]]);
  }
  const [name, ...operands] = words;
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined || wrongOperands(verb, operands) !== null) return null;
  const given = new Map(flags);
  if (given.size < flags.length) return null;
  const allowed = [...globalOptions, ...verb.options];
  for (const [flag, values] of given) {
    const option = allowed.find((candidate) => candidate.name === flag);
    if (option === undefined || values.some((value) => option.check?.(value) != null)) return null;
  }
  return { verb, flags: flagsOf(given), operands, command };
}

/** What is wrong with the words after the verb, or null. */
export function wrongOperands(verb: Verb, words: readonly string[]): string | null {
  const { operands } = verb;
  const extra = words[operands?.most ?? 0];
  if (extra !== undefined) {
    const hint = operands === undefined && verb.options.some(({ name }) => name === 'service') ? `; to name a service: sysg ${verb.name} --service ${extra} (or -s ${extra})` : '';
    return `unexpected argument '${extra}'${hint}`;
  }
  if (operands === undefined) return null;
  if (words.length < operands.least) return `expected ${operands.shown}: ${operands.about}`;
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

function splitFlag(word: string): { readonly name: string; readonly value: string | null } | null {
  const long = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(word);
  if (long !== null) return { name: long[1] ?? '', value: long[2] ?? null };
  return /^-[a-z]$/.test(word) ? { name: word.slice(1), value: null } : null;
}

const known = new Map<string, OptionSpec>(
  [...globalOptions, ...verbs.flatMap((verb) => verb.options)].flatMap((option): [string, OptionSpec][] => [
    [option.name, option],
    ...(option.short === undefined ? [] : [[option.short, option] as [string, OptionSpec]]),
  ]),
);
