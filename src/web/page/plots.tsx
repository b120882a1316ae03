import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { JournalRecord } from '../../wire/payloads.ts';
import { brokenAt, type Point } from './breaks.ts';
import { useFetched } from './fetched.ts';
import { now, units } from './live.ts';
import { bytes, clock, moment } from './words.ts';

interface Samples { readonly samples: readonly { readonly at: number; readonly cpu: number; readonly rss: number }[] }

const WINDOWS = [['15m', '15 minutes', 5], ['1h', 'an hour', 15], ['1d', 'a day', 120]] as const;
/** Between two times that are written below a plot: none is shorter than the second to which they are written. */
const STEPS_S = [1, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600];

/** CPU and memory over time, with a line at each start of a process. */
export function Plots({ unit, records }: { readonly unit: string; readonly records: readonly JournalRecord[] }): JSX.Element {
  const [window, setWindow] = useState<(typeof WINDOWS)[number]>(WINDOWS[0]);
  const turn = Math.floor(now.value / 1000 / window[2]);
  const { data, error } = useFetched<Samples>(`/units/${encodeURIComponent(unit)}/metrics?window=${window[0]}`, turn);
  const samples = data?.samples ?? [];
  const present = units.value.get(unit);
  const [first, last] = [samples[0], samples.at(-1)];
  const starts = records.filter((record) => record.unit === unit && record.to === 'spawning').map(({ at }) => Date.parse(at) / 1000)
    .filter((at) => first !== undefined && at * 1000 >= first.at);
  const points = (value: (sample: Samples['samples'][number]) => number): readonly Point<number | null>[] => (
    brokenAt(samples.map((sample) => [sample.at / 1000, value(sample)]), starts));
  return (
    <section class="panel" aria-label="Metrics">
      <div class="bar small">
        <h2>Metrics</h2>
        <div role="group" aria-label="Span">
          {WINDOWS.map((each) => <button key={each[0]} aria-pressed={window === each} onClick={() => setWindow(each)}>{each[1]}</button>)}
        </div>
      </div>
      {error !== null && <p role="alert">{error}</p>}
      {samples.length < 2 ? (
        <p class="faint">
          Not enough samples in this time. They are taken while a client asks for them, and always with a <code>metrics</code> block in the configuration.
        </p>
      ) : (
        <>
          <Plot
            title="CPU, percent of one core" points={points(({ cpu }) => cpu)} starts={starts} format={(value) => `${value.toFixed(1)}%`} tone="cpu"
          />
          <Plot title="Memory" points={points(({ rss }) => rss)} starts={starts} format={bytes} tone="memory" />
          <p class="faint">
            {present?.cpu === undefined ? `At ${moment(last?.at ?? 0)}` : 'Now'} {last?.cpu.toFixed(1)}% and {bytes(last?.rss ?? 0)}; starts in the journal, drawn as lines:{' '}
            {starts.length}.
          </p>
        </>
      )}
    </section>
  );
}

interface PlotProps {
  readonly title: string;
  readonly points: readonly Point<number | null>[];
  readonly starts: readonly number[];
  format(value: number): string;
  readonly tone: 'cpu' | 'memory';
}

function Plot({ title, points, starts, format, tone }: PlotProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const marks = useRef(starts);
  marks.current = starts;
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    // Asked for at each drawing: the theme may change while the page is open.
    const colour = (name: string) => (): string => getComputedStyle(element).getPropertyValue(name).trim();
    const [line, text, grid] = [colour(`--${tone}`), colour('--faint'), colour('--line')];
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } };
    const made = new uPlot(
      {
        width: element.clientWidth || 300, height: 150, cursor: { y: false, drag: { x: false } }, legend: { live: true },
        series: [
          { label: 'at', value: (_, value) => (value === null ? '-' : moment(value * 1000)) },
          { label: title, stroke: line, width: 1.5, fill: () => `color-mix(in srgb, ${line()} 13%, transparent)`, value: (_, value) => (value === null ? '-' : format(value)) },
        ],
        axes: [
          // A label of a time to the second is as wide as that, in pixels.
          { ...axis, space: 80, incrs: STEPS_S, values: (_, values) => values.map((at) => clock(at * 1000).slice(0, (values[1] ?? 0) - (values[0] ?? 0) < 60 ? 8 : 5)) },
          { ...axis, size: 84, values: (_, values) => values.map(format) },
        ],
        // To the present: what has no process by now takes nothing.
        scales: { x: { range: (_, low) => [low, now.peek() / 1000] }, y: { range: (_, _low, high) => [0, Math.max(high * 1.1, 1)] } },
        hooks: { draw: [({ bbox, ctx, valToPos }) => {
          for (const at of marks.current) {
            const x = valToPos(at, 'x', true);
            if (x < bbox.left || x > bbox.left + bbox.width) continue;
            ctx.fillStyle = text();
            ctx.fillRect(x, bbox.top, 1, bbox.height);
          }
        }] },
      },
      [[], []], element,
    );
    plot.current = made;
    const resizer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: 150 }));
    resizer.observe(element);
    return () => {
      resizer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, []);
  const values = points.flatMap(([, value]) => value ?? []);
  useEffect(() => plot.current?.setData([points.map(([at]) => at), points.map(([, value]) => value)]), [points]);
  return <div class="plot" ref={box} role="img" aria-label={`${title}: from ${format(Math.min(...values))} to ${format(Math.max(...values))}`} />;
}
