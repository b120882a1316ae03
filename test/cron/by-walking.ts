/**
 * The rules of cron, by walking through time minute by minute and asking the zone's clock each time. Slow, and made of
 * nothing that the program uses.
 */
export interface Reading {
  readonly wallMs: number;
  /** What the clock shows: the minutes that a clock of UTC would have counted to show it. */
  readonly shown: number;
}

export function readings(zone: string, fromMs: number, untilMs: number): readonly Reading[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' });
  return Array.from({ length: (untilMs - fromMs) / 60_000 }, (_, index) => fromMs + index * 60_000)
    .map((wallMs) => ({ wallMs, shown: Date.parse(`${format.format(wallMs).replace(' ', 'T')}Z`) / 60_000 }));
}

/** A clock of UTC. */
export function* readingsOfUtc(fromMs: number, untilMs: number): Generator<Reading> {
  for (let wallMs = fromMs; wallMs < untilMs; wallMs += 60_000) yield { wallMs, shown: wallMs / 60_000 };
}

/** Instants of an expression of five fields, numbers only. The first reading only says what was shown before. */
export function walk(expression: string, walked: Iterable<Reading>): readonly number[] {
  const fixed = !/[*/]/.test(expression.split(' ')[1] ?? '');
  const isNamed = reader(expression);
  const seen = new Set<number>();
  const instants: number[] = [];
  let before: number | null = null;
  for (const { wallMs, shown } of walked) {
    const named = isNamed(shown);
    if (before !== null) {
      const swallowed = fixed && shown > before + 1 && Array.from({ length: shown - before - 1 }, (_, minute) => shown - 1 - minute).some(isNamed);
      if (swallowed || (named && !(fixed && seen.has(shown)))) instants.push(wallMs);
    }
    if (named) seen.add(shown);
    before = shown;
  }
  return instants;
}

function reader(expression: string): (shown: number) => boolean {
  const limits = [[0, 59], [0, 23], [1, 31], [1, 12], [1, 7]] as const;
  const [minutes, hours, days, months, weekdays] = expression.split(' ').map((field, index) => {
    const [least, most] = limits[index] ?? [0, 0];
    return Array.from({ length: most + 1 }, (_, value) => value >= least && isIn(field, value, least));
  });
  return (shown) => {
    if (minutes?.[shown % 60] !== true || hours?.[Math.floor(shown / 60) % 24] !== true) return false;
    const date = new Date(shown * 60_000);
    return days?.[date.getUTCDate()] === true && months?.[date.getUTCMonth() + 1] === true && weekdays?.[date.getUTCDay() + 1] === true;
  };
}

function isIn(field: string, value: number, least: number): boolean {
  return field.split(',').some((piece) => {
    const [span = '', step] = piece.split('/');
    const [from = 0, to] = span === '*' ? [least, 99] : span.split('-').map(Number);
    const until = to ?? (step === undefined ? from : 99);
    return value >= from && value <= until && (value - from) % Number(step ?? 1) === 0;
  });
}
