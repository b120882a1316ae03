import { stripVTControlCharacters } from 'node:util';

/** Takes out of the text of a program what would move the cursor, clear the screen or set a title. Colours stay and end with their line, or go. */
export interface Tamer {
  /** A part of the text; the beginning of a sequence at its end waits for the rest. */
  push(text: string): string;
  /** Ends a last line that has no newline yet. */
  end(): string;
}

export function openTamer({ colors }: { readonly colors: boolean }): Tamer {
  let held = '';
  let isColored = false;

  const endColor = (): string => {
    const end = isColored ? RESET : '';
    isColored = false;
    return end;
  };
  const tame = (text: string): string => {
    if (!isColored && !CONTROL.test(text)) return text;
    return text.split(COLOR).map((part, index) => {
      if (index % 2 === 0) return stripVTControlCharacters(part).replace(CONTROLS, '').replaceAll('\n', () => `${endColor()}\n`);
      if (!colors) return '';
      isColored = !ENDS_COLOR.test(part);
      return part;
    }).join('');
  };

  return {
    push(text) {
      const all = held + text;
      const [begun = ''] = BEGUN.exec(all) ?? [];
      held = begun.length > LONGEST_SEQUENCE ? '' : begun;
      return tame(all.slice(0, all.length - held.length));
    },
    end() {
      const rest = tame(held);
      held = '';
      return rest + endColor();
    },
  };
}

/** One line, without its newline. */
export function tamed(line: string, colors = true): string {
  if (!CONTROL.test(line)) return line;
  const tamer = openTamer({ colors });
  return tamer.push(line) + tamer.end();
}

const RESET = '\u001b[0m';
/** How much of a title, or of what else a sequence carries, is waited for. */
const LONGEST_SEQUENCE = 4096;
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const CONTROLS = new RegExp(CONTROL, 'g');
const COLOR = /(\u001b\[[0-9;:]*m)/;
const ENDS_COLOR = /^\u001b\[0*m$/;
/** A sequence that has begun: CSI with its parameters, OSC and the like up to what ends them, or an escape alone. */
const BEGUN = /\u001b(?:\[[0-?]*[ -/]*|[\]P^_X][^\u0007\u001b]*\u001b?|[ -/]*)$/;
