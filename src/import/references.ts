import { quoteArgv } from '../config/launch.ts';

/** A text of a source in which variables stand. */
export type Template = readonly Piece[];
export type Piece = string | Reference;
export interface Reference {
  readonly name: string;
  /** Stands for a variable that is not set or, here, empty. */
  readonly fallback: Template | null;
  /** Its value is no word or several ones: it stands outside of quotes, and is parted like the rest of the line. */
  readonly isParted?: boolean;
}

export function literal(text: string): Template {
  return text === '' ? [] : [text];
}

export function isLiteral(template: Template): boolean {
  return template.every((piece) => typeof piece === 'string');
}

/** The variables that a template names, those of its fallbacks too. */
export function namesIn(template: Template): readonly string[] {
  return template.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.name, ...namesIn(piece.fallback ?? [])]));
}

/** The text with the variables as they are now. */
export function resolved(template: Template, lookup: (name: string) => string | undefined): string {
  return template.map((piece) => (typeof piece === 'string' ? piece : lookup(piece.name) || resolved(piece.fallback ?? [], lookup))).join('');
}

/** For a key whose text is interpolated. A variable without a fallback is empty when it is not set, as where it came from. */
export function asText(template: Template): string {
  return template.map((piece) => (typeof piece === 'string' ? piece.replaceAll('$', () => '$$') : `\${${piece.name}:-${asText(piece.fallback ?? [])}}`)).join('');
}

/** For a key that holds a shell script: the text stands in the place of the variable before the shell reads it. */
export function asScript(template: Template): string {
  return template.map((piece) => (typeof piece === 'string' ? keptFromUs(piece) : `\${${withFallback(piece, asScript)}}`)).join('');
}

/** One command line of words: without variables it is executed as it stands, else a shell puts them in. */
export function asCommandLine(words: readonly Template[]): string {
  if (words.every(isLiteral)) return keptFromUs(quoteArgv(words.map((word) => word.join(''))));
  // Parted at blanks, a value is still no pattern for names of files.
  const isParted = words.some((word) => word.some((piece) => typeof piece !== 'string' && piece.isParted));
  return `${isParted ? 'set -f; ' : ''}exec ${words.map((word) => (isLiteral(word) ? keptFromUs(quoteArgv(['', word.join('')]).slice(3)) : quotedForShell(word))).join(' ')}`;
}

/** Words of a literal command, a shell's `$NAME` included. */
export function literalLine(words: readonly string[]): string {
  return asCommandLine(words.map(literal));
}

/** As itself in a regular expression. */
export function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** What we would take for a reference of ours is left to the shell, or to the program. */
export function keptFromUs(script: string): string {
  return script.replaceAll('${', () => '$${');
}

/** Within double quotes a shell puts the value in and splits nothing; our own replacing would not quote what is in the value. */
function quotedForShell(word: Template): string {
  const parted = word.findIndex((piece) => typeof piece !== 'string' && piece.isParted);
  const whole = parted < 0 ? word : word.slice(0, parted);
  const inner = whole.map((piece, index) => {
    if (typeof piece === 'string') return keptFromUs(piece.replaceAll(/[\\"`$]/g, (sign) => `\\${sign}`));
    const next = whole[index + 1];
    return inShell(piece, typeof next === 'string' && /^\w/.test(next));
  });
  const quoted = whole.length === 0 ? '' : `"${inner.join('')}"`;
  const rest = word.slice(whole.length + 1);
  return parted < 0 ? quoted : `${quoted}${inShell(word[parted] as Reference, false)}${quotedForShell(rest)}`;
}

function inShell(piece: Reference, isBeforeName: boolean): string {
  return piece.fallback === null && !isBeforeName ? `$${piece.name}` : `$\${${withFallback(piece, fallbackForShell)}}`;
}

/** Commands and variables of a shell are text to what puts the value in. */
function fallbackForShell(fallback: Template): string {
  return fallback.map((piece) => (typeof piece === 'string' ? keptFromUs(piece.replaceAll(/[`$]/g, String.raw`\$&`)) : inShell(piece, true))).join('');
}

/** As it stands in the braces of a shell. */
function withFallback({ name, fallback }: Reference, write: (template: Template) => string): string {
  return fallback === null ? name : `${name}:-${write(fallback)}`;
}

/**
 * The words of a line as a shell parts them: blanks, quotes, backslashes; nothing else of a shell is known to it (Python's `shlex.split`, which both
 * compose and supervisord follow), after variables were put in. Null: a quote is never closed.
 */
export function splitWords(template: Template, lookup: (name: string) => string | undefined): readonly Template[] | null {
  const words: Piece[][] = [];
  let word: Piece[] | null = null;
  let quote: '"' | "'" | null = null;
  const add = (piece: Piece): void => {
    word ??= [];
    const last = word.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') word[word.length - 1] = last + piece;
    else word.push(piece);
  };
  const end = (): void => {
    // What is in quotes is a word though it may be empty.
    const isNone = word?.every((piece) => typeof piece !== 'string') === true && resolved(word, lookup) === '';
    if (word !== null) words.push(word.flatMap((piece) => (piece === '' ? [] : [isNone && typeof piece !== 'string' ? { ...piece, isParted: true } : piece])));
    word = null;
  };
  for (const piece of template) {
    if (typeof piece !== 'string') {
      add(quote === null && /\s/.test(resolved([piece], lookup)) ? { ...piece, isParted: true } : piece);
      continue;
    }
    for (let at = 0; at < piece.length; at += 1) {
      const char = piece[at] ?? '';
      if (quote === "'" && char !== "'") add(char);
      else if (char === '\\' && (quote === null || /["\\]/.test(piece[at + 1] ?? ''))) add(piece[(at += 1)] ?? '');
      else if (quote !== null && char === quote) quote = null;
      else if (quote !== null) add(char);
      else if (char === '"' || char === "'") {
        quote = char;
        add('');
      } else if (/\s/.test(char)) end();
      else add(char);
    }
  }
  if (quote !== null) return null;
  end();
  return words;
}

/** `$NAME`, `${NAME}`, `${NAME:-x}`, `${NAME-x}`, `${NAME:?x}`, `${NAME:+x}` and `$$`: the interpolation of compose files. */
export function parseComposeText(text: string, remark: (text: string) => void): Template {
  const pieces: Piece[] = [];
  let plain = '';
  const flush = (): void => {
    if (plain !== '') pieces.push(plain);
    plain = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== '$') {
      plain += text[at];
      continue;
    }
    if (text[at + 1] === '$') {
      plain += '$';
      at += 1;
      continue;
    }
    const bare = /^\$([A-Za-z_]\w*)/.exec(text.slice(at))?.[1];
    const braced = /^\$\{([A-Za-z_]\w*)(:?[-?+])?/.exec(text.slice(at));
    if (bare !== undefined) {
      flush();
      pieces.push({ name: bare, fallback: null });
      at += bare.length;
      continue;
    }
    const close = braced === null ? -1 : closingBrace(text, at + 1);
    if (braced === null || close < 0) {
      plain += '$';
      continue;
    }
    const [head, name = '', operator = ''] = braced;
    const word = text.slice(at + head.length, close);
    flush();
    if (operator.endsWith('+'))
      remark(`\${${name}${operator}…} stands for another text where ${name} is set; sysg has nothing like it, and the text is left out`);
    else pieces.push({ name, fallback: operator.endsWith('-') ? parseComposeText(word, remark) : null });
    if (operator === '-' && word !== '') remark(`\${${name}-…}: here the default also stands for an empty ${name}`);
    if (operator.endsWith('?')) remark(`\${${name}${operator}…}: an unset ${name} is empty here and no mistake`);
    at = close;
  }
  flush();
  return pieces;
}

/** `$NAME`, `${NAME}` and `$$`, of which an unset one is empty: what `os.ExpandEnv` of Go does. */
export function parseExpanded(text: string): Template {
  return text.split(/(\$\$|\$\{\w+\}|\$\w+)/).flatMap((part, index): Template => {
    if (index % 2 === 0) return literal(part);
    return part === '$$' ? ['$'] : [{ name: part.replaceAll(/\W/g, ''), fallback: null }];
  });
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}' && (depth -= 1) === 0) return at;
  }
  return -1;
}
