import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { UnitRow } from '../unit-row.ts';
import { makeActive, put, type Drawn } from './chart.tsx';
import { useFetched } from './fetched.ts';
import { units } from './live.ts';
import { go, linkTo } from './router.ts';
import { ordered } from './sorting.ts';
import { State } from './table.tsx';

interface Graph { readonly svg: string; readonly needs: readonly { readonly unit: string; readonly needs: readonly string[] }[] }

/** The units with their phases, what they need of each other, and who waits for whom. */
export function DependencyGraph(): JSX.Element {
  const { data, error } = useFetched<Graph>('/graph', [...units.value.keys()].join('\n'));
  const frame = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  useEffect(() => {
    if (data !== null && frame.current !== null) setDrawn(put(frame.current, data.svg));
  }, [data?.svg]);
  useEffect(() => {
    for (const [name, element] of drawn?.nodes ?? []) {
      const row = units.value.get(name);
      element.setAttribute('class', `node s-${row?.state ?? 'unknown'}`);
      const words = [...element.querySelectorAll('text')].map(({ textContent }) => textContent?.trim()).join(' ');
      element.setAttribute('aria-label', `${words}, ${row?.text ?? 'not known to the supervisor'}`);
      makeActive(element, 'link', () => go('unit', name));
    }
    for (const [title, element] of drawn?.arrows ?? []) {
      const [from = '', to = ''] = title.split('->');
      element.classList.toggle('waiting', units.value.get(from)?.waits_for?.some(({ unit }) => unit === to) === true);
    }
  }, [drawn, units.value]);
  const alone = drawn === null ? [] : ordered.value.filter(({ name }) => !drawn.nodes.has(name));
  const waiting = ordered.value.filter(({ waits_for: waits = [] }) => waits.length > 0);
  return (
    <main>
      <h1>Dependencies</h1>
      {error !== null && <p role="alert">{error}</p>}
      <div class="picture graph" ref={frame} hidden={drawn?.nodes.size === 0} role="group" tabIndex={0} aria-label="Units and what they need; an arrow leads to what is needed" />
      {alone.length > 0 && (
        <section class="panel"><h2>Without dependencies</h2>
          <ul class="alone">{alone.map((row) => <li key={row.name}><a href={linkTo('unit', row.name)}>{row.name}</a> <State row={row} /></li>)}</ul>
        </section>
      )}
      <section class="panel"><h2>Who waits for whom</h2>
        {waiting.length === 0 ? <p class="faint">No unit waits.</p> : (
          <ul>
            {waiting.map(({ name, waits_for: waits = [] }) => (
              <li key={name}><a href={linkTo('unit', name)}>{name}</a> waits for {waits.map(waitText).join('; ')}</li>
            ))}
          </ul>
        )}
      </section>
    </main>
  );
}

function waitText({ unit, condition, lost }: NonNullable<UnitRow['waits_for']>[number]): string {
  return `${unit}${condition === undefined ? '' : ` (${condition})`}${lost === undefined ? '' : `, which will not come by itself: ${lost}`}`;
}
