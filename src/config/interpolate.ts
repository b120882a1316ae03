/** The value of a variable where a text stands; `undefined` when nothing sets it. */
export type Scope = (name: string) => string | undefined;

export interface Interpolated {
  readonly text: string;
  readonly problems: readonly string[];
}

const name = '[A-Za-z_][A-Za-z0-9_]*';
const dollars = new RegExp(String.raw`\$+\{|\$\$|\$${name}`, 'g');
const opening = new RegExp(String.raw`\{(${name})(\}|:-)`, 'y');
const formerReference = new RegExp(String.raw`\$\{?(${name})\}?`, 'g');

/** The longest text that Linux passes to a program, as one argument or variable (MAX_ARG_STRLEN, execve(2)). */
export const maxTextLength = 131_071;

/** Far below what the call stack allows. */
const maxNesting = 100;

/** Whether a reference to a variable that is not set is left in a word where all others are replaced. */
export function leavesReference(text: string, scope: Scope): boolean {
  return [...text.matchAll(new RegExp(dollars, 'g'))].some(({ 0: found, index }) => {
    opening.lastIndex = index + 1;
    const variable = found === '${' ? opening.exec(text)?.[1] : undefined;
    return variable !== undefined && scope(variable) === undefined;
  });
}

/**
 * What reads the text afterwards, and so is left what is its own.
 * - `text`: nothing. `$NAME`, `${NAME}`, `${NAME:-default}` and `$$` are replaced. The default stands for an unset or empty variable, and may have references and
 *   braces in pairs.
 * - `script`: a shell. `${NAME}` and `${NAME:-default}` are replaced where NAME is set, and `$${` by `${`; everything else is the shell's. So is a default in which
 *   something is quoted or executed.
 * - `word`: a program, of which it is one word. As for `script`, with braces in pairs as in a text.
 */
export type ReferenceReader = 'text' | 'script' | 'word';

export function interpolate(text: string, scope: Scope, reader: ReferenceReader): Interpolated {
  const problems: string[] = [];
  /** Stops replacing when the text has grown too long: a few references to references could fill any memory. */
  let length = text.length;

  const expand = (part: string, nesting: number): string => {
    const closings = reader === 'script' ? closingBraces(part, /\$\{|\}/g) : closingBraces(part, /\{|\}/g);
    let result = '';
    let done = 0;
    dollars.lastIndex = 0;
    for (let found = dollars.exec(part); found !== null && length <= maxTextLength; found = dollars.exec(part)) {
      const [whole] = found;
      const { value, end } = replace(part, found.index, whole, closings, nesting);
      length += value.length - (end - found.index);
      result += part.slice(done, found.index) + value;
      done = end;
      dollars.lastIndex = end;
    }
    return result + part.slice(done);
  };

  const replace = (part: string, at: number, whole: string, closings: ReadonlyMap<number, number>, nesting: number): { readonly value: string; readonly end: number } => {
    const as = (value: string, end = at + whole.length): { readonly value: string; readonly end: number } => ({ value, end });
    const unset = (variable: string): string => {
      if (reader === 'text') problems.push(`Missing environment variable: ${variable} (write $$ for a dollar)`);
      return whole;
    };
    if (whole.startsWith('$$')) {
      if (reader === 'text') return as('$', at + 2);
      return whole === '$${' ? as('${') : as(whole.slice(0, 2), at + 2);
    }
    if (whole !== '${') return as(reader === 'text' ? (scope(whole.slice(1)) ?? unset(whole.slice(1))) : whole);
    opening.lastIndex = at + 1;
    const [inside, variable, follows] = opening.exec(part) ?? [];
    if (inside === undefined || variable === undefined) {
      if (reader === 'text') problems.push('expected ${NAME} or ${NAME:-default} after a dollar and a brace; write $$ for a dollar');
      return as(whole);
    }
    const value = scope(variable);
    if (follows === '}') return as(value ?? (unset(variable), part.slice(at, at + 1 + inside.length)), at + 1 + inside.length);
    const from = at + 1 + inside.length;
    const close = closings.get(at + 1);
    if (reader !== 'text' && value === undefined) return close === undefined ? as(whole) : as(part.slice(at, close + 1), close + 1);
    if (close === undefined) {
      problems.push(`the brace of \${${variable}:- is never closed`);
      return as(part.slice(at), part.length);
    }
    const fallback = part.slice(from, close);
    if (reader === 'script' && /['"\\`]|\$\(/.test(fallback)) return as(part.slice(at, from), from);
    if (value !== undefined && value !== '') return as(value, close + 1);
    if (nesting >= maxNesting) problems.push(`references stand in each other more than ${maxNesting} deep`);
    return as(nesting >= maxNesting ? '' : expand(fallback, nesting + 1), close + 1);
  };

  const result = expand(text, 0);
  if (length > maxTextLength) problems.push(`expected at most ${maxTextLength} characters once variables are replaced, which is what a program can be given`);
  return { text: result, problems };
}

/** Where the brace that opens at an index closes. A shell pairs those of references alone. */
function closingBraces(text: string, braces: RegExp): ReadonlyMap<number, number> {
  const closings = new Map<number, number>();
  const open: number[] = [];
  for (const { 0: brace, index } of text.matchAll(braces)) {
    if (brace !== '}') open.push(index + brace.length - 1);
    else {
      const opened = open.pop();
      if (opened !== undefined) closings.set(opened, index);
    }
  }
  return closings;
}

/** The variables that 0.33.0, which replaced references in the text of the file, would have treated otherwise. */
export function readDifferentlyBefore(text: string, now: string, scope: Scope): { readonly replaced: readonly string[]; readonly missing: readonly string[] } {
  const names = [...new Set([...text.matchAll(formerReference)].map((match) => match[1] ?? ''))];
  const missing = names.filter((variable) => scope(variable) === undefined);
  const before = text.replace(formerReference, (whole: string, variable: string) => scope(variable) ?? whole);
  return before === now ? { replaced: [], missing } : { replaced: names.filter((variable) => !missing.includes(variable)), missing };
}
