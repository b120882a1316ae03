import { isSecretName, type Mask } from './secrets.ts';

/**
 * Plain data with its free texts masked; the same data when there is nothing to mask in it. What names a unit, a state or a moment stays as it is:
 * clients compare these.
 */
export function masked<Value>(value: Value, mask: Mask): Value {
  // Nothing but strings is replaced, and by strings.
  return walk(value, mask, false) as Value;
}

/** As `masked`, for a value all of whose strings are free text. */
export function maskedThroughout<Value>(value: Value, mask: Mask): Value {
  return walk(value, mask, true) as Value;
}

function walk(value: unknown, mask: Mask, isText: boolean): unknown {
  if (typeof value === 'string') return isText ? mask(value) : value;
  if (Array.isArray(value)) {
    const isSecret = (item: unknown, index: number): boolean => isText && isAnnounced(value[index - 1]) && !isOption(item);
    const items = value.map((item: unknown, index) => (isSecret(item, index) ? '***' : walk(item, mask, isText)));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, inner]: [string, unknown]) => (
    { key, inner, shown: walk(inner, mask, isText || FREE_TEXTS.has(key)) }
  ));
  return members.every(({ inner, shown }) => inner === shown) ? value : Object.fromEntries(members.map(({ key, shown }) => [key, shown]));
}

/** The word before a secret: `--password`. */
function isAnnounced(word: unknown): boolean {
  return isOption(word) && isSecretName(word);
}

function isOption(word: unknown): word is string {
  return typeof word === 'string' && word.startsWith('-');
}

/** The keys under which answers, records and notes have texts that are not ours alone. */
const FREE_TEXTS: ReadonlySet<string> = new Set([
  'command', 'runtime_command', 'argv', 'reason', 'Failed', 'error', 'note', 'why', 'text', 'last_stderr', 'message', 'excerpt',
]);
