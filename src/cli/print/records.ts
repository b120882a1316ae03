import { REQUEST } from '../../journal/request-record.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import { clockTime, localTime, preciseTime, span } from '../../words.ts';
import type { Palette } from './palette.ts';
import { table, type Column } from './table.ts';
import displayWidth, { broken, padded, printable } from '../../width.ts';

/** One line for a record: time, unit, what became of it, and why. What does not fit into the columns of a terminal stands below. */
export function eventLines(record: JournalRecord, width: number, columns: number | null): readonly string[] {
  const { at, unit, event, from, to, cause, detail = {} } = record;
  const change = to === undefined ? event : from === to ? to : `${from ?? '?'} → ${to}`;
  const more = Object.entries(detail).filter(([key]) => !['last_stderr', 'ready', 'wanted', 'blame', 'left'].includes(key)).map(([key, value]) => `${key}=${plain(value)}`);
  const why = cause === undefined ? '' : causeOf(cause);
  const [head, details] = [[preciseTime(at), padded(printable(unit ?? 'supervisor'), width), change.padEnd(22), padded(why, 18)].join('  '), more.join('  ')];
  const line = `${head}  ${details}`.trimEnd();
  if (columns === null || displayWidth(line) <= columns) return [line];
  return [head.trimEnd(), ...(details === '' ? [] : broken(details, columns - BELOW.length).map((part) => `${BELOW}${part}`))];
}

const BELOW = '    ';

function plain(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const text = printable(value);
  return /\s/.test(text) ? JSON.stringify(text) : text;
}

/** The last changes of one unit, newest first, each with its cause. */
export function transitions(records: readonly JournalRecord[], nowMs: number, width: number | null, paints: Palette): string[] {
  const columns: Column<JournalRecord>[] = [
    { title: 'TIME', align: 'left', cell: ({ at }) => ({ text: localTime(at) }) },
    { title: 'AGO', align: 'right', spare: 2, below: (text) => `${text} ago`, cell: ({ at }) => ({ text: span((nowMs - Date.parse(at)) / 1000) }) },
    { title: 'GEN', align: 'right', spare: 3, below: () => null, cell: ({ generation }) => ({ text: generation === undefined ? '-' : String(generation) }) },
    { title: 'CHANGE', align: 'left', cell: (record) => ({ text: changeOf(record), paint: paints.state(record.to ?? '') }) },
    { title: 'CAUSE', align: 'left', cell: ({ cause }) => ({ text: causeOf(cause) }) },
    { title: 'DETAIL', align: 'left', least: 12, spare: 1, below: String, cell: (record) => ({ text: detailOf(record), paint: paints.faint }) },
  ];
  return table(columns, [...records].reverse(), width, { below: paints.faint });
}

function changeOf({ event, from, to, detail }: JournalRecord): string {
  if (event === 'rollout') return `rollout ${printable(String(detail?.['result'] ?? detail?.['step']))}`;
  if (to === undefined) return event;
  return from === undefined || from === to ? `${to} (${event})` : `${from} → ${to}`;
}

function causeOf(cause: JournalRecord['cause']): string {
  if (cause === undefined) return '-';
  return cause.by === undefined ? cause.kind : `${cause.kind} ${printable(cause.by)}`;
}

function detailOf({ event, detail = {} }: JournalRecord): string {
  if (event === REQUEST) return requestDetail(detail);
  const { pid, exit_code: code, signal, attempt, max_restarts: most, reason, next_at: next, last_stderr: words, steps } = detail;
  return [
    typeof steps === 'string' ? steps : '',
    code === undefined ? '' : `exit ${String(code)}`,
    typeof signal === 'string' ? signal : '',
    typeof reason === 'string' && code === undefined && signal === undefined ? printable(reason) : '',
    attempt === undefined ? '' : `attempt ${String(attempt)}${most === undefined ? '' : ` of ${String(most)}`}`,
    typeof next === 'string' ? `next ${clockTime(next)}` : '',
    pid === undefined ? '' : `pid ${String(pid)}`,
    Array.isArray(words) && typeof words.at(-1) === 'string' ? JSON.stringify(printable(String(words.at(-1)))) : '',
  ].filter((part) => part !== '').join(', ');
}

/** What was asked for, and by whom: the pid is not one of the unit. */
function requestDetail({ signal, uid, pid }: Readonly<Record<string, unknown>>): string {
  const who = [...(uid === undefined ? [] : [`uid ${String(uid)}`]), ...(pid === undefined ? [] : [`pid ${String(pid)}`])].join(' ');
  return [...(typeof signal === 'string' ? [signal] : []), ...(who === '' ? [] : [`by ${who}`])].join(' ');
}
