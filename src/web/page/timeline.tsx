import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JournalRecord } from '../../wire/payloads.ts';
import { now } from './live.ts';
import { linkTo } from './router.ts';
import { Rows } from './rows.tsx';
import { moment, offset, span } from './words.ts';

export interface Stretch { readonly fromMs: number; readonly toMs: number; readonly state: string; readonly record: JournalRecord }

/** In which state a unit was when, by its records; oldest first. */
export function stretchesOf(records: readonly JournalRecord[], unit: string, endMs: number): readonly Stretch[] {
  const own = records.filter((record) => record.unit === unit && record.to !== undefined);
  return own.map((record, index) => ({ fromMs: Date.parse(record.at), toMs: Date.parse(own[index + 1]?.at ?? '') || endMs, state: record.to ?? '', record }));
}

/** As the legend explains their colours. */
const STATES = ['running', 'starting', 'stopping', 'backoff', 'failed', 'stopped', 'waiting'] as const;
const SPANS = [['1 min', 60], ['15 min', 900], ['1 h', 3600], ['1 day', 86_400]] as const;
const [LANE, LEFT] = [26, 120];
/** Of a letter, with its share of the space around the word. */
const WORD_WIDTH = 9;
const MOST_LANES = 8;

interface Props {
  readonly unit: string;
  readonly records: readonly JournalRecord[];
  readonly chosen: number | null;
  onChoose(seq: number | null): void;
}

/** The journal over time: the unit, and the units whose changes caused its own or were caused by them, joined by lines. */
export function Timeline({ unit, records, chosen, onChoose }: Props): JSX.Element {
  const [seconds, setSeconds] = useState(900);
  const [backMs, setBack] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1000);
  useEffect(() => {
    const resizer = new ResizeObserver(([entry]) => setWidth(Math.max(300, Math.round(entry?.contentRect.width ?? 1000))));
    if (box.current !== null) resizer.observe(box.current);
    return () => resizer.disconnect();
  }, []);
  const endMs = now.value - backMs;
  const startMs = endMs - seconds * 1000;
  const bySeq = new Map(records.map((record) => [record.seq, record]));
  const links = records
    .flatMap((record) => {
      const cause = bySeq.get(record.cause?.seq ?? -1);
      return cause !== undefined && cause.unit !== record.unit && (record.unit === unit || cause.unit === unit) ? [{ record, cause }] : [];
    })
    .slice(-100);
  const lanes = [...new Set([unit, ...links.flatMap(({ record, cause }) => [record.unit, cause.unit]).reverse()])].filter((name) => name !== null)
    .slice(0, MOST_LANES);
  const x = (ms: number): number => LEFT + Math.min(1, Math.max(0, (ms - startMs) / (endMs - startMs))) * (width - LEFT);
  const height = lanes.length * LANE + 24;
  const isSeen = (at: string): boolean => Date.parse(at) >= startMs && Date.parse(at) <= endMs;
  const zoom = (factor: number): void => setSeconds(Math.min(30 * 86_400, Math.max(5, seconds * factor)));
  return (
    <div class="timeline" ref={box}>
      <div class="bar small" role="group" aria-label="Span of the timeline">
        {SPANS.map(([word, span]) => (
          <button key={word} aria-pressed={seconds === span} onClick={() => {
            setSeconds(span);
            setBack(0);
          }}>{word}</button>
        ))}
        <button aria-label="Zoom in" onClick={() => zoom(0.5)}>+</button>
        <button aria-label="Zoom out" onClick={() => zoom(2)}>−</button>
        <button aria-label="Earlier" onClick={() => setBack(backMs + seconds * 500)}>◂</button>
        <button aria-label="Later" aria-disabled={backMs === 0} onClick={() => setBack(Math.max(0, backMs - seconds * 500))}>▸</button>
        <span class="faint">{moment(startMs)} to {backMs === 0 ? 'now' : moment(endMs)} ({span(seconds)})</span>
      </div>
      <svg
        viewBox={`0 0 ${width} ${height}`} height={height} role="group" aria-label={`What happened to ${unit} in the last ${span(seconds)}`}
        onWheel={(event) => {
          if (!event.ctrlKey) return;
          event.preventDefault();
          zoom(event.deltaY > 0 ? 1.3 : 0.77);
        }}
      >
        {lanes.map((name, lane) => (
          <g key={name} transform={`translate(0 ${lane * LANE})`}>
            {name === unit ? <LaneName name={name} /> : <a href={linkTo('unit', name)}><LaneName name={name} /></a>}
            {stretchesOf(records, name, now.value).filter(({ fromMs, toMs }) => toMs >= startMs && fromMs <= endMs)
              .map(({ fromMs, toMs, state, record }) => {
                const [left, wide] = [x(fromMs), Math.max(1.5, x(toMs) - x(fromMs))];
                return (
                  <g key={record.seq}>
                    <rect class={`p-${state}${record.seq === chosen ? ' chosen' : ''}`} x={left} y="5" height="16" width={wide} rx="2" onClick={() => onChoose(record.seq)}>
                      <title>{`${state} from ${moment(fromMs)}, ${offset(toMs - fromMs)}`}</title>
                    </rect>
                    {wide > state.length * WORD_WIDTH && <text class="word" x={left + 5} y="17">{state}</text>}
                  </g>
                );
              })}
          </g>
        ))}
        {links.filter(({ record, cause }) => isSeen(record.at) && isSeen(cause.at))
          .map(({ record, cause }) => {
            const [from, to] = [lanes.indexOf(cause.unit ?? ''), lanes.indexOf(record.unit ?? '')];
            const line = `M${x(Date.parse(cause.at))} ${from * LANE + 13}L${x(Date.parse(record.at))} ${to * LANE + 13}`;
            return from < 0 || to < 0 ? null : <path key={record.seq} class="cause" d={line} />;
          })}
        {(width < 600 ? [0, 1] : [0, 0.25, 0.5, 0.75, 1]).map((share) => (
          <text key={share} class="tick" x={LEFT + share * (width - LEFT)} y={height - 6} text-anchor={share === 0 ? 'start' : share === 1 ? 'end' : 'middle'}>
            {moment(startMs + share * (endMs - startMs))}
          </text>
        ))}
      </svg>
      <Legend />
    </div>
  );
}

function LaneName({ name }: { readonly name: string }): JSX.Element {
  return <text x="4" y="17">{name.length > 16 ? `${name.slice(0, 15)}…` : name}</text>;
}

/** The colours of states. */
export function Legend(): JSX.Element {
  return <ul class="legend" aria-label="Colours">{STATES.map((state) => <li key={state}><span class={`swatch p-${state}`} />{state}</li>)}</ul>;
}

interface RecordsProps {
  readonly records: readonly JournalRecord[];
  readonly chosen?: number | null;
  /** Of a rehearsal: times count from here. */
  readonly sinceMs?: number;
  onCause?(seq: number): void;
}

/** Records as rows, newest first. */
export function Records({ records, chosen = null, sinceMs, onCause }: RecordsProps): JSX.Element {
  return (
    <Rows
      label="Records of the journal"
      class="records"
      columns={{ Time: null, '#': 'number', Unit: null, Change: null, Cause: null, Detail: null }}
      rows={records.toReversed().map((record) => ({
        key: record.seq,
        class: record.seq === chosen ? 'selected' : '',
        cells: [
          sinceMs === undefined ? moment(record.at) : offset(Date.parse(record.at) - sinceMs),
          <Number seq={record.seq} onChoose={onCause} />,
          record.unit ?? 'supervisor',
          record.to === undefined ? record.event : record.from === record.to ? `${record.to} (${record.event})` : `${record.from ?? '?'} → ${record.to}`,
          <>
            {record.cause?.kind} {record.cause?.by}{' '}
            {record.cause?.seq !== undefined && <Number seq={record.cause.seq} onChoose={onCause} word="#" />}
          </>,
          detailOf(record),
        ],
      }))}
    />
  );
}

/** Of a record; where it can be chosen, it is shown with what caused it and what it caused. */
function Number({ seq, onChoose, word = '' }: { readonly seq: number; readonly onChoose: RecordsProps['onCause']; readonly word?: string }): JSX.Element {
  const text = `${word}${seq}`;
  return onChoose === undefined ? <>{text}</> : <button class="link" aria-label={`Record ${seq} with its causes`} onClick={() => onChoose(seq)}>{text}</button>;
}

function detailOf({ detail = {} }: JournalRecord): string {
  return Object.entries(detail).filter(([key]) => !['wanted', 'ready'].includes(key))
    .map(([key, value]) => `${key.replaceAll('_', ' ')} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
}
