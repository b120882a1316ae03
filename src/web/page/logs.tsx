import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { LogLine } from '../unit-logs.ts';
import { makeGather } from './gather.ts';
import { addressOf, refusalOf } from './server.ts';
import { keepOpen, whileSeen } from './stream.ts';
import { clock, plain } from './words.ts';

const MOST_LINES = 3000;
const GATHER_MS = 250;

/** The output of a unit as it comes. Lines are put into the page by hand: thousands of them are not looked at again for each that comes. */
export function Logs({ unit }: { readonly unit: string }): JSX.Element {
  const [stream, setStream] = useState('all');
  const [search, setSearch] = useState('');
  const [isPaused, setPaused] = useState(false);
  const [isFollowing, setFollowing] = useState(true);
  const [waiting, setWaiting] = useState(0);
  const [refusal, setRefusal] = useState<string | null>(null);
  const view = useRef<HTMLDivElement>(null);
  const held = useRef<LogLine[]>([]);
  /** What comes next takes the place of what is shown. */
  const isAnew = useRef(false);
  const now = useRef({ search, isPaused, isFollowing });
  now.current = { search, isPaused, isFollowing };

  const path = `/units/${encodeURIComponent(unit)}/logs/stream`;

  const append = (lines: readonly LogLine[]): void => {
    const box = view.current;
    if (box === null) return;
    if (isAnew.current) box.replaceChildren();
    isAnew.current = false;
    const wanted = now.current.search.toLowerCase();
    box.append(...lines.slice(-MOST_LINES).map((line) => lineElement(line, wanted)));
    while (box.childElementCount > MOST_LINES) box.firstElementChild?.remove();
    if (now.current.isFollowing) requestAnimationFrame(() => box.scrollTo({ top: box.scrollHeight }));
  };
  const [fresh] = useState(() => makeGather<LogLine>((lines) => taken.current(lines), { most: MOST_LINES, withinMs: GATHER_MS }));
  const taken = useRef(append);
  taken.current = (lines) => {
    if (!now.current.isPaused) return append(lines);
    held.current = [...held.current, ...lines].slice(-MOST_LINES);
    return setWaiting(held.current.length);
  };
  const listen = (last: number): EventSource => {
    const source = new EventSource(addressOf(`${path}?stream=${stream}&lines=${last}`));
    let isFirst = true;
    source.onopen = () => {
      setRefusal(null);
      isFirst = true;
    };
    source.addEventListener('lines', ({ data }: MessageEvent<string>) => {
      const lines = JSON.parse(data) as LogLine[];
      // After a connection that broke the last lines come once more.
      if (isFirst) {
        isAnew.current = true;
        held.current = [];
        fresh.clear();
      }
      isFirst = false;
      if (isAnew.current && !now.current.isPaused) append(lines);
      else fresh.add(lines);
    });
    return source;
  };
  useEffect(() => {
    view.current?.replaceChildren();
    held.current = [];
    setWaiting(0);
    let lines = 500;
    const next = (): EventSource => {
      const source = listen(lines);
      lines = MOST_LINES;
      return source;
    };
    // Who reads further up, or has halted the log, finds the place again.
    const rest = whileSeen(() => keepOpen(next, async (stopped) => {
      const found = await refusalOf(path, stopped);
      setRefusal(found?.detail ?? null);
      return found === null;
    }), () => now.current.isFollowing && !now.current.isPaused);
    return () => {
      rest();
      fresh.clear();
    };
  }, [unit, stream]);
  useEffect(() => {
    const wanted = search.toLowerCase();
    for (const line of view.current?.children ?? [])
      if (line instanceof HTMLElement) line.hidden = !(line.textContent ?? '').toLowerCase().includes(wanted);
  }, [search]);
  const resume = (): void => {
    setPaused(false);
    append(held.current.splice(0));
    setWaiting(0);
  };
  return (
    <section class="panel" aria-label="Logs">
      <div class="bar small">
        <h2>Logs</h2>
        <select aria-label="Stream" value={stream} onChange={({ currentTarget }) => setStream(currentTarget.value)}>
          <option value="all">both streams</option><option>stdout</option><option>stderr</option>
        </select>
        <input type="search" aria-label="Search the logs" placeholder="search" value={search} onInput={({ currentTarget }) => setSearch(currentTarget.value)} />
        <button aria-pressed={isPaused} onClick={() => (isPaused ? resume() : setPaused(true))}>
          {isPaused ? `Resume (${waiting} waiting)` : 'Pause'}
        </button>
        <button aria-pressed={isFollowing} onClick={() => {
          setFollowing(!isFollowing);
          if (!isFollowing) view.current?.scrollTo({ top: view.current.scrollHeight });
        }}>Follow</button>
        <a class="button" href={addressOf(`/units/${encodeURIComponent(unit)}/logs?stream=${stream}&lines=20000&download=1`)} download>Download</a>
      </div>
      {refusal !== null && <p role="alert">{refusal}</p>}
      <div ref={view} class="lines" role="log" aria-label={`Output of ${unit}`} aria-live="off" tabIndex={0} />
    </section>
  );
}

function lineElement({ at, stream, line }: LogLine, wanted: string): HTMLElement {
  const element = document.createElement('div');
  element.className = stream;
  const time = document.createElement('time');
  time.textContent = at === null ? '' : `${clock(at, true)} `;
  const text = document.createElement('span');
  text.textContent = plain(line);
  element.append(time, text);
  element.hidden = !(element.textContent ?? '').toLowerCase().includes(wanted);
  return element;
}
