import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';
import type { ReloadPlan } from '../../wire/payloads.ts';
import { useFetched } from './fetched.ts';
import { now, readOnly, tickets, units } from './live.ts';
import { Rows } from './rows.tsx';
import { failureText, post } from './server.ts';
import { clock, counted } from './words.ts';

export type Verb = 'start' | 'stop' | 'restart' | 'run' | 'signal';

interface Question { readonly title: string; readonly text: string; readonly yes: string; carryOut(): void }

const question = signal<Question | null>(null);
const refusal = signal<string | null>(null);
const isPlanOpen = signal(false);
/** Orders that have had no ticket for a while: the server asks first which units there are, of a supervisor that may not answer. */
const late = signal<readonly { readonly about: string }[]>([]);
const LATE_MS = 1000;

function send(about: string, body: unknown): void {
  const order = { about };
  const timer = setTimeout(() => (late.value = [...late.value, order]), LATE_MS);
  post('/actions', body).then(() => (refusal.value = null), (error: unknown) => (refusal.value = `${about}: ${failureText(error)}`)).finally(() => {
    clearTimeout(timer);
    late.value = late.value.filter((each) => each !== order);
  });
}

function wordsOf(verb: string, names: readonly string[]): string {
  return `${verb} ${names.length > 3 ? `${names.length} units` : names.join(', ')}`;
}

/**
 * Orders something. What ends several units at once is asked about first, and `asks` also what ends one:
 * a key is pressed by mistake sooner than a button.
 */
export function order(verb: Verb, names: readonly string[], { signalName, asks = false }: { readonly signalName?: string; readonly asks?: boolean } = {}): void {
  if (readOnly.value || names.length === 0) return;
  const carryOut = (): void => send(wordsOf(verb, names), { verb, units: names, ...(signalName !== undefined && { signal: signalName }) });
  const isDestructive = verb === 'stop' || verb === 'restart' || verb === 'signal';
  if (!isDestructive || (names.length === 1 && !asks)) return carryOut();
  const [title, yes] = names.length === 1 ? [`${verb} ${names[0]}?`, verb] : [`${verb} ${names.length} units?`, `${verb} them`];
  question.value = { title, text: names.join(', '), yes, carryOut };
}

export function UnitActs({ names }: { readonly names: readonly string[] }): JSX.Element | null {
  if (readOnly.value) return null;
  const rows = names.flatMap((name) => units.value.get(name) ?? []);
  const areCron = rows.length > 0 && rows.every(({ kind }) => kind === 'cron');
  const none = rows.length === 0;
  return (
    <div class="acts" role="group" aria-label="Orders">
      {areCron && <button disabled={none} onClick={() => order('run', names)}>Run now</button>}
      {!areCron && <button disabled={none} onClick={() => order('start', names)}>Start</button>}
      <button disabled={none} onClick={() => order('restart', names)}>Restart</button>
      <button disabled={none} class="danger" onClick={() => order('stop', names)}>Stop</button>
      <select aria-label="Send a signal" disabled={none} value="" onChange={({ currentTarget }) => {
        order('signal', names, { signalName: currentTarget.value });
        currentTarget.value = '';
      }}>
        <option value="" disabled>Signal…</option>
        {['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGKILL'].map((name) => <option key={name}>{name}</option>)}
      </select>
    </div>
  );
}

export function ReloadButton(): JSX.Element | null {
  return readOnly.value ? null : <button onClick={() => (isPlanOpen.value = true)}>Reload…</button>;
}

/** The plan of a reload first, then the reload. Each time it is opened it begins anew: the file is another one by then. */
function PlanDialog(): JSX.Element {
  const { data, error } = useFetched<ReloadPlan>('/plan');
  const changes = data === null ? [] : (['start', 'restart', 'update', 'stop'] as const).flatMap((what) => data[what].map(({ unit, why }) => [what, unit, why]));
  const close = (): void => void (isPlanOpen.value = false);
  return (
    <Dialog title="What a reload would do" onClose={close}>
      {error !== null && <p role="alert">{error}</p>}
      {data !== null && (changes.length === 0 ? <p>Nothing would change.</p> : (
        <Rows label="Changes" columns={{ Does: null, Unit: null, Why: null }} rows={changes.map((cells) => ({ key: cells.join(' '), cells }))} />))}
      {data !== null && <p class="faint">{counted(data.unchanged.length, 'unit')} {data.unchanged.length === 1 ? 'stays as it is' : 'stay as they are'}.</p>}
      <div class="acts"><button onClick={close}>Cancel</button>
        <button class="primary" disabled={data === null} onClick={() => {
          close();
          send('reload', { verb: 'reload' });
        }}>Reload</button></div>
    </Dialog>
  );
}

export function Dialogs(): JSX.Element {
  const asked = question.value;
  const close = (): void => void (question.value = null);
  return (
    <>
      {isPlanOpen.value && <PlanDialog />}
      {asked !== null && (
        <Dialog title={asked.title} onClose={close}>
          <p>{asked.text}</p>
          <div class="acts"><button onClick={close}>Cancel</button><button class="danger" onClick={() => {
            close();
            asked.carryOut();
          }}>{asked.yes}</button></div>
        </Dialog>
      )}
    </>
  );
}

export function Dialog({ title, onClose, children }: { readonly title: string; onClose(): void; readonly children: preact.ComponentChildren }): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { activeElement: before } = document;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus({ preventScroll: true });
    };
  }, []);
  return <dialog ref={element} onClose={onClose} aria-label={title}><h2>{title}</h2>{children}</dialog>;
}

const MARKS = { open: '◐', settled: '✓', failed: '✗' } as const;

/** What became of the last orders; each until it is settled, and a while longer. */
export function Tickets(): JSX.Element {
  const shown = tickets.value.filter(({ ended_at: at, state }) => at === null || now.value - Date.parse(at) < (state === 'failed' ? 60_000 : 8000))
    .slice(-4);
  return (
    <section class="tickets" aria-label="Orders and what became of them" aria-live="polite">
      {refusal.value !== null && (
        <p class="ticket failed"><span aria-hidden="true">✗</span> {refusal.value} <button onClick={() => (refusal.value = null)}>Close</button></p>
      )}
      {late.value.map(({ about }) => <p class="ticket open"><span aria-hidden="true">{MARKS.open}</span> <b>{about}</b> waits for the supervisor to answer…</p>)}
      {shown.map(({ id, state, verb, units: names, message, began_at: at }) => (
        <p key={id} class={`ticket ${state}`}>
          <span aria-hidden="true">{MARKS[state]}</span>{' '}
          <b>{wordsOf(verb, names)}</b>{' '}
          {state === 'open' ? 'under way…' : message}{' '}
          <span class="faint">#{id} {clock(at)}</span>
        </p>
      ))}
    </section>
  );
}
