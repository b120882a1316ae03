import { globalOptions, type OptionSpec } from './options.ts';
import { broken } from './print/width.ts';
import { shownVerbs, synopsis, type Verb } from './verbs.ts';

/** What `--help` prints, of a command or (null) of the program, in lines of at most `columns`. */
export function helpText(verb: Verb | null, columns: number): string {
  const always: Row[] = [['-h, --help', 'show help'], ['-V, --version', 'show the version']];
  const parts = verb === null
    ? [
      'sysg <command> [options]', ['Keeps the services of a configuration in the state that was asked for.'],
      section('Commands:', shownVerbs.map(({ name, about }) => [`sysg ${name}`, about])),
      section('Global options:', globalOptions.map(optionRow)), section('Options:', always),
      section('Examples:', shownVerbs.flatMap(({ examples }) => examples.slice(0, 1))),
      ['Exit codes: 0 done, 1 refused or failed, 2 usage; status, inspect: 0 healthy, 1 degraded, 2 failing; wait: 124 timeout.'],
    ]
    : [
      synopsis(verb), [`${verb.about.charAt(0).toUpperCase()}${verb.about.slice(1)}.`], ...(verb.more === undefined ? [] : [[verb.more]]),
      section('Options:', [...verb.options.map(optionRow), ...always]), section('Global options:', globalOptions.map(optionRow)),
      section('Examples:', verb.examples),
    ];
  return parts.map((part) => (typeof part === 'string' ? part : part.flatMap((line) => broken(line, columns)).join('\n'))).join('\n\n');

  /** Rows in two columns; what is long goes on in the next line of its own column. */
  function section(title: string, rows: readonly Row[]): string {
    const left = Math.min(Math.max(...rows.map(([name]) => name.length)), Math.floor(columns / 2));
    return [title, ...rows.flatMap(([name, about]) => {
      const [names, abouts] = [broken(name, left), broken(about, columns - left - 4)];
      return Array.from({ length: Math.max(names.length, abouts.length) }, (_, index) => `  ${(names[index] ?? '').padEnd(left)}  ${abouts[index] ?? ''}`.trimEnd());
    })].join('\n');
  }
}

type Row = readonly [name: string, about: string];

function optionRow({ name, short, value, about }: OptionSpec): Row {
  return [`${short === undefined ? '    ' : `-${short}, `}--${name}`, value === undefined ? about : `${value}: ${about}`];
}
