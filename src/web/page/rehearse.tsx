import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JournalRecord } from '../../wire/payloads.ts';
import { eventOf, faultKinds, kindOf, type Fault, type FaultKind } from './faults.ts';
import { shownProject } from './projects.tsx';
import { failureText, post } from './server.ts';
import { naturally, ordered } from './sorting.ts';
import { StillChart } from './chart.tsx';
import { Legend, Records, stretchesOf } from './timeline.tsx';
import { counted, offset } from './words.ts';

interface Outcome { readonly restarts: number; readonly downtime_ms: number; readonly phase: string; readonly starts: number; readonly reason?: string }
interface Result {
  readonly start_ms: number; readonly lasted_ms: number; readonly ended_by: string; readonly warnings: readonly string[];
  readonly units: Readonly<Record<string, Outcome>>; readonly events: readonly (JournalRecord & { readonly arrows: readonly string[]; readonly in_chart?: string })[];
}

const SPANS = [['30s', 30_000], ['2m', 120_000], ['10m', 600_000], ['1h', 3_600_000]] as const;
const STEP_MS = 500;
const PLAY_SECONDS = 12;

/**
 * Faults are dropped on a time line, the real machines run through it on a virtual clock, and the states are scrubbed through. Nothing is started.
 */
export function Rehearse({ first }: { readonly first: string | null }): JSX.Element {
  const all = ordered.value;
  const shown = shownProject();
  const [unit, setUnit] = useState<string | null>(null);
  // What is first at first: the order of the units moves with their health.
  const begun = useRef(first);
  begun.current ??= all[0]?.name ?? null;
  const subject = unit ?? begun.current;
  const [kind, setKind] = useState<FaultKind>('exit');
  const [faults, setFaults] = useState<readonly Fault[]>([]);
  const [span, setSpan] = useState<(typeof SPANS)[number]>(SPANS[1]);
  const [result, setResult] = useState<Result | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [atMs, setAt] = useState(0);
  const [isPlaying, setPlaying] = useState(false);
  const ids = useRef(0);
  const names = [...all].map(({ name }) => name).toSorted((one, other) => (one === subject ? -1 : other === subject ? 1 : naturally.compare(one, other)));

  const rehearse = (wanted: readonly Fault[], lasts: string): void => {
    post<Result>('/simulate', { events: wanted.map(eventOf), for: lasts }).then((found) => {
      setResult(found);
      setError(null);
    }, (failed: unknown) => setError(failureText(failed)));
  };
  // Each change is rehearsed anew: it takes milliseconds.
  useEffect(() => {
    if (all.length > 0) rehearse(faults, span[0]);
  }, [faults, span, all.length > 0]);
  useEffect(() => {
    if (!isPlaying) return undefined;
    let [frame, last] = [0, performance.now()];
    const tick = (now: number): void => {
      const stepMs = ((now - last) / 1000 / PLAY_SECONDS) * span[1];
      last = now;
      setAt((before) => {
        if (before + stepMs >= span[1]) setPlaying(false);
        return Math.min(span[1], before + stepMs);
      });
      frame = requestAnimationFrame(tick);
    };
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [isPlaying, span]);

  const drop = (target: string, ms: number): void => setFaults([...faults, { id: (ids.current += 1), unit: target, atMs: ms, kind }]);
  const move = (id: number, ms: number): void =>
    setFaults(faults.map((fault) => (fault.id === id ? { ...fault, atMs: Math.min(span[1], Math.max(0, ms)) } : fault)));
  const momentAt = (lane: Element, clientX: number): number => {
    const box = lane.getBoundingClientRect();
    return Math.round((Math.min(1, Math.max(0, (clientX - box.left) / box.width)) * span[1]) / STEP_MS) * STEP_MS;
  };
  const share = (ms: number): number => Math.min(100, Math.max(0, (ms / span[1]) * 100));
  const events = result?.events ?? [];
  const startMs = result?.start_ms ?? 0;
  const before = events.filter(({ at }) => Date.parse(at) - startMs <= atMs);
  const outcome = subject === null ? undefined : result?.units[subject];

  return (
    <main class="rehearse">
      <h1>Rehearse</h1>
      <p>
        What would happen if? Choose a fault and click on the line of a unit at the moment when it happens. The real machines run through it on a
        virtual clock; nothing is started or stopped.
      </p>
      <div class="bar">
        <Choice label="Unit" value={subject ?? ''} words={names.toSorted(naturally.compare).map((name) => [name, name])} onChoose={setUnit} />
        <Choice label="Fault" value={kind} words={faultKinds.map((each) => [each.kind, each.label])} onChoose={(word) => setKind(word as FaultKind)} />
        <button disabled={subject === null} onClick={() => subject !== null && drop(subject, Math.round(atMs / STEP_MS) * STEP_MS)}>
          Add at {offset(atMs)}
        </button>
        <Choice label="For" value={span[0]} words={SPANS.map(([word]) => [word, word])} onChoose={(chosen) => setSpan(SPANS.find(([word]) => word === chosen) ?? SPANS[1])} />
        <button disabled={faults.length === 0} onClick={() => setFaults([])}>Clear</button>
      </div>
      {error !== null && <p role="alert">{error}</p>}
      <section class="panel" aria-label="Time line">
        <div class="lanes">
          {names.map((name) => (
            <div key={name} class="lane-row">
              <button class={`link ${name === subject ? 'own' : ''}`} onClick={() => setUnit(name)}>{name}</button>
              <div class="lane" onClick={({ currentTarget, clientX, target }) => {
                if (target instanceof Element && target.closest('.fault') === null) drop(name, momentAt(currentTarget, clientX));
              }}>
                {stretchesOf(events, name, startMs + span[1]).map(({ fromMs, toMs, state, record }) => {
                  const [left, right] = [share(fromMs - startMs), share(toMs - startMs)];
                  const style = { left: `${left}%`, width: `${Math.max(0.15, right - left)}%` };
                  return <i key={record.seq} class={`p-${state}`} title={`${state} at ${offset(fromMs - startMs)}`} style={style} />;
                })}
                {faults.filter((fault) => fault.unit === name).map((fault) => {
                  const { label, mark } = kindOf(fault.kind);
                  const remove = (): void => setFaults(faults.filter(({ id }) => id !== fault.id));
                  return (
                    <button
                      key={fault.id} class="fault" style={{ left: `${share(fault.atMs)}%` }} title={`${label} at ${offset(fault.atMs)}`}
                      aria-label={`${name} ${label} at ${offset(fault.atMs)}; arrow keys move it, Delete removes it`} onDblClick={remove}
                      onKeyDown={(event) => {
                        const by = { ArrowLeft: -STEP_MS, ArrowRight: STEP_MS }[event.key];
                        if (by !== undefined) move(fault.id, fault.atMs + by);
                        if (event.key === 'Delete' || event.key === 'Backspace') remove();
                        if (by !== undefined) event.preventDefault();
                      }}
                      onPointerDown={({ currentTarget, pointerId }) => currentTarget.setPointerCapture(pointerId)}
                      onPointerMove={({ currentTarget, pointerId, clientX }) => {
                        const lane = currentTarget.parentElement;
                        if (currentTarget.hasPointerCapture(pointerId) && lane !== null) move(fault.id, momentAt(lane, clientX));
                      }}
                    >{mark}</button>
                  );
                })}
                <i class="cursor" style={{ left: `${share(atMs)}%` }} />
              </div>
            </div>
          ))}
        </div>
        <div class="lane-row scrub">
          <button onClick={() => {
            if (atMs >= span[1]) setAt(0);
            setPlaying(!isPlaying);
          }}>{isPlaying ? 'Pause' : 'Play'}</button>
          <input
            type="range" aria-label="Moment" aria-valuetext={offset(atMs)} min="0" max={span[1]} step="50" value={atMs}
            onInput={({ currentTarget }) => setAt(Number(currentTarget.value))}
          />
        </div>
        <Legend />
        <p class="faint">At {offset(atMs)}. A mark is dragged, moved with the arrow keys, and removed by a double click or Delete.</p>
      </section>
      {subject !== null && result !== null && (
        <div class="columns">
          <section class="panel" aria-label="State chart at the moment"><h2>{subject} at {offset(atMs)}</h2>
            <StillChart
              machine={all.find(({ name }) => name === subject)?.kind === 'cron' ? 'job' : 'service'}
              last={before.findLast((record) => record.unit === subject && record.to !== undefined) ?? null}
            />
          </section>
          <div>
            <section class="panel" aria-live="polite"><h2>What becomes of it</h2>
              {outcome !== undefined && (
                <p>
                  <b class={`state s-${outcome.phase}`}>{outcome.phase}</b> in the end, {counted(outcome.restarts, 'restart')},{' '}
                  {counted(outcome.starts, 'start')}, down {offset(outcome.downtime_ms)}{outcome.reason !== undefined && `: ${outcome.reason}`}.
                </p>
              )}
              {result.ended_by === 'supervisor' && <p role="alert">The supervisor ends itself after {offset(result.lasted_ms)}.</p>}
              {result.warnings.length > 0 && (
                <><h3>Worth a thought</h3><ul>{result.warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul></>
              )}
              <p class="faint">
                The same in a terminal:{' '}
                <code>
                  sysg {shown === null ? '' : shown === '-' ? '--project= ' : `-p ${shown} `}simulate{' '}
                  {faults.map((fault) => `--event '${eventOf(fault)}'`).join(' ')} --for {span[0]}
                </code>
              </p>
            </section>
            <section class="panel"><h2>Up to {offset(atMs)}</h2><Records records={before.slice(-60)} sinceMs={startMs} /></section>
          </div>
        </div>
      )}
    </main>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly words: readonly (readonly [value: string, shown: string])[];
  onChoose(value: string): void;
}

function Choice({ label, value, words, onChoose }: ChoiceProps): JSX.Element {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ currentTarget }) => onChoose(currentTarget.value)}>
        {words.map(([word, shown]) => <option key={word} value={word}>{shown}</option>)}
      </select>
    </label>
  );
}
