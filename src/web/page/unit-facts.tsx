import type { JSX } from 'preact';
import type { CronExecutionSummary, SpawnedProcessNode, UnitStatus } from '../../wire/payloads.ts';
import { useFetched } from './fetched.ts';
import { Rows, type RowOf } from './rows.tsx';
import { alsoIn, bytes, moment, span } from './words.ts';

export function Processes({ unit }: { readonly unit: UnitStatus }): JSX.Element {
  const { process, spawned_children: children = [], runtime_command: running, command = '', metrics } = unit;
  return (
    <section class="panel" aria-label="Processes"><h2>Processes</h2>
      {process === undefined ? <p class="faint">It has no process.</p> : (
        <Rows label="Process tree" columns={{ Process: null, PID: 'number', User: null, CPU: 'number', Memory: 'number' }} rows={[
          {
            key: process.pid,
            cells: [<code>{running ?? command}</code>, process.pid, process.user, `${metrics?.latest_cpu_percent.toFixed(1) ?? '-'}%`, bytes(metrics?.latest_rss_bytes ?? 0)],
          },
          ...rowsOf(children, 1),
        ]} />
      )}
    </section>
  );
}

function rowsOf(nodes: readonly SpawnedProcessNode[], depth: number): readonly RowOf[] {
  return nodes.flatMap(({ child, children = [] }) => [
    {
      key: child.pid, class: child.last_exit === undefined ? '' : 'faint',
      cells: [
        <>
          <span class={`depth d${Math.min(depth, 6)}`}>└ </span>
          <code>{child.command || child.name}</code>
          {child.kind !== 'peripheral' && <span class="tag">spawned</span>}
          {child.last_exit !== undefined && <span class="tag">ended</span>}
        </>,
        child.pid, child.user, child.cpu_percent === undefined ? '-' : `${child.cpu_percent.toFixed(1)}%`, child.rss_bytes === undefined ? '-' : bytes(child.rss_bytes),
      ],
    },
    ...rowsOf(children, depth + 1),
  ]);
}

export function Definition({ unit, version }: { readonly unit: string; readonly version: unknown }): JSX.Element {
  const { data, error } = useFetched<{ readonly file: string | null; readonly definition: unknown; readonly problem: string | null }>(`/units/${encodeURIComponent(unit)}/config`, version);
  return (
    <section class="panel" aria-label="Configuration"><h2>Configuration</h2>
      {error !== null && <p role="alert">{error}</p>}
      {data !== null && (
        <>
          {data.problem !== null && <p role="alert">{data.problem}</p>}
          <p class="faint">{data.file}, as it {data.problem === null ? 'is now' : 'was before'}; values of the environment stay on the server.</p>
          <pre class="definition" tabIndex={0}>{written(data.definition, '')}</pre>
        </>
      )}
    </section>
  );
}

/** In the manner of YAML, without what is not set. */
function written(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Array.isArray(value) ? value.map((item: unknown, index) => [`- ${index}`, item] as const)
    : Object.entries(value).map(([key, item]: [string, unknown]) => [key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), item] as const);
  return entries.flatMap(([key, item]) => {
    if (item === null || (typeof item === 'object' && Object.keys(item).length === 0)) return [];
    if (typeof item !== 'object') return [`${indent}${key}: ${String(item)}`];
    if (Array.isArray(item) && item.every((each) => typeof each !== 'object')) return [`${indent}${key}: [${item.join(', ')}]`];
    return [`${indent}${key}:\n${written(item, `${indent}  `)}`];
  }).join('\n');
}

export function CronHistory({ unit }: { readonly unit: UnitStatus }): JSX.Element {
  const { recent_runs: runs = [], timezone_label: zone, timezone } = unit.cron ?? { timezone_label: '' };
  return (
    <section class="panel" aria-label="Runs"><h2>Runs</h2>
      <p class="faint">Time zone {zone}; next run {unit.next_at === undefined ? 'none' : `${moment(unit.next_at)}${alsoIn(timezone, unit.next_at)}`}.</p>
      <Rows
        label="Last runs"
        columns={{ Began: null, Took: null, Result: null, Exit: 'number', PID: 'number' }}
        rows={runs.map(({ started_at: began, completed_at: ended, status, exit_code: code, pid }, index) => ({
          key: `${began} ${index}`, cells: [
            moment(began), ended === undefined ? 'goes on' : span((Date.parse(ended) - Date.parse(began)) / 1000), <RunResult status={status} />, code ?? '-', pid ?? '-',
          ],
        }))}
      />
    </section>
  );
}

function RunResult({ status }: Pick<CronExecutionSummary, 'status'>): JSX.Element {
  if (status === undefined) return <span class="state s-running">◐ runs</span>;
  if (status === 'Success') return <span class="state s-completed">✓ succeeded</span>;
  return <span class="state s-failed">✗ {status === 'OverlapError' ? 'left out: the run before it went on' : status.Failed}</span>;
}
