import { refusals, type Refusal } from '../errors.ts';
import { didYouMean } from '../words.ts';
import { globalOptions, type Flags, type OptionSpec } from './options.ts';
import { shownVerbs, verbs, type Verb } from './verbs.ts';

export interface ParsedCall {
  readonly verb: Verb;
  readonly flags: Flags;
  /** Words after the verb that are no flags. */
  readonly operands: readonly string[];
  /** The command line of the user that follows, where the verb takes one. */
  readonly command: readonly string[] | null;
}

export type Parsed =
  | { readonly kind: 'call'; readonly parsed: ParsedCall }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** Of the verb, or of the program. `asked` false: there was no command at all. */
  | { readonly kind: 'help'; readonly verb: Verb | null; readonly asked: boolean }
  | { readonly kind: 'version' };

/** The whole command line, or one sentence that says what is wrong with it. */
export function parse(argv: readonly string[]): Parsed {
  const { own, command } = partCommand(argv);
  const end = own.includes('--') ? own.indexOf('--') : own.length;
  const words = own.slice(0, end);
  const asksHelp = words[0] === 'help';
  const named = (asksHelp ? words.slice(1) : words).find((word) => !word.startsWith('-'));
  const verb = verbNamed(named);
  if (asksHelp && named !== undefined && verb === undefined) return unknownCommand(named);
  if (asksHelp || words.includes('--help') || words.includes('-h')) return { kind: 'help', verb: verb ?? null, asked: true };
  if (words.includes('--version') || words.includes('-V')) return { kind: 'version' };
  const read = readWords(words);
  if (read.problem !== null) return usage(read.problem, read.verb);
  const operands = [...read.operands, ...own.slice(end + 1)];
  if (read.verb === undefined) return read.word === undefined ? { kind: 'help', verb: null, asked: false } : unknownCommand(read.word);
  const wrong = wrongOperands(read.verb, operands) ?? (command?.length === 0 ? 'expected a command after --' : null) ?? wrongValues(read.values);
  return wrong === null ? { kind: 'call', parsed: { verb: read.verb, flags: flagsOf(read.values), operands, command } } : usage(wrong, read.verb);
}

/**
 * Parts what is meant for this program from a command line to be run by it, which begins at the first word after the
 * verb or after `--`, and has dashes of its own.
 */
function partCommand(argv: readonly string[]): { readonly own: readonly string[]; readonly command: readonly string[] | null } {
  let verb: Verb | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (verb !== undefined && word === '--') return { own: argv.slice(0, index), command: argv.slice(index + 1) };
    if (word.startsWith('-')) {
      const { name, value } = splitFlag(word);
      if (value === null && known.get(name)?.value !== undefined) index += 1;
      continue;
    }
    if (verb !== undefined) return { own: argv.slice(0, index), command: argv.slice(index) };
    verb = verbNamed(word);
    if (verb?.trailing !== true) break;
  }
  return { own: argv, command: null };
}

interface ReadWords {
  /** What stands in the place of the verb, which may be none. */
  readonly word: string | undefined;
  readonly verb: Verb | undefined;
  readonly operands: readonly string[];
  /** Of each option what it was given, once for each time; null for a flag without a value. */
  readonly values: ReadonlyMap<OptionSpec, readonly (string | null)[]>;
  readonly problem: string | null;
}

function readWords(words: readonly string[]): ReadWords {
  const operands: string[] = [];
  const values = new Map<OptionSpec, (string | null)[]>();
  let word: string | undefined;
  let verb: Verb | undefined;
  const stop = (problem: string | null): ReadWords => ({ word, verb, operands, values, problem });
  for (let index = 0; index < words.length; index += 1) {
    const here = words[index] ?? '';
    if (!here.startsWith('-') || here === '-') {
      if (word !== undefined) operands.push(here);
      else verb = verbNamed(word = here);
      if (verb === undefined) return stop(null);
      continue;
    }
    for (let flag: string | null = here; flag !== null;) {
      const { name, value, more } = splitFlag(flag);
      const option = [...globalOptions, ...(verb?.options ?? [])].find((candidate) => candidate.name === name || candidate.short === name);
      if (option === undefined) return stop(unknownOption(name, verb, words.slice(index + 1)));
      const rest = value ?? more;
      flag = null;
      if (option.value === undefined) {
        if (value !== null) return stop(`option '--${option.name}' takes no value, got "${value}"`);
        if (more !== null) flag = `-${more}`;
      }
      const next = option.value === undefined ? null : (rest ?? words[++index]);
      // A next word that looks like a flag is more likely a forgotten value.
      if (next === undefined || (rest === null && next?.startsWith('-') === true)) return stop(`option '--${option.name}' needs a value: ${option.value}`);
      values.set(option, [...(values.get(option) ?? []), next]);
    }
  }
  return stop(null);
}

/** What is wrong with the words after the verb, or null. */
function wrongOperands({ name, operands, options }: Verb, words: readonly string[]): string | null {
  const extra = words[operands?.most ?? 0];
  if (extra !== undefined) {
    const hint = operands === undefined && options.some((option) => option.name === 'service') ? `; to name a service: sysg ${name} -s ${extra}` : '';
    return `unexpected argument '${extra}'${hint}`;
  }
  if (operands === undefined) return null;
  if (words.length < operands.least) return `expected ${operands.shown}: ${operands.about}`;
  return firstProblem(words, operands.check);
}

function wrongValues(values: ReadWords['values']): string | null {
  for (const [option, given] of values) {
    if (given.length > 1 && option.repeats !== true) return `option '--${option.name}' was given ${given.length} times, expected once`;
    const texts = given.filter((text) => text !== null);
    if (texts.includes('')) return option.check?.('') ?? `option '--${option.name}': expected ${option.value}, got nothing`;
    const problem = firstProblem(texts, option.check);
    if (problem !== null) return `--${option.name}: ${problem}`;
  }
  return null;
}

function firstProblem(texts: readonly string[], check: OptionSpec['check']): string | null {
  return texts.map((text) => check?.(text) ?? null).find((problem) => problem !== null) ?? null;
}

function unknownOption(name: string, verb: Verb | undefined, later: readonly string[]): string {
  const dashed = name.length === 1 ? `-${name}` : `--${name}`;
  const takes = (candidate: Verb): boolean => candidate.options.some((option) => option.name === name || option.short === name);
  const owner = verb === undefined ? (verbs.find((candidate) => later.includes(candidate.name) && takes(candidate)) ?? verbs.find(takes)) : undefined;
  if (owner !== undefined) return `option '${dashed}' goes after its command, as in: sysg ${owner.name} ${dashed}`;
  const names = [...globalOptions, ...(verb?.options ?? [])].map((option) => `--${option.name}`);
  return `unknown option '${dashed}'${didYouMean(dashed, [...names, '--help', '--version'])}`;
}

function unknownCommand(name: string): Parsed {
  return usage(`unknown command '${name}'${didYouMean(name, shownVerbs.map((verb) => verb.name))}`, undefined);
}

function usage(problem: string, verb: Verb | undefined): Parsed {
  return { kind: 'refused', refusal: refusals.usage(`${problem}\ntry: sysg ${verb === undefined ? '' : `${verb.name} `}--help`) };
}

function verbNamed(word: string | undefined): Verb | undefined {
  return verbs.find(({ name }) => name === word);
}

/** By name: a chunk of the bundle has a table of options of its own. */
function flagsOf(values: ReadWords['values']): Flags {
  const given = new Map([...values].map(([{ name }, texts]) => [name, texts]));
  return {
    has: ({ name }) => given.has(name),
    text: ({ name }) => given.get(name)?.[0] ?? null,
    texts: ({ name }) => given.get(name)?.filter((text) => text !== null) ?? [],
  };
}

/** `--name=value`, `-n`, and `-nmore`, of which `more` is the value of `n` or flags beside it. */
function splitFlag(word: string): { readonly name: string; readonly value: string | null; readonly more: string | null } {
  if (!word.startsWith('--')) return { name: word.slice(1, 2), value: word[2] === '=' ? word.slice(3) : null, more: word.length > 2 ? word.slice(2) : null };
  const equals = word.indexOf('=');
  return equals < 0 ? { name: word.slice(2), value: null, more: null } : { name: word.slice(2, equals), value: word.slice(equals + 1), more: null };
}

const known = new Map<string, OptionSpec>(
  [...globalOptions, ...verbs.flatMap((verb) => verb.options)].flatMap((option): [string, OptionSpec][] => [
    [option.name, option],
    ...(option.short === undefined ? [] : [[option.short, option] as [string, OptionSpec]]),
  ]),
);
