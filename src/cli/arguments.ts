import { globalOptions, type OptionSpec } from './options.ts';
import { verbs, type Verb } from './verbs.ts';

/** The flags of one call, by name. A flag without a value is there or not. */
export interface Flags {
  has(option: OptionSpec): boolean;
  text(option: OptionSpec): string | null;
}

export interface ParsedCall {
  readonly verb: Verb;
  readonly flags: Flags;
}

/**
 * Reads arguments that are beyond doubt. Null is everything else, help and mistakes included: that is for the parser
 * that can explain itself, which takes longer to load than a command takes to run.
 */
export function parsePlain(argv: readonly string[]): ParsedCall | null {
  const words: string[] = [];
  const flags: [name: string, value: string | null][] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
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
      flags.push([option.name, null]);
      continue;
    }
    const value = split.value ?? argv[++index];
    // A value that looks like a flag is more likely a forgotten value.
    if (value === undefined || value === '' || (split.value === null && value.startsWith('-'))) return null;
    flags.push([option.name, value]);
  }
  const [name, ...rest] = words;
  const verb = verbs.find((candidate) => candidate.name === name);
  if (verb === undefined || rest.length > 0) return null;
  const given = new Map(flags);
  if (given.size < flags.length) return null;
  const allowed = [...globalOptions, ...verb.options];
  for (const [flag, value] of given) {
    const option = allowed.find((candidate) => candidate.name === flag);
    if (option === undefined || (value !== null && option.check?.(value) != null)) return null;
  }
  return { verb, flags: flagsOf(given) };
}

export function flagsOf(given: ReadonlyMap<string, string | null>): Flags {
  return { has: (option) => given.has(option.name), text: (option) => given.get(option.name) ?? null };
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
