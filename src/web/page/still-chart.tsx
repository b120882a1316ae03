import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { JournalRecord } from '../../wire/payloads.ts';
import { showAt, useDrawn } from './chart.tsx';

/** A chart at one moment of a rehearsal: the state after a record, and the arrows that led there. */
export function StillChart({ machine, last }: {
  readonly machine: string;
  readonly last: (JournalRecord & { readonly arrows?: readonly string[] }) | null;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const drawn = useDrawn(machine, frame);
  useEffect(() => {
    if (drawn === null) return;
    const name = last?.to ?? 'stopped';
    const ids = [...drawn.nodes.keys()].filter((id) => id === name || id.endsWith(`.${name}`)).toSorted((one, other) => one.length - other.length);
    showAt(drawn, ids.slice(0, 1), last?.arrows?.at(-1) ?? null);
  }, [drawn, last?.seq]);
  return (
    <figure class="chart">
      <div ref={frame} class="picture whole" role="group" tabIndex={0} aria-label={`State chart, in ${last?.to ?? 'stopped'}`} />
    </figure>
  );
}
