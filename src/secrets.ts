/** A value that is not shown, by the name of the variable that has it. */
export interface Secret {
  readonly name: string;
  readonly value: string;
}

export type Mask = (text: string) => string;

/** What is not to be shown, as it becomes known. Nothing is forgotten: a process may go on with a value that the file no longer names. */
export interface Secrets {
  learn(secrets: readonly Secret[]): void;
  /** Names of units are shown everywhere: a variable that has one as its value keeps no secret. */
  spare(words: Iterable<string>): void;
  /** The text with each value replaced by a reference to its variable, `${API_TOKEN}`, and what else looks like a secret by `***`. */
  readonly mask: Mask;
}

export function openSecrets(): Secrets {
  const names = new Map<string, string>();
  const spared = new Set<string>();
  let pattern: RegExp | null = null;
  let long: readonly string[] = [];
  let isStale = false;
  const renew = (): void => {
    const shown = [...names.keys()].filter((form) => !spared.has(form)).toSorted((one, other) => other.length - one.length);
    long = shown.filter((form) => form.length > LONG_LENGTH);
    const short = shown.slice(long.length);
    pattern = short.length === 0 ? null : new RegExp(short.map(findable).join('|'), 'gu');
    isStale = false;
  };
  const reference = (value: string): string => `\${${names.get(value) ?? '***'}}`;
  const decodedReference = (word: string): string => {
    for (let start = 0; start < 4; start += 1) {
      const decoded = Buffer.from(word.slice(start), 'base64').toString();
      const value = long.find((form) => decoded.includes(form)) ?? (pattern === null ? null : decoded.match(pattern))?.[0];
      if (value !== undefined) return reference(value);
    }
    return word;
  };
  return {
    learn: (secrets) => {
      for (const { name, value } of secrets) {
        if (!isKept(name, value)) continue;
        for (const form of formsOf(value)) {
          const known = names.get(form);
          if (known !== undefined && (known === name || isSecretName(known) || !isSecretName(name))) continue;
          names.set(form, name);
          isStale = true;
        }
      }
    },
    spare: (words) => {
      for (const word of words) {
        if (spared.has(word)) continue;
        spared.add(word);
        isStale ||= names.has(word);
      }
    },
    mask: (written) => {
      if (isStale) renew();
      const text = written.includes('${') ? written.replaceAll(DEFAULT, maskDefault) : written;
      if (pattern === null && long.length === 0) return maskLookalikes(text);
      const rest = long.reduce((left, form) => left.replaceAll(form, () => reference(form)), text);
      return maskLookalikes((pattern === null ? rest : rest.replace(pattern, reference)).replace(BASE64, decodedReference));
    },
  };
}

/** Shows everything as it is. */
export const noSecrets: Secrets = { learn: () => undefined, spare: () => undefined, mask: (text) => text };

/** The variables of an environment that are secret by their names. */
export function secretsOf(environment: Readonly<Record<string, string | undefined>>): readonly Secret[] {
  return Object.entries(environment).flatMap(([name, value]) => (value !== undefined && isSecretName(name) ? [{ name, value }] : []));
}

/** What references to variables with secret names have as their defaults, `${API_TOKEN:-…}`, also where that is the default of a reference within. */
export function secretDefaultsIn(text: string, around: string | null = null): readonly Secret[] {
  return [...text.matchAll(DEFAULT)].flatMap(([, , name = '', value = '']) => {
    const secret = isSecretName(name) ? name : around;
    if (value.includes('${')) return secretDefaultsIn(value, secret);
    return secret === null ? [] : [{ name: secret, value }];
  });
}

/** Whether the name of a variable, an option or a header says that its value is secret. The place of a secret, `PASSWORD_FILE`, is none. */
export function isSecretName(name: string): boolean {
  const words = name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().split(/[^a-z0-9]+/).filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (PLACES.has(last) || ORDINARY.test(name) || words.includes('public')) return false;
  return SECRET_PARTS.test(words.join('')) || SECRET_LAST.has(last);
}

/** Replaces what looks like a secret by itself: passwords in URLs, values of options and variables with secret names, credentials of HTTP. */
function maskLookalikes(text: string): string {
  if (!LOOKALIKE.test(text)) return text;
  return text
    .replaceAll(URL_PASSWORD, (whole, before: string, value: string) => (isReference(value) ? whole : `${before}***@`))
    .replaceAll(/\b(Bearer|Basic)( +)([A-Za-z0-9._~+/=-]{8,})/g, '$1$2***')
    .replaceAll(OPTION, maskNamed)
    .replaceAll(NAMED, maskNamed);
}

const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@'"]*:)([^\s/@'"]+)@/gi;
const VALUE = String.raw`("[^"]*"|'[^']*'|(?:\$\{[^{}]*\}|[^\s"',;&|)])+)`;
const OPTION = new RegExp(String.raw`((?<![\w-])--?[\w.-]*\w\s+(?!-))${VALUE}`, 'g');
/** An assignment, a member in JSON, a header of HTTP: a colon alone stands in too many sentences. */
const NAMED = new RegExp(String.raw`([\w.-]*\w["']?=|[\w.-]*\w["']\s*:\s*|(?:x-[\w-]*\w|[\w-]*authorization|cookie):\s*)${VALUE}`, 'gi');

function maskNamed(whole: string, before: string, value: string): string {
  if (!isSecretName(before) || isReference(value) || value.startsWith('*')) return whole;
  return `${before}${/^["']/.test(value) ? `${value[0]}***${value[0]}` : '***'}`;
}

/** The default of a reference: a shell replaces an unset variable by it, and with a colon an empty one too. */
const DEFAULT = /(\$\{(\w+):?[-=])((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})+)(?=\})/g;

function maskDefault(_: string, before: string, name: string, value: string): string {
  return `${before}${isSecretName(name) ? '***' : value.replaceAll(DEFAULT, maskDefault)}`;
}

/** A reference shows no value, but for its default. */
function isReference(value: string): boolean {
  return /^["']?\$(?!\{\w+:?[-=](?!\*\*\*|\}))/.test(value);
}

/** Values of ordinary words would hide every other use of them. */
function isKept(name: string, value: string): boolean {
  const isSecret = isSecretName(name);
  if (value.trim().length < (isSecret ? LEAST_SECRET : LEAST_LENGTH) || ORDINARY.test(name) || PLAIN_WORD.test(value.trim())) return false;
  return isSecret || !/^\d{1,5}$/.test(value);
}

/** A value as it may appear: as it is, on one line, line by line, and escaped for JSON, a URL or a shell. */
function formsOf(value: string): ReadonlySet<string> {
  const lines = value.includes('\n') ? value.split('\n').map((line) => line.trim()).filter((line) => line.length >= FREE_LENGTH) : [];
  const oneLine = value.replaceAll(/[\u0000-\u001f\u007f]/g, ' ').replaceAll(/ {2,}/g, ' ').trim();
  return new Set([
    value, oneLine, ...lines, value.replaceAll('\n', '\\n'), value.replaceAll("'", `'"'"'`),
    JSON.stringify(value).slice(1, -1), encodeURIComponent(oneLine.replaceAll(/\p{Surrogate}/gu, '')),
  ]);
}

/** A short value counts only where it stands for itself. */
function findable(value: string): string {
  const escaped = value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  return value.length >= FREE_LENGTH ? escaped : String.raw`(?<![\p{L}\p{N}_])${escaped}(?![\p{L}\p{N}_])`;
}

/** What every login has, and what people know of it. */
const ORDINARY = /^(HOME|USER|LOGNAME|SHELL|PATH|PWD|OLDPWD|TERM|TZ|LANG|LC_\w+|TMPDIR|HOSTNAME|DISPLAY|EDITOR|PAGER|XDG_\w+|SHLVL|COLUMNS|LINES)$/;
const LEAST_LENGTH = 4;
const LEAST_SECRET = 3;
/** A word that may have a value of `FREE_LENGTH` in it, in base64 or in the form of that for URLs. */
const BASE64 = /(?<![A-Za-z0-9+/_-])(?=[a-z0-9+/_-]*[A-Z])[A-Za-z0-9+/_-]{10,}={0,2}/g;
/** From this length on a value is replaced within words, too. */
const FREE_LENGTH = 8;
/** A longer value is looked for by itself: a regular expression may be refused from 32 KiB on, and takes long to be made of many of them. */
const LONG_LENGTH = 1000;
const PLAIN_WORD = /^(true|false|null|none|auto)$/i;
const SECRET_PARTS = /password|passwd|passphrase|passcode|secret|token|credential|(?:api|access|private|signing|encryption|master)key|authorization/;
const SECRET_LAST = new Set('pass pwd pw key auth creds jwt pin otp cookie salt dsn bearer'.split(' '));
const PLACES = new Set('file path dir directory name id url uri host port sock socket length ttl timeout expiry limit user'.split(' '));
/** Nothing of what `maskLookalikes` replaces is in a text without it. */
const LOOKALIKE = /:\/\/|pass|pwd|pw|secret|token|credential|key|auth|creds|jwt|pin|otp|cookie|salt|dsn|bearer|basic/i;
