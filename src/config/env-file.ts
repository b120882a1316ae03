export interface EnvFileRemark {
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

export interface EnvFile {
  /** By name. A variable whose value was refused is there with an empty one, so that references to it are no further mistakes. */
  readonly variables: ReadonlyMap<string, string>;
  readonly problems: readonly EnvFileRemark[];
  readonly warnings: readonly EnvFileRemark[];
  /** Where systemg 0.33.0 reads another value. */
  readonly notes: readonly EnvFileRemark[];
}

/**
 * Reads the text of an env file:
 *
 * - One `NAME=value` a line; `export` may stand before the name, blanks may stand around name and value. Empty lines and lines that
 *   begin with `#` say nothing. Of a name that is given twice, the last value counts.
 * - A bare value is taken as it stands, quotes and backslashes within it too. A `#` after a blank begins a comment, any other does not.
 * - A value in single quotes is taken as it stands, over several lines where needed. In double quotes `\"`, `\\`, `\$`, `` \` `` and
 *   `\n` are a quote, a backslash, a dollar, a backquote and a new line; any other backslash stands for itself. Behind the closing
 *   quote there may be a comment and nothing else.
 * - Nothing is replaced: a dollar is a dollar.
 */
export function parseEnvFile(written: string): EnvFile {
  const text = written.replaceAll('\r\n', '\n');
  const variables = new Map<string, string>();
  const problems: EnvFileRemark[] = [];
  const warnings: EnvFileRemark[] = [];
  const notes: EnvFileRemark[] = [];
  for (let [at, line] = [0, 1]; at < text.length;) {
    const end = lineEnd(text, at);
    const { next, name, value, ...found } = readLine(text, at, end);
    if (found.problem !== undefined) problems.push({ line, message: found.problem });
    if (found.warning !== undefined) warnings.push({ line, message: found.warning });
    if (name !== undefined) {
      if (variables.has(name)) warnings.push({ line, message: `${name} is given a second time; this value counts` });
      variables.set(name, value ?? '');
      if (value !== undefined && value !== formerValue(text, at, end)) notes.push({ line, message: `systemg 0.33.0 reads another value of ${name}` });
    }
    line += newLines(text, at, next);
    at = next;
  }
  return { variables, problems, warnings, notes };
}

interface Line {
  /** Where the next line begins. */
  readonly next: number;
  readonly name?: string;
  readonly value?: string;
  readonly problem?: string;
  readonly warning?: string;
}

function readLine(text: string, start: number, end: number): Line {
  const line = text.slice(start, end);
  const next = end + 1;
  if (/^\s*(#|$)/.test(line)) return { next };
  const equals = line.indexOf('=');
  if (equals < 0) return { next, warning: "ignoring a line without '='" };
  const name = line.slice(0, equals).trim().replace(/^export\s+/, '');
  // The text is not repeated: it may be a piece of a secret of several lines.
  if (!/^[^\s\p{Cc}'"`#]+$/u.test(name)) return { next, problem: `expected NAME=value, got ${name === '' ? 'no name' : "a name with blanks, quotes, '#' or control characters"}` };
  const from = equals + 1 + (/^\s*/.exec(line.slice(equals + 1))?.[0].length ?? 0);
  const quote = line[from] ?? '';
  if (quote === '`') return { next, name, problem: `the value of ${name} begins with a backquote, which is no quote here; put the value in single quotes` };
  if (quote !== '"' && quote !== "'") {
    const bare = line.slice(equals + 1).replace(/\s#.*$/, '').trim();
    return bare.includes('\0') ? { next, name, problem: withNul(name) } : { next, name, value: bare };
  }
  const closing = closingQuote(text, start + from, quote);
  if (closing === null) return { next, name, problem: `the quote before the value of ${name} is never closed` };
  const closingEnd = lineEnd(text, closing);
  const behind = text.slice(closing + 1, closingEnd);
  if (!/^\s*$|^\s+#/.test(behind)) {
    const where = closingEnd === end ? '' : `, which is closed in line ${newLines(text, start, closing)} below`;
    return { next, name, problem: `expected the end of the line behind the quoted value of ${name}${where}` };
  }
  const quoted = text.slice(start + from + 1, closing);
  const value = quote === '"' ? quoted.replaceAll(/\\(["\\$`n])/g, (_, char: string) => (char === 'n' ? '\n' : char)) : quoted;
  return value.includes('\0') ? { next: closingEnd + 1, name, problem: withNul(name) } : { next: closingEnd + 1, name, value };
}

/** Where the quote that opens at `opening` is closed. */
function closingQuote(text: string, opening: number, quote: string): number | null {
  for (let at = opening + 1; at < text.length; at += 1) {
    if (text[at] === quote) return at;
    if (quote === '"' && text[at] === '\\') at += 1;
  }
  return null;
}

/** systemg 0.33.0 takes the line to its end, without one pair of double quotes. */
function formerValue(text: string, start: number, end: number): string {
  const value = text.slice(text.indexOf('=', start) + 1, end).trim();
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function newLines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

function withNul(name: string): string {
  return `the value of ${name} contains a NUL character, which no program can be given`;
}
