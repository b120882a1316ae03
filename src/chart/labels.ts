import { inXml } from '../words.ts';
import { textWidth } from './font.ts';

/** A line of a label as Graphviz shall draw it. */
export interface LabelLine {
  readonly text: string;
  /** Points. */
  readonly size: number;
  readonly isBold?: boolean;
  readonly color?: string;
  readonly align?: 'left' | 'center';
}

/**
 * A label of lines, each with as much room as the widest font of a viewer takes: Graphviz itself measures for Helvetica, and puts what it centres
 * too far to the right for a wider one. `padding` is the room around all of them, in points.
 */
export function label(lines: readonly LabelLine[], padding = 0): string {
  const widths = lines.map(({ text, size, isBold }) => Math.ceil(textWidth(text, size, isBold)));
  const width = Math.max(0, ...widths);
  const rows = lines.map(({ text, size, isBold = false, color, align = 'center' }, index) => {
    const own = widths[index] ?? 0;
    const blank = align === 'left' ? 0 : Math.floor((width - own) / 2);
    const font = `point-size="${size}"${color === undefined ? '' : ` color="${color}"`}`;
    const cell = `<td width="${own}" align="left"><font ${font}>${isBold ? `<b>${escaped(text)}</b>` : escaped(text)}</font></td>`;
    return blank === 0 ? `<tr>${cell}</tr>` : `<tr><td align="left">${table([`<tr><td width="${blank}"></td>${cell}<td width="${width - own - blank}"></td></tr>`])}</td></tr>`;
  });
  return `<${padding === 0 ? table(rows) : table([`<tr><td cellpadding="${padding}">${table(rows)}</td></tr>`])}>`;
}

function table(rows: readonly string[]): string {
  return `<table border="0" cellspacing="0" cellpadding="0">${rows.join('')}</table>`;
}

/** Lines of about that many characters, broken at spaces. */
export function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** For the labels of Graphviz, which are written as HTML is. */
export function escaped(text: string): string {
  return inXml(text).replaceAll('"', '&quot;');
}
