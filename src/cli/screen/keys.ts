/** One press: a printable character as itself, the others by name; text that was pasted after `pasted:`. */
export type Key = string;

const PASTED = 'pasted:';

export function openKeyReader() {
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  let pasted: string | null = null;
  const take = (final: boolean): Key[] => {
    const keys: Key[] = [];
    while (rest !== '') {
      if (pasted !== null) {
        const end = PASTE_END.exec(rest);
        // Its end may have come in part.
        const length = end?.index ?? Math.max(0, rest.length - LONGEST_END);
        if (pasted.length < MOST_TYPED) pasted += rest.slice(0, length);
        rest = rest.slice(length + (end?.[0].length ?? 0));
        if (end === null) break;
        keys.push(end[0] === CTRL_C ? 'ctrl-c' : PASTED + pasted);
        pasted = null;
        continue;
      }
      if (rest.startsWith(PASTE_BEGIN)) {
        rest = rest.slice(PASTE_BEGIN.length);
        pasted = '';
        continue;
      }
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
    /** The keys in these bytes; the beginning of a sequence waits for its rest. */
    push: (bytes: Uint8Array): readonly Key[] => {
      rest += decoder.decode(bytes, { stream: true });
      return take(false);
    },
    /** No more is coming for now: a lone escape is the key of that name. */
    flush: (): readonly Key[] => take(true),
    get pending(): boolean {
      return pasted === null && rest !== '';
    },
  };
}

/** A text that is typed after one more key. What is longer than anybody types was pasted by mistake, and each character would be drawn. */
export function edited(text: string, key: Key): string {
  if (key === 'backspace') return [...text].slice(0, -1).join('');
  if (key === 'ctrl-u') return '';
  if (key.startsWith(PASTED)) return [...text, ...key.slice(PASTED.length).replace(/[\u0000-\u001f\u007f]+/g, ' ').trimEnd()].slice(0, MOST_TYPED).join('');
  return [...key].length === 1 && text.length < MOST_TYPED ? text + key : text;
}

const MOST_TYPED = 200;

const ESCAPE = '\u001b';
/** Around what is pasted, where a terminal was asked for that: xterm's control sequences, "Bracketed Paste Mode". */
const PASTE_BEGIN = '\u001b[200~';
/** A program that sends no end must not keep a person from leaving. */
const PASTE_END = /\u001b\[201~|\u0003/;
const LONGEST_END = 6;
const CTRL_C = '\u0003';
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
