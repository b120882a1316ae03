import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { UnitRow } from '../unit-row.ts';
import { ReloadButton, UnitActs } from './acts.tsx';
import { head, now, readOnly, units } from './live.ts';
import { holdOrder, ordered, releaseOrder, sortBy, sorting, type SortName } from './sorting.ts';
import { go, linkTo } from './router.ts';
import { bytes, sinceOf, span } from './words.ts';

export const filter = signal('');
export const selected = signal<string | null>(null);
export const marked = signal<ReadonlySet<string>>(new Set());

/** The units that are shown: those whose name, state, health or command holds all the words. */
export function shownUnits(): readonly UnitRow[] {
  const words = filter.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
  return ordered.value.filter(({ name, text, state, health, command }) => {
    const all = `${name} ${state} ${text} ${health} ${command}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}

/** What an order concerns: the marked units, else the selected one, where the filter shows it. */
export function concerned(): readonly string[] {
  const kept = [...marked.value].filter((name) => units.value.has(name));
  return kept.length > 0 ? kept : shownUnits().map(({ name }) => name).filter((name) => name === selected.value);
}

export function mark(name: string): void {
  const next = new Set(marked.value);
  if (!next.delete(name)) next.add(name);
  marked.value = next;
}

const NUMBERS: readonly SortName[] = ['Restarts', 'CPU', 'Memory'];

/** A column by which the units can be put in order. */
function Heading({ by }: { readonly by: SortName }): JSX.Element {
  const { by: present, isTurned } = sorting.value;
  const isPresent = present === by;
  return (
    <th role="columnheader" class={NUMBERS.includes(by) ? 'number' : ''} aria-sort={isPresent ? (isTurned ? 'descending' : 'ascending') : 'none'}>
      <button class="link" onClick={() => sortBy(by)}>{by}<span aria-hidden="true">{isPresent ? (isTurned ? ' ▴' : ' ▾') : ''}</span></button>
    </th>
  );
}

export function Table(): JSX.Element {
  useEffect(() => releaseOrder, []);
  const rows = shownUnits();
  const names = concerned();
  const counts = new Map<string, number>();
  for (const { health } of ordered.value) counts.set(health, (counts.get(health) ?? 0) + 1);
  return (
    <main>
      <div class="bar">
        <h1>Units</h1>
        <p class="counts">
          {['failing', 'degraded', 'healthy'].filter((health) => counts.has(health)).map((health) => (
            <span key={health} class={`pill h-${health}`}>{counts.get(health)} {health}</span>))}
        </p>
        <label class="filter">
          <span class="hidden">Filter</span>
          <input id="filter" type="search" placeholder="filter (f)" value={filter} onInput={({ currentTarget }) => (filter.value = currentTarget.value)} />
        </label>
        {!readOnly.value && <span class="faint">{names.length === 0 ? 'mark units for:' : `${names.length === 1 ? names[0] : `${names.length} units`}:`}</span>}
        <UnitActs names={names} />
        <ReloadButton />
      </div>
      {rows.length === 0 && <p class="faint">{head.value === null ? 'Nothing has come from the server yet.' : ordered.value.length === 0 ? 'No units yet.' : 'No unit holds all of these words.'}</p>}
      <table class="units" role="table" hidden={rows.length === 0}>
        <thead role="rowgroup">
          <tr role="row">
            <th class="tick" role="columnheader">
              <input
                type="checkbox" aria-label="Mark all that are shown" checked={rows.length > 0 && rows.every(({ name }) => marked.value.has(name))}
                onChange={({ currentTarget }) => (marked.value = new Set(currentTarget.checked ? rows.map(({ name }) => name) : []))}
              />
            </th>
            {(['Unit', 'State', 'Since', 'Restarts', 'Health', 'CPU', 'Memory'] as const).map((by) => <Heading key={by} by={by} />)}
            {['PID', 'Last exit', 'Command'].map((title) => <th key={title} class={title === 'PID' ? 'wide number' : 'wide'} role="columnheader">{title}</th>)}
          </tr>
        </thead>
        <tbody
          role="rowgroup" onPointerEnter={() => holdOrder('pointer', true)} onPointerLeave={() => holdOrder('pointer', false)}
          onFocusIn={() => holdOrder('focus', true)} onFocusOut={() => holdOrder('focus', false)}
        >
          {rows.map((row) => <Row key={row.name} row={row} isSelected={selected.value === row.name} isMarked={marked.value.has(row.name)} />)}
        </tbody>
      </table>
    </main>
  );
}

function Row({ row, isSelected, isMarked }: { readonly row: UnitRow; readonly isSelected: boolean; readonly isMarked: boolean }): JSX.Element {
  // The same element again is not looked at: a change of one unit costs one row.
  return useMemo(
    () => (
      <tr
        role="row" id={`row-${row.name}`} class={`${isSelected ? 'selected ' : ''}${isMarked ? 'marked' : ''}`} aria-selected={isSelected}
        onClick={() => (selected.value = row.name)} onDblClick={() => go('unit', row.name)}
      >
        <td role="cell" class="tick"><input type="checkbox" aria-label={`Mark ${row.name}`} checked={isMarked} onChange={() => mark(row.name)} /></td>
        <td role="cell"><a href={linkTo('unit', row.name)}>{row.name}</a>{row.kind === 'cron' && <span class="tag">cron</span>}</td>
        <td role="cell"><State row={row} /></td>
        <td role="cell"><Age at={sinceOf(row)} /></td>
        <td role="cell" class={row.restarts === 0 ? 'number none' : 'number'}>{row.restarts}</td>
        <td role="cell"><span class={`pill h-${row.health}`}>{row.health}</span></td>
        <td role="cell" class={row.cpu === undefined ? 'number none' : 'number'}>{row.cpu === undefined ? '-' : `${row.cpu.toFixed(1)}%`}</td>
        <td role="cell" class={row.rss === undefined ? 'number none' : 'number'}>{row.rss === undefined ? '-' : bytes(row.rss)}</td>
        <td role="cell" class="wide number">{row.pid ?? '-'}</td>
        <td role="cell" class="wide">{row.last_exit}</td>
        <td role="cell" class="wide command"><code>{row.command}</code></td>
      </tr>
    ),
    [row, isSelected, isMarked],
  );
}

/** The state with its mark, what it waits for, and how long until the next try or run. */
export function State({ row }: { readonly row: UnitRow }): JSX.Element {
  const { state, glyph, text, next_at: next, ordered: command, rollout } = row;
  return (
    <span class={`state s-${state}`}>
      <span aria-hidden="true" class="glyph">{glyph}</span>{' '}
      {text}
      {(state === 'backoff' || state === 'waiting') && next !== undefined && <> <Left at={next} /></>}
      {command !== undefined && <span class="tag">{command} ordered</span>}
      {rollout !== undefined && !text.startsWith('rollout') && <span class="tag">rollout: {rollout.step}</span>}
    </span>
  );
}

export function Age({ at }: { readonly at: string | undefined }): JSX.Element {
  return <>{at === undefined ? '-' : <time dateTime={at} title={new Date(at).toLocaleString()}>{span((now.value - Date.parse(at)) / 1000)}</time>}</>;
}

export function Left({ at }: { readonly at: string }): JSX.Element {
  const left = (Date.parse(at) - now.value) / 1000;
  return <time dateTime={at}>{left > 0 ? span(Math.ceil(left)) : 'now'}</time>;
}
