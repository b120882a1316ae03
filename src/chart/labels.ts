import { inXml } from '../words.ts';

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

/**
 * How wide a text is, in the unit of the font size, with the widest of the fonts that viewers have for "sans-serif": DejaVu Sans on Linux, Arial and
 * its likes elsewhere. What is laid out for it has room in all of them.
 */
export function textWidth(text: string, size: number, isBold = false): number {
  const widths = isBold ? BOLD : REGULAR;
  let thousandths = 0;
  for (const character of text) thousandths += widths[(character.codePointAt(0) ?? 0) - FIRST] ?? OTHERS;
  return (thousandths * size) / 1000;
}

const FIRST = ' '.charCodeAt(0);
/** A character outside of ASCII: as wide as the font is high. */
const OTHERS = 1000;

/** Advance widths of ASCII in thousandths of the font size, each the larger one of DejaVu Sans 2.37 and Liberation Sans 2, whose widths are Arial's. */
const REGULAR: readonly number[] = [
  318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337,
  337, 838, 838, 838, 556, 1015, 684, 686, 722, 770, 667, 611, 778, 752, 295, 500, 667, 557, 863, 748, 787, 667, 787, 722, 667, 611, 732,
  684, 989, 685, 667, 685, 390, 337, 390, 838, 556, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612, 635,
  635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
];
const BOLD: readonly number[] = [
  348, 456, 521, 838, 696, 1002, 872, 306, 457, 457, 523, 838, 380, 415, 380, 365, 696, 696, 696, 696, 696, 696, 696, 696, 696, 696, 400,
  400, 838, 838, 838, 611, 1000, 774, 762, 734, 830, 683, 683, 821, 837, 372, 556, 775, 637, 995, 837, 850, 733, 850, 770, 720, 682, 812,
  774, 1103, 771, 724, 725, 457, 365, 457, 838, 556, 500, 675, 716, 593, 716, 678, 435, 716, 712, 343, 343, 665, 343, 1042, 712, 687, 716,
  716, 493, 595, 478, 712, 652, 924, 645, 652, 582, 712, 365, 712, 838,
];
