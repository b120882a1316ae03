import { tamed } from './taming.ts';

/**
 * systemg 0.33.0's banner around a unit's log or a section: a blank line, a box, a blank line; `width` columns in all and never below 24. `columnsOf` a
 * text are its characters, as there, unless a terminal says otherwise.
 */
export function boxBanner(title: string, width = 100, columnsOf = characters): string {
  const inner = Math.max(24, width) - 2;
  const line = '─'.repeat(inner);
  return `\n┌${line}┐\n│${centred(title, inner, columnsOf)}│\n└${line}┘\n\n`;
}

export function unitTitle(unit: string, pid: number | null): string {
  return pid === null ? `${unit} [offline]` : `${unit} [pid ${pid}]`;
}

/** Where the echo of all units lines up: `unit | line`. */
export function echoWidth(units: Iterable<string>): number {
  return Math.max(0, ...[...units].map(characters));
}

export function echoLine(unit: string, line: string, width: number): string {
  return `${unit}${' '.repeat(Math.max(0, width - characters(unit)))} | ${tamed(line)}\n`;
}

/** The odd blank goes to the right; a title that does not fit ends in dots. */
function centred(title: string, width: number, columnsOf: (text: string) => number): string {
  const kept = [...title];
  let shown = title;
  while (columnsOf(shown) > width) {
    kept.pop();
    shown = `${kept.join('')}...`;
  }
  const blanks = width - columnsOf(shown);
  const left = Math.floor(blanks / 2);
  return `${' '.repeat(left)}${shown}${' '.repeat(blanks - left)}`;
}

function characters(text: string): number {
  return [...text].length;
}
