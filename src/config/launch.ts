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

/** One line that a shell reads as `argv`: bare words where nothing else is needed, else single quotes. A first word with `=` would be an assignment. */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map((word, index) => (/^[A-Za-z0-9_./:@%+=-]+$/.test(word) && !(index === 0 && word.includes('=')) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}

/** Builtins and reserved words of dash, bash, busybox sh and POSIX. */
const shellWords: ReadonlySet<string> = new Set(
  `. : [ [[ ]] { } ! alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare dirs
  disown do done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill
  let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test then time
  times trap true type typeset ulimit umask unalias unset until wait while`.split(/\s+/),
);

/**
 * Blanks, a quoted or a bare part of a word. Double quotes only without `$` and backquote that are not escaped (2.2.3). What
 * may not stand bare may be more than itself: operators, expansions, globs, braces, tildes, any control character.
 */
const part = /([ \t]+)|'([^']*)'|"((?:[^"\\$`]|\\[^])*)"|([^ '"|&;<>()$`*?[{}~\\\p{Cc}]+)/guy;

function words(line: string): readonly string[] | null {
  const found: string[] = [];
  let word: string | null = null;
  let end = 0;
  for (const { 0: whole, 1: blanks, 2: single, 3: double, 4: bare, index } of line.matchAll(part)) {
    end = index + whole.length;
    if (blanks !== undefined && word !== null) found.push(word);
    // A comment, and what may be an assignment.
    if (bare !== undefined && ((bare.startsWith('#') && word === null) || (bare.includes('=') && found.length === 0))) return null;
    word = blanks !== undefined ? null : (word ?? '') + (single ?? bare ?? unescaped(double ?? ''));
  }
  return end < line.length ? null : [...found, ...(word === null ? [] : [word])];
}

/** Within double quotes a backslash is removed only before these; with a newline it is removed together. */
function unescaped(quoted: string): string {
  return quoted.replaceAll(/\\([$`"\\\n])/g, (_, char: string) => (char === '\n' ? '' : char));
}
