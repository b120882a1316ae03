import type { JSX, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MarkedChart } from '../chart-routes.ts';
import { picture } from './server.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import { counted } from './words.ts';

export type ChartMarks = Omit<MarkedChart, 'machine'>;

interface Props {
  readonly machine: string;
  readonly marks: ChartMarks | null;
  readonly name: string;
  /** An arrow was chosen, by its title; null: none. */
  readonly onArrow?: (title: string | null) => void;
  readonly chosen?: string | null;
}

const MOST_ENLARGED = 1.25;
const MOVE_MS = 700;
const MOST_MOVES = 8;
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const pictures = new Map<string, Promise<string>>();

/** The picture of a machine, once it was put into the frame; each is fetched once. */
function useDrawn(machine: string, frame: RefObject<HTMLDivElement | null>): Drawn | null {
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const known = pictures.get(machine) ?? picture(machine);
    pictures.set(machine, known);
    known.then((svg) => {
      if (isCurrent && frame.current !== null) setDrawn(put(frame.current, svg));
    }, () => void pictures.delete(machine));
    return () => {
      isCurrent = false;
    };
  }, [machine]);
  return drawn;
}

/** The picture of a machine, with the present state marked, arrows as thick as they were often taken, and each new step moving along its arrows. */
export function Chart({ machine, marks, name, onArrow, chosen = null }: Props): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const drawn = useDrawn(machine, frame);
  const [isWhole, setWhole] = useState(true);
  const lastSeq = useRef<number | null>(null);
  useEffect(() => void (lastSeq.current = null), [machine]);
  useEffect(() => {
    if (drawn === null || marks === null) return;
    const from = lastSeq.current;
    const fresh = from === null ? [] : marks.steps.filter(({ seq }) => seq > from);
    lastSeq.current = marks.steps.at(-1)?.seq ?? 0;
    weigh(drawn, marks, onArrow);
    void move(drawn, fresh.flatMap(({ arrows }) => arrows).slice(-MOST_MOVES)).then(() => show(drawn, marks.present));
  }, [drawn, marks]);
  useEffect(() => {
    for (const [title, element] of drawn?.arrows ?? []) element.classList.toggle('chosen', title === chosen);
  }, [drawn, chosen]);
  return (
    <figure class="chart">
      <div
        ref={frame} class={isWhole ? 'picture whole' : 'picture'} role="group" tabIndex={0}
        aria-label={`State chart of ${name}, in ${marks?.present.map((id) => id.split('.').at(-1)).join(' and ') || 'no known state'}`}
      />
      <button class="size" aria-pressed={!isWhole} onClick={() => setWhole(!isWhole)}>{isWhole ? 'Full size' : 'Fit'}</button>
    </figure>
  );
}

export interface Drawn {
  readonly svg: SVGSVGElement;
  readonly nodes: ReadonlyMap<string, SVGGElement>;
  readonly arrows: ReadonlyMap<string, SVGGElement>;
}

/** Takes in a picture of Graphviz: what is drawn is known by its titles. */
export function put(frame: HTMLElement, text: string): Drawn | null {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (!(parsed instanceof SVGSVGElement)) return null;
  const svg = document.importNode(parsed, true);
  frame.replaceChildren(svg);
  const titled = (kind: string): Map<string, SVGGElement> => new Map([...svg.querySelectorAll<SVGGElement>(`g.${kind}`)].map((element) => {
    const title = element.querySelector('title');
    const text = title?.textContent ?? '';
    title?.remove();
    return [kind === 'cluster' ? text.replace(/^cluster_/, '') : text, element];
  }));
  const [clusters, nodes, arrows] = [titled('cluster'), titled('node'), titled('edge')];
  svg.querySelector('g.graph > title')?.remove();
  svg.querySelector('g.graph > polygon')?.remove();
  // A small machine is not blown up.
  svg.style.maxWidth = `${Number.parseFloat(svg.getAttribute('width') ?? '0') * MOST_ENLARGED}pt`;
  return { svg, nodes: new Map([...clusters, ...nodes]), arrows };
}

/** Marks the present states. */
function show({ nodes }: Drawn, present: readonly string[]): void {
  for (const [id, element] of nodes) {
    const isPresent = present.includes(id);
    element.classList.toggle('present', isPresent);
    element.classList.add(`at-${id.split('.').at(-1)}`);
    if (isPresent) element.setAttribute('aria-current', 'true');
    else element.removeAttribute('aria-current');
  }
}

/** Each arrow says what leads along it; those that were taken are drawn the thicker the more often, with their count. */
function weigh({ arrows }: Drawn, { counts: taken, arrows: shown }: ChartMarks, onArrow: Props['onArrow']): void {
  const counts = new Map(taken.map(({ title, count }) => [title, count]));
  for (const { title, lines } of shown) {
    const element = arrows.get(title);
    const path = element?.querySelector('path');
    if (element === undefined || path == null) continue;
    const count = counts.get(title) ?? 0;
    describe(element, `${wayText(title)}: ${lines.join('; ') || 'at once'}${count === 0 ? '' : `, taken ${counted(count, 'time')}`}`);
    if (count > 0) showCount(element, path, count);
    if (onArrow === undefined) continue;
    makeActive(element, 'button', () => onArrow(title));
  }
}

/** An element of a picture acts as a button or a link does, which a blank does not follow. */
export function makeActive(element: SVGGElement, role: 'button' | 'link', act: () => void): void {
  element.setAttribute('role', role);
  element.setAttribute('tabindex', '0');
  element.onclick = act;
  element.onkeydown = (event) => {
    if (event.key !== 'Enter' && (event.key !== ' ' || role === 'link')) return;
    event.preventDefault();
    act();
  };
}

/** `idle.stopped->idle.waiting` → `stopped → waiting`. */
export function wayText(title: string): string {
  return title.split('->').map((id) => id.split('.').at(-1)).join(' → ');
}

function describe(element: SVGGElement, text: string): void {
  const title = element.querySelector('title') ?? element.insertBefore(document.createElementNS(SVG, 'title'), element.firstChild);
  title.textContent = text;
  element.setAttribute('aria-label', text);
}

function showCount(element: SVGGElement, path: SVGPathElement, count: number): void {
  element.classList.add('taken');
  path.style.strokeWidth = `${Math.min(6, 1.2 + Math.log2(count + 1) * 0.8)}px`;
  const middle = path.getPointAtLength(path.getTotalLength() / 2);
  const label = element.querySelector('text.count') ?? element.appendChild(document.createElementNS(SVG, 'text'));
  label.setAttribute('class', 'count');
  label.setAttribute('x', String(middle.x + 3));
  label.setAttribute('y', String(middle.y - 3));
  label.textContent = `×${count}`;
}

const SVG = 'http://www.w3.org/2000/svg';

/** A dot runs along each arrow, one after the other. */
async function move({ svg, arrows }: Drawn, titles: readonly string[]): Promise<void> {
  for (const title of titles) {
    const element = arrows.get(title);
    const path = element?.querySelector('path');
    if (element === undefined || path == null) continue;
    element.classList.add('moving');
    if (!calm.matches && !document.hidden) await run(svg, path, MOVE_MS / Math.max(1, titles.length / 3));
    setTimeout(() => element.classList.remove('moving'), 900);
  }
}

function run(svg: SVGSVGElement, path: SVGPathElement, lastsMs: number): Promise<void> {
  const dot = document.createElementNS(SVG, 'circle');
  dot.setAttribute('class', 'traveller');
  dot.setAttribute('r', '5');
  path.parentElement?.append(dot);
  const length = path.getTotalLength();
  const began = performance.now();
  return new Promise((done) => {
    const frame = (at: number): void => {
      const share = Math.min(1, Math.max(0, (at - began) / lastsMs));
      const point = path.getPointAtLength(length * share);
      dot.setAttribute('cx', String(point.x));
      dot.setAttribute('cy', String(point.y));
      if (share < 1 && svg.isConnected && !document.hidden) requestAnimationFrame(frame);
      else {
        dot.remove();
        done();
      }
    };
    requestAnimationFrame(frame);
  });
}

/** A chart at one moment of a rehearsal: the state after a record, and the arrows that led there. */
export function StillChart({ machine, last }: {
  readonly machine: string;
  readonly last: (JournalRecord & { readonly arrows?: readonly string[]; readonly in_chart?: string }) | null;
}): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const drawn = useDrawn(machine, frame);
  const name = last?.in_chart ?? (machine === 'job' ? 'waiting' : 'stopped');
  useEffect(() => {
    if (drawn === null) return;
    const ids = [...drawn.nodes.keys()].filter((id) => id === name || id.endsWith(`.${name}`)).toSorted((one, other) => one.length - other.length);
    show(drawn, ids.slice(0, 1));
    for (const [title, element] of drawn.arrows) element.classList.toggle('moving', title === last?.arrows?.at(-1));
  }, [drawn, last?.seq]);
  return (
    <figure class="chart">
      <div ref={frame} class="picture whole" role="group" tabIndex={0} aria-label={`State chart, in ${name}`} />
    </figure>
  );
}
