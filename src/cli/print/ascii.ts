/** Whether the terminal is said to take UTF-8: by LC_ALL, LC_CTYPE or LANG, the first that is set (locale(7)). Nothing said is taken for yes, as nearly all do. */
export function speaksUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/** Our own marks and lines in ASCII, each one column as before. What is not ours stays as it is. */
export function inAscii(text: string): string {
  return text.replace(MARKS, (mark) => ASCII.get(mark) ?? mark);
}

const ASCII: ReadonlyMap<string, string> = new Map(Object.entries({
  '●': '*', '◐': '/', '◓': '-', '◑': '\\', '◒': '|', '↻': '@', '✗': 'x', '✓': '+', '○': '-', '◷': 'o', '├': '|', '└': '`', '─': '-', '│': '|', '┤': '|', '┼': '+',
  '╭': '.', '╮': '.', '╯': '\'', '╰': '\'', '…': '~', '→': '>', '↑': '^', '↓': 'v', '▏': '_', '·': '-',
}));
const MARKS = new RegExp(`[${[...ASCII.keys()].join('')}]`, 'gu');
