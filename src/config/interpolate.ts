/** The value of a variable where a text stands; `undefined` when nothing sets it. */
export type Scope = (name: string) => string | undefined;

export interface Interpolated {
  readonly text: string;
  readonly problems: readonly string[];
}

const name = '[A-Za-z_][A-Za-z0-9_]*';
const braced = String.raw`\{(${name})(?::-([^}]*))?\}`;
const textReference = new RegExp(String.raw`\$(?:(\$)|(${name})|${braced}|\{(?:[^}]*\})?)`, 'g');
const commandReference = new RegExp(String.raw`\$\$|\$${braced}`, 'g');
const formerReference = new RegExp(String.raw`\$\{?(${name})\}?`, 'g');

/** The longest text that Linux passes to a program, as one argument or variable (MAX_ARG_STRLEN, execve(2)). */
export const maxTextLength = 131_071;

/** Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `$$`. The default stands for an unset or empty variable. */
export function interpolateText(text: string, scope: Scope): Interpolated {
  return replaceWithin(text, textReference, (problems, whole, dollar, bare, inBraces, fallback) => {
    if (dollar !== undefined) return '$';
    const variable = bare ?? inBraces;
    const value = variable === undefined ? undefined : scope(variable);
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (variable === undefined) problems.push('expected ${NAME} or ${NAME:-default} after a dollar and a brace; write $$ for a dollar');
    else if (value === undefined) problems.push(`Missing environment variable: ${variable} (write $$ for a dollar)`);
    return value ?? whole;
  });
}

/** Replaces `${NAME}` and `${NAME:-default}` where NAME is set; everything else is the shell's. */
export function interpolateCommand(text: string, scope: Scope): Interpolated {
  return replaceWithin(text, commandReference, (_problems, whole, variable, fallback) => {
    const value = variable === undefined ? undefined : scope(variable);
    if (value === undefined) return whole;
    return value === '' && fallback !== undefined ? fallback : value;
  });
}

/** Stops replacing when the text has grown too long: a few references to references could fill any memory. */
function replaceWithin(
  text: string, pattern: RegExp, replacement: (problems: string[], whole: string, ...groups: readonly (string | undefined)[]) => string,
): Interpolated {
  const problems: string[] = [];
  let length = text.length;
  const result = text.replace(pattern, (whole: string, ...groups: (string | undefined)[]) => {
    const value = length > maxTextLength ? whole : replacement(problems, whole, ...groups);
    length += value.length - whole.length;
    return value;
  });
  if (length > maxTextLength) problems.push(`expected at most ${maxTextLength} characters once variables are replaced, which is what a program can be given`);
  return { text: result, problems };
}

/** The variables that 0.33.0, which replaced references in the text of the file, would have treated otherwise. */
export function readDifferentlyBefore(text: string, now: string, scope: Scope): { readonly replaced: readonly string[]; readonly missing: readonly string[] } {
  const names = [...new Set([...text.matchAll(formerReference)].map((match) => match[1] ?? ''))];
  const missing = names.filter((variable) => scope(variable) === undefined);
  const before = text.replace(formerReference, (whole: string, variable: string) => scope(variable) ?? whole);
  return before === now ? { replaced: [], missing } : { replaced: names.filter((variable) => !missing.includes(variable)), missing };
}
