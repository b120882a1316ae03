import type { JSX } from 'preact';
import { Chart } from './chart.tsx';
import { useFetched } from './fetched.ts';
import { head, now, records, tickets, units } from './live.ts';
import { linkTo } from './router.ts';
import { Records } from './timeline.tsx';
import { bytes, moment } from './words.ts';
import type { JournalRecord } from '../../wire/payloads.ts';

interface Cost { readonly cpuSeconds: number; readonly residentBytes: number; readonly openFds: number | null }
interface Supervisor {
  readonly stage: string; readonly why: string | null; readonly pid: number | null; readonly cost: Cost | null; readonly connections: number | null;
  readonly state_directory: string; readonly socket: string; readonly log: string; readonly config: string | null; readonly present: readonly string[];
  readonly server: { readonly version: string; readonly pid: number; readonly cost: Cost | null; readonly streams: number; readonly read_only: boolean };
  readonly ordered: readonly { readonly unit: string; readonly ordered: string | null; readonly rollout: string | null; readonly waits_for: readonly string[] }[];
}

/** The supervisor itself: its chart, what is under way, and what it costs. */
export function SupervisorPage(): JSX.Element {
  const { data, error } = useFetched<Supervisor>('/supervisor', `${Math.floor(now.value / 2000)} ${head.value?.supervisor} ${tickets.value.length}`);
  const { data: history } = useFetched<{ readonly records: readonly JournalRecord[] }>('/history?limit=100', records.value.at(-1)?.seq);
  return (
    <main>
      <h1>Supervisor</h1>
      {error !== null && <p role="alert">{error}</p>}
      <div class="columns">
        <section class="panel" aria-label="Root chart"><h2>Chart</h2>
          <Chart machine="supervisor" name="the supervisor" marks={data === null ? null : { present: data.present, counts: [], steps: [], arrows: [] }} />
        </section>
        <div>
          {data !== null && (
            <section class="panel"><h2>{data.stage === 'gone' ? 'No supervisor answers' : `It is ${data.stage}`}</h2>
              {data.why !== null && <p role="alert">{data.why}</p>}
              <dl>{factsOf(data).map(([title, fact]) => <><dt>{title}</dt><dd>{fact}</dd></>)}</dl>
            </section>
          )}
          <section class="panel"><h2>Under way</h2>
            {data?.ordered.length === 0 && tickets.value.every(({ state }) => state !== 'open') && <p class="faint">Nothing.</p>}
            <ul>
              {data?.ordered.map(({ unit, ordered, rollout, waits_for: waits }) => (
                <li key={unit}>
                  <a href={linkTo('unit', unit)}>{unit}</a>:{' '}
                  {[
                    ...(ordered === null ? [] : [`${ordered} ordered`]), ...(rollout === null ? [] : [`rollout at ${rollout}`]),
                    ...(waits.length === 0 ? [] : [`waits for ${waits.join(', ')}`]),
                  ].join('; ')}
                </li>
              ))}
              {tickets.value.filter(({ state }) => state === 'open')
                .map(({ id, verb, units: names, began_at: at }) => <li key={id}>ticket #{id}: {verb} {names.join(', ')} since {moment(at)}</li>)}
            </ul>
          </section>
        </div>
      </div>
      <section class="panel"><h2>Last records</h2><Records records={history?.records ?? []} /></section>
    </main>
  );
}

function factsOf({ pid, cost, connections, config, state_directory: state, socket, log, server }: Supervisor): readonly (readonly [title: string, fact: string | number])[] {
  return [
    ['PID', pid ?? '-'], ['Units', units.value.size], ['CPU used', cost === null ? '-' : `${cost.cpuSeconds.toFixed(1)} s`],
    ['Memory', cost === null ? '-' : bytes(cost.residentBytes)], ['Open descriptors', cost?.openFds ?? '-'], ['Connections', connections ?? '-'],
    ['Configuration', config ?? '-'], ['State', state], ['Socket', socket], ['Log', log],
    ['This page', `sysg ${server.version}, pid ${server.pid}, streams ${server.streams}, ${bytes(server.cost?.residentBytes ?? 0)}${server.read_only ? ', read-only' : ''}`],
  ];
}
