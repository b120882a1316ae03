import { render, type JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Dialogs, Tickets } from './acts.tsx';
import { announcement } from './announce.ts';
import { focusOn, keepFocus } from './focus.ts';
import { DependencyGraph } from './graph.tsx';
import { Help, HelpButton, listen } from './keys.tsx';
import { connection, followWhileSeen, gone, head, readOnly, tick } from './live.ts';
import { Choice, choose, every, ProjectsPage, shownProject } from './projects.tsx';
import { Rehearse } from './rehearse.tsx';
import { linkTo, route, scrollToPlace } from './router.ts';
import { SupervisorPage } from './supervisor.tsx';
import { Table } from './table.tsx';
import { Unit } from './unit.tsx';

const PAGES = [['', 'Units'], ['graph', 'Dependencies'], ['rehearse', 'Rehearse'], ['supervisor', 'Supervisor']] as const;

function Page(): JSX.Element {
  const [page = '', name = '', part = ''] = route.value;
  const title = name === '' ? (PAGES.find(([path]) => path === page)?.[1] ?? (page === 'projects' ? 'Projects' : '')) : name;
  const shown = useRef<readonly [page: string, name: string]>([page, name]);
  useLayoutEffect(() => {
    scrollToPlace();
    const [pageBefore, nameBefore] = shown.current;
    if (pageBefore === page && nameBefore === name) return;
    shown.current = [page, name];
    // Who comes back to the table is at the unit that was looked at.
    const place = (page === '' && pageBefore === 'unit' && document.getElementById(`row-${nameBefore}`)?.querySelector('a')) || document.querySelector('h1');
    if (place instanceof HTMLElement) focusOn(place);
  }, [page, name]);
  document.title = [title, shownProject() ?? '', 'sysg'].filter((part) => part !== '' && part !== '-').join(' · ');
  return (
    <>
      <header>
        <a class="brand" href={linkTo()}>sysg</a>
        <Choice />
        <nav aria-label="Pages">
          {[...PAGES, ...(every.value ? [['projects', 'Projects'] as const] : [])].map(([path, word]) => (
            <a key={path} href={linkTo(path)} aria-current={page === path || (path === '' && page === 'unit') ? 'page' : undefined}>{word}</a>
          ))}
        </nav>
        <p class="whole"><Whole />{readOnly.value && <span class="pill">read-only</span>}</p>
        <HelpButton />
        {connection.value === 'full' && (
          <p class="notice" role="alert">
            sysg web sends what happens to a limited number of pages and logs at a time, and all places are taken. This page goes on by itself when another one is closed.
          </p>
        )}
        {gone.value !== null && <p class="notice" role="alert">{gone.value}. What is shown is of before.</p>}
      </header>
      {contentOf(page, name, part)}
      <p class="hidden" role="status">{announcement}</p>
      <Tickets />
      <Dialogs />
      <Help />
    </>
  );
}

function contentOf(page: string, name: string, part: string): JSX.Element {
  switch (page) {
    case 'unit': return <Unit key={name} name={name} part={part} />;
    case 'graph': return <DependencyGraph />;
    case 'rehearse': return <Rehearse first={name === '' ? null : name} />;
    case 'projects': return <ProjectsPage />;
    case 'supervisor': return <SupervisorPage />;
    default: return <Table />;
  }
}

/** How all of it is, or why that is not known. */
function Whole(): JSX.Element | null {
  const failing = (text: string, role?: 'alert'): JSX.Element => <span class="pill h-failing" role={role}>{text}</span>;
  if (connection.value === 'locked') return failing('sysg web was started anew: open the address that it printed', 'alert');
  if (connection.value === 'full') return failing('too many pages are open');
  if (connection.value === 'lost') return failing('no connection to sysg web', 'alert');
  if (gone.value !== null) return failing('no supervisor answers');
  if (head.value === null) return null;
  const { health, supervisor } = head.value;
  return <span class={`pill h-${health}`}>{health}{supervisor === 'serving' ? '' : `, ${supervisor}`}</span>;
}

async function begin(): Promise<void> {
  if (!await choose()) return;
  listen();
  followWhileSeen();
  tick();
  keepFocus();
  const place = document.getElementById('page');
  if (place !== null) render(<Page />, place);
}

void begin();
