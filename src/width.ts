import { stripVTControlCharacters } from 'node:util';

/**
 * Columns of a terminal that a text takes: escape sequences and combining marks none, East Asian wide characters and
 * emoji two. Good for tables; joined emoji count by their parts.
 */
export default function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of plainText(text)) width += characterWidth(character);
  return width;
}

/** With blanks behind it to `width` columns, at the least. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** At most `width` columns; what is cut off shows as `…`. Colours take no columns; those behind the cut are kept, for they close what others opened. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 1;
  let isCut = false;
  for (const [piece] of text.matchAll(PIECES)) {
    const isColor = piece.startsWith(ESCAPE);
    if (isColor) kept += piece;
    if (isColor || isCut) continue;
    used += characterWidth(piece);
    isCut = used > width;
    kept += isCut ? '…' : piece;
  }
  return kept;
}

/** The columns of a text without colours from one on, `width` of them at most. A wide character that begins before them, or ends behind, is left out. */
export function sliced(text: string, from: number, width: number): string {
  if (PLAIN.test(text)) return text.slice(from, from + width);
  let column = 0;
  let out = '';
  for (const character of text) {
    const wide = characterWidth(character);
    if (column >= from && column + wide <= from + width) out += character;
    column += wide;
  }
  return out;
}

/** Without colours. */
export function plainText(text: string): string {
  return text.includes(ESCAPE) ? text.replace(ESCAPES, '') : text;
}

/** The text in lines of at most `width` columns, at blanks where there are any. */
export function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<= )/)) {
    if (line !== '' && displayWidth(line) + displayWidth(word.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    for (const character of word) {
      if (displayWidth(line) + characterWidth(character) > width && character !== ' ') {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line.trimEnd()];
}

/** A sentence as wide as the terminal, broken between words, and never within a command, which a reader may copy. `columns` null: it is no terminal. */
export function sentenceLines(sentence: string, columns: number | null): readonly string[] {
  if (columns === null) return [sentence];
  return broken(sentence.replace(COMMAND, (command) => command.replaceAll(' ', HELD)), columns).map((line) => line.replaceAll(HELD, ' '));
}

/** Names and commands are other people's: control characters become blanks (one for many), so that none of them can steer the terminal. */
export function printable(text: string): string {
  if (TIDY.test(text)) return text;
  return stripVTControlCharacters(text).replace(CONTROL, ' ').replace(/\s+/g, ' ').trim();
}

/** Text of other programs, line by line as it is, without anything in it that could steer the terminal. */
export function legible(text: string): string {
  return TIDY.test(text) ? text : stripVTControlCharacters(text).replaceAll('\t', '    ').replace(STEERING, '');
}

/** Whether the terminal is said to take UTF-8: by LC_ALL, LC_CTYPE or LANG, the first that is set (locale(7)). Nothing said is taken for yes, as nearly all do. */
export function speaksUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}

/** Our own marks and lines in ASCII, each one column as before. What is not ours stays as it is. */
export function inAscii(text: string): string {
  return text.replace(MARKS, (mark) => ASCII.get(mark) ?? mark);
}

function characterWidth(character: string): number {
  // Most are ASCII, lines and marks; the patterns take their time to be compiled.
  if (character < '\u0300' ? character >= ' ' && character <= '~' : character >= '\u2500' && character <= '\u25ff') return 1;
  if (INVISIBLE.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

const COMMAND = /\bsysg (?:-\S+ |\w+ )*\S+/g;
const HELD = '\u00a0';
const PLAIN = /^[ -~]*$/;
/** ASCII words with one blank between each. */
const TIDY = /^(?:[!-~]+(?: [!-~]+)*)?$/;
const ESCAPES = /\u001b\[[0-9;]*[A-Za-z]/g;
const ESCAPE = '\u001b[';
/** An escape sequence, or a character. */
const PIECES = /\u001b\[[0-9;]*[A-Za-z]|[^]/gu;
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu;
/** Vowels and final consonants of Hangul among them: they stand within the wide one before. */
const INVISIBLE = /^[\p{Mn}\p{Me}\p{Cf}\p{Cc}\u1160-\u11ff\ud7b0-\ud7fb]$/u;
const WIDE = /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]$|^(?!\p{Regional_Indicator})\p{Emoji_Presentation}$/u;

const ASCII: ReadonlyMap<string, string> = new Map(Object.entries({
  '●': '*', '◐': '/', '◓': '-', '◑': '\\', '◒': '|', '↻': '@', '✗': 'x', '✓': '+', '○': '-', '◷': 'o', '├': '|', '└': '`', '─': '-', '│': '|', '┤': '|', '┼': '+',
  '╭': '.', '╮': '.', '╯': '\'', '╰': '\'', '…': '~', '→': '>', '↑': '^', '↓': 'v', '▏': '_', '▲': '^', '▼': 'v', '·': '-',
}));
const MARKS = new RegExp(`[${[...ASCII.keys()].join('')}]`, 'gu');
