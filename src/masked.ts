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

/** Copies nothing but what has something masked in it: answers are large, and next to nothing in them is secret. */
function walk(value: unknown, mask: Mask, isText: boolean): unknown {
  if (typeof value === 'string') return isText ? mask(value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    let items: unknown[] | null = null;
    for (const [index, item] of value.entries() as ArrayIterator<[number, unknown]>) {
      const shown = isText && isAnnounced(value[index - 1]) && !isOption(item) ? '***' : walk(item, mask, isText);
      if (shown !== item) (items ??= [...value])[index] = shown;
    }
    return items ?? value;
  }
  let members: Record<string, unknown> | null = null;
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (typeof inner !== 'string' && typeof inner !== 'object') continue;
    const shown = walk(inner, mask, isText || FREE_TEXTS.has(key));
    if (shown !== inner) (members ??= { ...value })[key] = shown;
  }
  return members ?? value;
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
