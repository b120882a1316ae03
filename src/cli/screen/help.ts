import { palette } from '../print/palette.ts';
import { broken, fit } from '../../width.ts';
import type { Detail } from './details.ts';
import { openPager } from './pager.ts';

/** The keys of the table, over it until one leaves. */
export function openHelp(color: boolean): Detail {
  const { faint } = palette(color);
  const pager = openPager({ footer: (place, columns) => faint(fit(`keys${place === '' ? '' : `  ${place}  ↑↓ scroll`}  q back`, columns)) });
  return {
    press: (key) => key !== '?' && key !== 'h' && pager.press(key),
    frame(columns, rows) {
      pager.show(helpLines(columns));
      return pager.frame(columns, rows);
    },
  };
}

/** In two columns where there is room for them. */
export function helpLines(columns: number): readonly string[] {
  const lines = HELP.flatMap((row) => {
    if (typeof row === 'string') return row;
    const [keys, meaning] = row;
    return columns >= WIDE ? `  ${keys.padEnd(30)}${meaning}` : [`  ${keys}`, `      ${meaning}`];
  });
  return lines.flatMap((line) => (line === '' ? '' : broken(line, columns)));
}

const WIDE = 68;

/** Keys and what they do, and sentences. */
const HELP: readonly (string | readonly [string, string])[] = [
  ['↑ ↓   j k   Tab Shift-Tab', 'move'],
  ['PgUp PgDn   Ctrl-U Ctrl-D', 'a page up, down'],
  ['g G   Home End', 'first, last'],
  ['/   n N', 'search, next, previous'],
  ['f', 'filter; Escape removes the filter'],
  ['o >   <   O', 'next, previous order; reverse'],
  ['t', 'show or hide processes'],
  ['p', 'show or hide the newest log lines of the unit'],
  '',
  ['Enter   →   i', 'inspect'],
  ['l   L', 'logs of the unit, of all units'],
  ['S', 'start'],
  ['r   s', 'restart, stop; after a question'],
  '',
  ['Ctrl-L', 'redraw'],
  ['q   Escape', 'leave; the exit code is the health'],
  ['Ctrl-C', 'leave with exit code 130'],
  '',
  'Health: 0 healthy, 1 degraded, 2 failing. What needs attention comes first',
  'unless another order is chosen: name, state, CPU, RSS, uptime, restarts, PID.',
];
