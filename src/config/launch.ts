import type { Launch } from '../../machines/types.ts';

/**
 * How a command line is started: directly when it is nothing but words and quotes, else by `sh -c`. Whatever a shell
 * could read in another way is left to the shell (POSIX.1-2017, Shell Command Language, 2.2 to 2.6).
 */
export function classify(command: string): Launch {
  const argv = words(command.replace(/^[ \t\n]+|[ \t\n]+$/g, ''));
  const program = argv?.[0];
  if (argv === null || program === undefined || program === '' || shellWords.has(program)) return { kind: 'shell', script: command };
  return { kind: 'exec', argv };
}

/** One line that a shell reads as `argv`: bare words where nothing else is needed, else single quotes. */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map((word) => (/^[A-Za-z0-9_./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}

/** Builtins and reserved words of dash, bash, busybox sh and POSIX. */
const shellWords: ReadonlySet<string> = new Set(
  `. : [ [[ ]] { } ! alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare dirs
  disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill
  let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then time
  times trap true type typeset ulimit umask unalias unset until wait while`.split(/\s+/),
);

/** Unquoted, each of these may be more than itself: operators, expansions, globs, braces, tildes, any control character. */
const special = /[|&;<>()$`*?[{}~\\]|\p{Cc}/u;

function words(line: string): readonly string[] | null {
  const found: string[] = [];
  let word: string | null = null;
  let first = true;
  let at = 0;
  const end = (): void => {
    if (word !== null) found.push(word);
    first &&= word === null;
    word = null;
  };
  while (at < line.length) {
    const char = line[at] ?? '';
    if (char === ' ' || char === '\t') {
      end();
      at += 1;
    } else if (char === "'" || char === '"') {
      const quoted = char === "'" ? singleQuoted(line, at) : doubleQuoted(line, at);
      if (quoted === null) return null;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else {
      if (special.test(char) || (char === '#' && word === null) || (char === '=' && first)) return null;
      word = (word ?? '') + char;
      at += 1;
    }
  }
  end();
  return found;
}

interface Quoted {
  readonly text: string;
  readonly end: number;
}

function singleQuoted(line: string, start: number): Quoted | null {
  const close = line.indexOf("'", start + 1);
  return close < 0 ? null : { text: line.slice(start + 1, close), end: close + 1 };
}

/** Only without `$` and backquote, and with backslashes only where they escape (2.2.3). */
function doubleQuoted(line: string, start: number): Quoted | null {
  let text = '';
  for (let at = start + 1; at < line.length; at++) {
    const char = line[at] ?? '';
    if (char === '"') return { text, end: at + 1 };
    if (char === '$' || char === '`') return null;
    const next = line[at + 1] ?? '';
    if (char === '\\' && next === '\n') at += 1;
    else if (char === '\\' && '$`"\\'.includes(next) && next !== '') {
      text += next;
      at += 1;
    } else text += char;
  }
  return null;
}
