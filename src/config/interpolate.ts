/** The value of a variable where a text stands; `undefined` when nothing sets it. */
export type Scope = (name: string) => string | undefined;

export interface Interpolated {
  readonly text: string;
  readonly problems: readonly string[];
}

const name = '[A-Za-z_][A-Za-z0-9_]*';
const anyReference = new RegExp(String.raw`\$(?:(\$)|(${name})|\{([^}]*)\}|(\{))`, 'g');
const bracedReference = new RegExp(String.raw`^(${name})(?::-([\s\S]*))?$`);
const commandReference = new RegExp(String.raw`\$\$|\$\{(${name})(?::-([^}]*))?\}`, 'g');
const formerReference = new RegExp(String.raw`\$\{?(${name})\}?`, 'g');

/** The longest text that Linux passes to a program, as one argument or variable (MAX_ARG_STRLEN, execve(2)). */
export const maxTextLength = 131_071;

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `$$`. The default stands for an unset or empty variable. */
export function interpolateText(text: string, scope: Scope): Interpolated {
  const problems: string[] = [];
  const result = replaceWithin(text, anyReference, problems, (whole: string, dollar?: string, bare?: string, braced?: string) => {
    if (dollar !== undefined) return '$';
    const reference = bare === undefined ? bracedReference.exec(braced ?? '') : [whole, bare, undefined];
    if (reference === null) {
      problems.push('expected ${NAME} or ${NAME:-default} after a dollar and a brace; write $$ for a dollar');
      return whole;
    }
    const variable = reference[1] ?? '';
    const fallback = reference[2];
    const value = scope(variable);
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) problems.push(`Missing environment variable: ${variable} (write $$ for a dollar)`);
    return value ?? whole;
  });
  return { text: result, problems };
}

/** Replaces `${NAME}` and `${NAME:-default}` where NAME is set; everything else is the shell's. */
export function interpolateCommand(text: string, scope: Scope): Interpolated {
  const problems: string[] = [];
  const result = replaceWithin(text, commandReference, problems, (whole: string, variable?: string, fallback?: string) => {
    const value = variable === undefined ? undefined : scope(variable);
    if (value === undefined) return whole;
    return value === '' && fallback !== undefined ? fallback : value;
  });
  return { text: result, problems };
}

/** Stops replacing when the text has grown too long: a few references to references could fill any memory. */
function replaceWithin(text: string, pattern: RegExp, problems: string[], replacement: (whole: string, ...groups: (string | undefined)[]) => string): string {
  let length = text.length;
  const result = text.replace(pattern, (whole: string, ...rest: unknown[]) => {
    const groups = rest.map((group) => (typeof group === 'string' ? group : undefined));
    const value = length > maxTextLength ? whole : replacement(whole, ...groups);
    length += value.length - whole.length;
    return value;
  });
  if (length > maxTextLength) problems.push(`expected at most ${maxTextLength} characters once variables are replaced, which is what a program can be given`);
  return result;
}

/** The variables that 0.33.0, which replaced references in the text of the file, would have treated otherwise. */
export function readDifferentlyBefore(text: string, now: string, scope: Scope): { readonly replaced: readonly string[]; readonly missing: readonly string[] } {
  const names = [...new Set([...text.matchAll(formerReference)].map((match) => match[1] ?? ''))];
  const missing = names.filter((variable) => scope(variable) === undefined);
  const before = text.replace(formerReference, (whole: string, variable: string) => scope(variable) ?? whole);
  return before === now ? { replaced: [], missing } : { replaced: names.filter((variable) => !missing.includes(variable)), missing };
}
