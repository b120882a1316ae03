/** One press: a printable character as itself, the others by name. */
export type Key = string;

export interface KeyReader {
  /** The keys in these bytes; the beginning of a sequence waits for its rest. */
  push(bytes: Uint8Array): Key[];
  /** No more is coming for now: a lone escape is the key of that name. */
  flush(): Key[];
  readonly pending: boolean;
}

export function openKeyReader(): KeyReader {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  const take = (final: boolean): Key[] => {
    const keys: Key[] = [];
    while (rest !== '') {
      const sequence = SEQUENCE.exec(rest)?.[0];
      if (sequence !== undefined) {
        rest = rest.slice(sequence.length);
        const key = NAMED.get(sequence);
        if (key !== undefined) keys.push(key);
        continue;
      }
      if (rest.startsWith(ESCAPE) && !final && INCOMPLETE.test(rest)) break;
      const [character = ''] = rest;
      rest = rest.slice(character.length);
      const key = CONTROL.get(character) ?? (character < ' ' || character === '\u007f' ? undefined : character);
      if (key !== undefined) keys.push(key);
    }
    return keys;
  };
  return {
    push(bytes) {
      rest += decoder.decode(bytes, { stream: true });
      return take(false);
    },
    flush: () => take(true),
    get pending() {
      return rest !== '';
    },
  };
}

/** A text that is typed after one more key. What is longer than anybody types was pasted by mistake, and each character would be drawn. */
export function edited(text: string, key: Key): string {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  return [...key].length === 1 && text.length < MOST_TYPED ? text + key : text;
}

const MOST_TYPED = 200;

const ESCAPE = '\u001b';
const SEQUENCE = /^\u001b(?:\[[0-9;?<]*[A-Za-z~]|O[A-Za-z])/;
const INCOMPLETE = /^\u001b(?:\[[0-9;?<]*|O)?$/;

const NAMED: ReadonlyMap<string, Key> = new Map(Object.entries({
  up: ['[A', 'OA'], down: ['[B', 'OB'], right: ['[C', 'OC'], left: ['[D', 'OD'], home: ['[H', 'OH', '[1~', '[7~'], end: ['[F', 'OF', '[4~', '[8~'],
  'page-up': ['[5~'], 'page-down': ['[6~'], 'shift-tab': ['[Z'],
}).flatMap(([key, sequences]) => sequences.map((sequence): [string, Key] => [ESCAPE + sequence, key])));

const CONTROL: ReadonlyMap<string, Key> = new Map([
  ['\r', 'enter'], ['\n', 'enter'], ['\t', 'tab'], ['\u007f', 'backspace'], ['\b', 'backspace'], [ESCAPE, 'escape'], ['\u0003', 'ctrl-c'],
  ['\u0004', 'ctrl-d'], ['\u0015', 'ctrl-u'], ['\u0006', 'page-down'], ['\u0002', 'page-up'], ['\u001a', 'ctrl-z'], ['\u000c', 'ctrl-l'],
]);
