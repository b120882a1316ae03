import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import type { Projects } from '../project-routes.ts';
import { useFetched } from './fetched.ts';
import { now } from './live.ts';
import { linkToProject, project, route } from './router.ts';
import { Rows } from './rows.tsx';
import { get } from './server.ts';


/** The server shows all projects of the user. */
export const every = signal(false);

/** The only project that is shown; null: several are, or the supervisor has none. */
const only = signal<string | null>(null);

/** The project that the page shows; null: the supervisor has none, or it is not known yet. */
export function shownProject(): string | null {
  return project ?? only.value;
}

const AGAIN_MS = 5000;

/** Has the address name the first project where the server shows all of them and the address names none. False: the page loads once more for it. */
export async function choose(): Promise<boolean> {
  try {
    const { every: isEvery, projects: [first] } = await get<Projects>('/projects');
    every.value = isEvery;
    if (!isEvery && first !== undefined && first.name !== '-') only.value = first.name;
    if (!isEvery || project !== null || first === undefined) return true;
    location.replace(linkToProject(first.name, ...route.value));
    return false;
  } catch {
    // The stream of events says what is wrong.
    return true;
  }
}

function useProjects(): Projects['projects'] {
  const { data } = useFetched<Projects>(every.value ? '/projects' : null, Math.floor(now.value / AGAIN_MS));
  return data?.projects ?? [];
}

/** Which project the page shows. */
export function Choice(): JSX.Element | null {
  const projects = useProjects();
  if (only.value !== null) return <b>{only.value}</b>;
  if (!every.value || project === null) return null;
  const isThere = projects.some(({ name }) => name === project);
  return (
    <label class="choice">
      <span class="hidden">Project</span>
      <select id="project" value={project} onChange={({ currentTarget }) => (location.hash = linkToProject(currentTarget.value))}>
        {!isThere && <option value={project}>{titleOf(project)}</option>}
        {projects.map(({ name, health }) => <option key={name} value={name}>{titleOf(name)}: {health ?? 'no supervisor'}</option>)}
      </select>
    </label>
  );
}

/** All projects together. */
export function ProjectsPage(): JSX.Element {
  const projects = useProjects();
  return (
    <main>
      <h1>Projects</h1>
      <Rows
        label="All projects"
        class="projects"
        columns={{ Project: null, Health: null, Units: 'number', Running: 'number', File: null }}
        rows={projects.map(({ name, health, units, running, config, problem }) => ({
          key: name,
          cells: [
            <a href={linkToProject(name)} aria-current={name === project ? 'true' : undefined}>{titleOf(name)}</a>,
            health === null ? <span class="pill h-failing">{problem}</span> : <span class={`pill h-${health}`}>{health}</span>,
            units,
            running,
            <code>{config ?? '-'}</code>,
          ],
        }))}
      />
    </main>
  );
}

function titleOf(name: string): string {
  return name === '-' ? 'without a project' : name;
}
