import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JournalRecord, UnitStatus } from '../../wire/payloads.ts';
import { UnitActs } from './acts.tsx';
import { Chart, wayText, type ChartMarks } from './chart.tsx';
import { useFetched, useVersion } from './fetched.ts';
import { connection, gaps, now, onRecord, units } from './live.ts';
import { Logs } from './logs.tsx';
import { Plots } from './plots.tsx';
import { linkTo } from './router.ts';
import { Age, State } from './table.tsx';
import { Records, Timeline } from './timeline.tsx';
import { CronHistory, Definition, Processes } from './unit-facts.tsx';
import { bytes, counted, sinceOf } from './words.ts';
import { makeGather } from './gather.ts';
import { get } from './server.ts';

interface Why { readonly text: readonly string[]; readonly causes: readonly JournalRecord[] }

/** Everything about one unit. What is asked for is asked again when something happened to it. */
export function Unit({ name, part }: { readonly name: string; readonly part: string }): JSX.Element {
  const row = units.value.get(name);
  const [version, bump] = useVersion(150);
  const [machine, setMachine] = useState<string | null>(null);
  const [arrow, setArrow] = useState<string | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  useEffect(() => onRecord((record) => {
    if (record.unit === name || record.cause?.by === name) bump();
  }), [name]);
  useEffect(() => {
    if (part === 'logs') document.querySelector<HTMLElement>('.lines')?.focus();
  }, [part, name]);
  useEffect(bump, [row?.last_event, row?.state, row?.rollout?.step, row?.waits_for?.length]);
  const path = `/units/${encodeURIComponent(name)}`;
  const own = row?.kind === 'cron' ? 'job' : 'service';
  const shown = machine ?? (row?.rollout === undefined ? own : 'rollout');
  const { data: marks } = useFetched<ChartMarks>(`${path}/chart?machine=${shown}`, version);
  const { data: why, error } = useFetched<Why>(`${path}/why`, `${version} ${Math.floor(now.value / 5000)}`);
  const { data: detail } = useFetched<{ readonly unit: UnitStatus }>(path, `${version} ${row?.cpu} ${row?.rss} ${row?.processes}`);
  const records = useJournal(name);
  const ofUnit = useMemo(() => records.filter((record) => record.unit === name), [records, name]);
  const { data: along } = useFetched<{ readonly records: readonly JournalRecord[] }>(
    arrow === null ? null : `${path}/chart/records?machine=${shown}&arrow=${encodeURIComponent(arrow)}`,
    version,
  );
  if (row === undefined && error !== null) return <main><h1>{name}</h1><p role="alert">{error}</p><p><a href={linkTo()}>All units</a></p></main>;
  return (
    <main class="unit">
      <div class="bar">
        <a href={linkTo()} aria-label="Back to all units">‹ Units</a>
        <h1>{name}</h1>
        {row !== undefined && (
          <>
            <State row={row} />
            <span class={`pill h-${row.health}`}>{row.health}</span>
            <span class="faint">
              for <Age at={sinceOf(row)} />
              {row.pid !== undefined && `, pid ${row.pid}`}, {counted(row.restarts, 'restart')}{row.cpu !== undefined && `, ${row.cpu.toFixed(1)}%`}
              {row.rss !== undefined && `, ${bytes(row.rss)}`}
            </span>
          </>
        )}
        <UnitActs names={[name]} />
      </div>
      {part === 'logs' && <Logs key="logs" unit={name} />}
      <div class="columns">
        <section class="panel" aria-label="State chart">
          <div class="bar small"><h2>Chart</h2><div role="group" aria-label="Machine">
            {[own, ...(own === 'job' ? ['service'] : []), 'rollout'].map((each) => <button key={each} aria-pressed={shown === each} onClick={() => {
              setMachine(each);
              setArrow(null);
            }}>{each === 'service' && own === 'job' ? 'run' : each}</button>)}
          </div></div>
          <Chart key={`${name} ${shown}`} machine={shown} marks={marks} name={name} chosen={arrow} onArrow={setArrow} />
        </section>
        <div>
          <section class="panel why" aria-label="Why"><h2>Why</h2>
            {error === null ? why?.text.map((sentence) => <p key={sentence}>{sentence}</p>) : <p class="faint">Not known now: {error}.</p>}
            {row?.waits_for?.map(({ unit }) => <p key={unit}>Waits for <a href={linkTo('unit', unit)}>{unit}</a>.</p>)}
          </section>
          {arrow !== null && (
            <section class="panel" aria-label="Records of the arrow">
              <div class="bar small"><h2>{wayText(arrow)}</h2><button onClick={() => setArrow(null)}>Close</button></div>
              <ul>{marks?.arrows.find(({ title }) => title === arrow)?.lines.map((line) => <li key={line}><code>{line}</code></li>)}</ul>
              {along?.records.length === 0 && <p class="faint">The journal has no record that led along it.</p>}
              {along !== null && along.records.length > 0 && <Records records={along.records} chosen={chosen} onCause={setChosen} />}
            </section>
          )}
          <Plots unit={name} records={ofUnit} />
        </div>
      </div>
      <section class="panel" aria-label="Timeline"><h2>Timeline</h2>
        <Timeline unit={name} records={records} chosen={chosen} onChoose={setChosen} />
        <Records records={chosen === null ? ofUnit.slice(-30) : around(records, chosen)} chosen={chosen} onCause={setChosen} />
        {chosen !== null && <button onClick={() => setChosen(null)}>Show the last ones again</button>}
      </section>
      {part !== 'logs' && <Logs key="logs" unit={name} />}
      <div class="columns">
        {detail !== null && <Processes unit={detail.unit} />}
        {detail?.unit.kind === 'cron' && <CronHistory unit={detail.unit} />}
        <Definition unit={name} version={row?.generation} />
      </div>
    </main>
  );
}

/** A record with its chain of causes, and what it caused in turn. */
function around(records: readonly JournalRecord[], seq: number): readonly JournalRecord[] {
  const chain = new Set([seq]);
  for (let at = records.find((record) => record.seq === seq)?.cause?.seq; at !== undefined && !chain.has(at);) {
    chain.add(at);
    const cause = at;
    at = records.find((record) => record.seq === cause)?.cause?.seq;
  }
  for (const record of records) if (record.cause?.seq !== undefined && chain.has(record.cause.seq) && record.seq > seq) chain.add(record.seq);
  return records.filter((record) => chain.has(record.seq));
}

const MOST_KEPT = 3000;
const LEAST_PAUSE_MS = 200;

interface Answer { readonly records: readonly JournalRecord[] }

/** The newest records of all units and those of one: read once, then added to as they come. */
function useJournal(unit: string): readonly JournalRecord[] {
  const [records, setRecords] = useState<readonly JournalRecord[]>([]);
  const isOpen = connection.value === 'open';
  useEffect(() => {
    const stop = new AbortController();
    const fresh = makeGather<JournalRecord>((found) => setRecords((before) => merged(before, found)), { most: MOST_KEPT, withinMs: LEAST_PAUSE_MS });
    const forget = onRecord((record) => fresh.add([record]));
    const histories = ['/history?limit=1500', `/units/${encodeURIComponent(unit)}/history?limit=1000`];
    Promise.all(histories.map((path) => get<Answer>(path, stop.signal)))
      .then((answers) => setRecords((before) => merged(...answers.map(({ records: known }) => known), before)), () => undefined);
    return () => {
      stop.abort();
      forget();
      fresh.clear();
    };
  }, [unit, isOpen, gaps.value]);
  return records;
}

function merged(...lists: readonly (readonly JournalRecord[])[]): readonly JournalRecord[] {
  return [...new Map(lists.flat().map((record) => [record.seq, record])).values()].toSorted((one, other) => one.seq - other.seq).slice(-MOST_KEPT);
}
