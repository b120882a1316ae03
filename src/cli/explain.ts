import yargs, { type Argv } from 'yargs';
import { refusals, type Refusal } from '../errors.ts';
import { capitalised, didYouMean } from '../words.ts';
import { meaningOfCommand, meaningOfFlag } from './foreign-words.ts';
import { flagsOf, needlessValue, partCommand, placeOfVerb, unglued, withoutAlias, wrongOperands, type BareWords, type ParsedCall } from './arguments.ts';
import { globalOptions, spellings, type OptionSpec } from './options.ts';
import { aliases, synopsis, verbs, type Verb } from './verbs.ts';
import { version } from '../../package.json';

export type Explained =
  | { readonly kind: 'call'; readonly parsed: ParsedCall }
  | { readonly kind: 'text'; readonly text: string; readonly asked: boolean }
  /** `asJson`: the program that asked reads it on stdout too. */
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly asJson?: boolean };

/**
 * Reads the whole command line. What `parsePlain` understands means the same here; everything else gets help or a sentence that
 * says what is wrong. `columns` is the width of help.
 */
export async function explain(argv: readonly string[], columns: number, bare: BareWords = 'command'): Promise<Explained> {
  const parser = makeParser(columns);
  const isHelp = argv[0] === 'help';
  const asked = isHelp ? argv.slice(argv[1] === 'help' ? 2 : 1) : argv;
  const { own, command, isBare } = partCommand(withoutAlias(asked), bare);
  const words = isHelp ? [...own, '--help'] : unglued(own);
  const named = words[placeOfVerb(words)];
  const verb = verbs.find(({ name }) => name === named);
  if (isHelp && named !== undefined && verb === undefined) return unknownCommand(named);
  // A command or a flag that is unknown is said to be that.
  const needless = named !== undefined && verb === undefined ? null : needlessValue(words, [...globalOptions, ...(verb?.options ?? [])]);
  if (needless !== null) return usage(needless, verb);
  const { given, output, problem } = await run(parser, words);
  if (problem !== null) return usage(inOurWords(problem, verb), verb);
  if (output !== '') return { kind: 'text', text: output, asked: true };
  const [name, ...extra] = given._;
  if (name === undefined) {
    const unknown = findUnknown(given, globalOptions, null);
    return unknown === null ? { kind: 'text', text: await parser.getHelp(), asked: false } : usage(unknown, undefined);
  }
  const called = verbs.find((candidate) => candidate.name === name);
  if (called === undefined) {
    // A flag before the command may have taken the command for its value.
    const unknown = words[0]?.startsWith('-') === true ? findUnknown(given, globalOptions, null) : null;
    return unknown === null ? unknownCommand(name) : usage(unknown, undefined);
  }
  return check(called, given, [...extra, ...(given['--'] ?? [])], { command, isBare });
}

/** The result of yargs: values by flag, positional words, and what follows `--`. */
type Given = Readonly<Record<string, unknown>> & { readonly _: readonly string[]; readonly '--'?: readonly string[] };

function check(verb: Verb, given: Given, operands: readonly string[], trailing: Pick<ParsedCall, 'command' | 'isBare'>): Explained {
  const allowed = [...globalOptions, ...verb.options];
  const unknown = findUnknown(given, allowed, verb.name);
  if (unknown !== null) return usage(unknown, verb);
  if (trailing.command?.length === 0) return usage('expected a command after --', verb);
  const flags = new Map<string, readonly string[]>();
  for (const option of allowed) {
    const value = given[option.name];
    if (value === undefined || value === false) continue;
    const values = Array.isArray(value) ? value.map(String) : [String(value)];
    if (values.length > 1 && option.value !== undefined && option.repeats !== true) return usage(`option '--${option.name}' was given ${values.length} times, expected once`, verb);
    const problem = option.value === undefined ? null : wrongValue(option, values);
    if (problem !== null) return usage(problem, verb);
    flags.set(option.name, option.value === undefined ? [] : values);
  }
  const read = flagsOf(flags);
  const wrong = wrongOperands(verb, operands, read);
  if (wrong === null) return { kind: 'call', parsed: { verb, flags: read, operands, ...trailing } };
  const isWhole = operands.length > 0 && (verb.name === 'reload' || verb.name === 'plan');
  return usage(isWhole ? `${wrong}\n${verb.name} is about the whole configuration; one unit alone: sysg restart ${operands[0]}` : wrong, verb);
}

function wrongValue({ name, value, mayBeEmpty, check: problemOf }: OptionSpec, texts: readonly string[]): string | null {
  const problem = texts.map((text) => problemOf?.(text) ?? null).find((found) => found !== null);
  if (problem !== undefined) return `--${name}: ${problem}`;
  return texts.includes('') && mayBeEmpty !== true ? `option '--${name}': expected ${value}, got nothing` : null;
}

function findUnknown(given: Given, allowed: readonly OptionSpec[], verb: string | null): string | null {
  const dashedKey = (key: string): string => (key.length === 1 ? `-${key}` : `--${key}`);
  const names = allowed.flatMap(spellings);
  const dashed = Object.keys(given).filter((key) => !['_', '$0', '--', 'help', 'version'].includes(key)).map(dashedKey).find((key) => !names.includes(key));
  if (dashed === undefined) return null;
  const meant = meaningOfFlag(dashed, verb);
  if (meant !== null) return `unknown option '${dashed}'${meant}`;
  const owner = verb === null ? verbs.find((candidate) => candidate.options.some((option) => spellings(option).includes(dashed))) : undefined;
  if (owner !== undefined) return `option '${dashed}' goes after its command, as in: sysg ${owner.name} ${dashed}`;
  return `unknown option '${dashed}'${didYouMean(dashed, [...allowed.map(({ name }) => `--${name}`), '--help', '--version'])}`;
}

function unknownCommand(name: string): Explained {
  const near = (): string => didYouMean(name, [...verbs.filter(({ hidden }) => hidden !== true).map((verb) => verb.name), ...Object.keys(aliases)]);
  return usage(`unknown command '${name}'${meaningOfCommand(name) ?? near()}`, undefined);
}

function usage(problem: string, verb: Verb | undefined): Explained {
  return { kind: 'refused', refusal: refusals.usage(`${problem}\ntry: sysg ${verb === undefined ? '' : `${verb.name} `}--help`) };
}

function inOurWords(problem: string, verb: Verb | undefined): string {
  const name = /^Not enough arguments following: (.+)$/.exec(problem)?.[1];
  const option = [...globalOptions, ...(verb?.options ?? [])].find((candidate) => candidate.name === name || candidate.short === name || candidate.also?.includes(name ?? ''));
  return option === undefined ? problem : `option '--${option.name}' needs a value: ${option.value}`;
}

async function run(parser: Argv, words: readonly string[]): Promise<{ given: Given; output: string; problem: string | null }> {
  let problem: string | null = null;
  let output = '';
  // The first complaint is the one that matters; without an exception parsing just goes on.
  parser.fail((message, error) => {
    problem ??= message ?? error.message;
  });
  const given: unknown = await parser.parse([...words], {}, (_error: unknown, _given: unknown, text: string) => {
    output = text;
  });
  return { given: given as Given, output, problem };
}

function makeParser(columns: number): Argv {
  let parser = yargs([])
    .scriptName('sysg')
    .usage('$0 <command> [options]\n\nsysg keeps the services of a configuration in the state that was asked for.')
    .locale('en')
    .detectLocale(false)
    .exitProcess(false)
    .parserConfiguration({
      'boolean-negation': false, 'camel-case-expansion': false, 'dot-notation': false, 'parse-numbers': false,
      'parse-positional-numbers': false, 'populate--': true, 'strip-aliased': true,
    })
    .help('help', 'show help').alias('help', 'h')
    .version('version', 'show the version', `sysg ${version}`).alias('version', 'V')
    .wrap(columns)
    .epilog('Exit codes: 0 done, 1 refused or failed, 2 usage; status, inspect: 0 healthy, 1 degraded, 2 failing, 3 no supervisor runs; wait: 124 timeout.');
  for (const option of globalOptions) parser = addOption(parser, option, 'Global options:');
  for (const verb of verbs) {
    const describe = (sub: Argv): Argv => {
      let described = sub.usage(`${synopsis(verb)}\n\n${capitalised(verb.about)}.${verb.more === undefined ? '' : `\n\n${verb.more}`}`);
      for (const option of verb.options) described = addOption(described, option, 'Options:');
      for (const [command, about] of verb.examples) described = described.example(command, about);
      return described;
    };
    parser = verb.hidden === true ? parser.command(verb.name, false, describe) : parser.command(verb.name, verb.about, describe);
  }
  for (const [alias, words] of Object.entries(aliases)) parser = parser.command(alias, `the same as ${words.join(' ')}`);
  for (const [command, about] of verbs.filter(({ hidden }) => hidden !== true).flatMap((verb) => verb.examples.slice(0, 1))) parser = parser.example(command, about);
  return parser;
}

function addOption(parser: Argv, option: OptionSpec, group: string): Argv {
  return parser.option(option.name, {
    describe: option.value === undefined ? option.about : `${option.value}: ${option.about}`,
    group,
    ...(option.short !== undefined && { alias: [option.short, ...option.also ?? []] }),
    ...(option.value === undefined ? { type: 'boolean' as const } : { type: 'string' as const, requiresArg: true }),
  });
}
