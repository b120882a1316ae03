import type { Diagnosis, Finding } from '../../doctor/finding.ts';
import { palette } from './palette.ts';
import { broken, printable } from './width.ts';

export interface DoctorLook {
  /** Columns; null: lines are not broken. */
  readonly width: number | null;
  readonly color: boolean;
  readonly glyphs: boolean;
}

/** A line for each finding, what disagrees last, where it is seen; then how many there are. */
export function doctorReport({ findings }: Diagnosis, look: DoctorLook): readonly string[] {
  const width = Math.max(0, ...findings.map(({ check }) => check.length));
  const wrong = findings.filter(({ ok }) => !ok);
  const right = findings.filter(({ ok }) => ok);
  const sum = wrong.length === 0 ? `all ${right.length} checks agree` : `${wrong.length} of ${findings.length} checks ${wrong.length === 1 ? 'disagrees' : 'disagree'}`;
  return [...[...right, ...wrong].flatMap((finding) => lines(finding, width, look)), '', sum];
}

function lines({ check, ok, detail }: Finding, width: number, { width: columns, color, glyphs }: DoctorLook): readonly string[] {
  const paint = palette(color).health(ok ? 'healthy' : 'failing');
  const mark = glyphs ? (ok ? '✓' : '✗') : ok ? 'ok   ' : 'WRONG';
  const indent = mark.length + width + 3;
  const text = printable(detail);
  const parts = columns === null || columns - indent < NARROWEST ? [text] : broken(text, columns - indent);
  return parts.map((part, index) => (index === 0 ? `${paint(mark)} ${printable(check).padEnd(width)}  ${part}` : `${' '.repeat(indent)}${part}`));
}

const NARROWEST = 30;
