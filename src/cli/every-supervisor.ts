import { existsSync, readdirSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { runtimePaths, wrongProject } from '../runtime-paths.ts';
import type { Call } from './call.ts';
import { speaker, type Speaker, type Terminal } from './terminal.ts';

/** The calls that mean each supervisor of this user, or with `--sys` of the system, which runs or died: that without a name first, then the projects. */
export function everySupervisor(call: Call): readonly Call[] {
  const { env, system, paths: { projectsDir } } = call;
  const names = attempt(() => readdirSync(projectsDir).filter((name) => wrongProject(name) === null).toSorted(), [], 'ENOENT', 'ENOTDIR');
  const all = [null, ...names].map((project): Call => ({ ...call, paths: runtimePaths({ system, env, project }) }));
  return all.filter(({ paths }) => [paths.pidFile, paths.socket].some((path) => existsSync(path)));
}

/** For people: a supervisor without a project has no name. */
export function projectName({ paths }: Call): string {
  return paths.project ?? '-';
}

/** One command for each supervisor at the same time, each line behind the name of the project; the exit code is the worst. */
export async function forEach(call: Call, command: (call: Call) => Promise<number>): Promise<number> {
  const calls = everySupervisor(call);
  if (calls.length === 0) call.terminal.complain('sysg: no supervisor is running');
  const width = Math.max(0, ...calls.map((one) => projectName(one).length));
  const codes = await Promise.all(calls.map(async (one) => {
    const named = behind(projectName(one).padEnd(width), call);
    const code = await command({ ...one, terminal: named.terminal });
    await named.finish();
    return code;
  }));
  return Math.max(0, ...codes);
}

/** As `forEach`, for a command that prints one object of JSON: prints the list of them, each with its project. */
export async function listEach(call: Call, command: (call: Call) => Promise<number>): Promise<number> {
  const runs = await Promise.all(everySupervisor(call).map(async (one) => {
    const answers: object[] = [];
    const print = (text: string): void => {
      const answer: unknown = JSON.parse(text);
      answers.push({ project: one.paths.project, ...(typeof answer === 'object' && answer) });
    };
    return { code: await command({ ...one, terminal: { ...call.terminal, print } }), answers };
  }));
  call.terminal.print(JSON.stringify(runs.flatMap(({ answers }) => answers), null, 2));
  return Math.max(0, ...runs.map(({ code }) => code));
}

/** What is written is passed on in whole lines, since several write at the same time. */
function behind(name: string, { terminal, logLevel }: Call): { readonly terminal: Speaker; finish(): Promise<void> } {
  const prefixed = (text: string): string => text.replaceAll(/^/gm, `${name} | `);
  let rest = '';
  const decoder = new TextDecoder();
  const outlet: Terminal = {
    ...terminal, columns: null, isInteractive: false,
    print: (line) => terminal.print(prefixed(line)),
    complain: (line) => terminal.complain(prefixed(line)),
    write: async (text) => {
      const lines = (rest + (typeof text === 'string' ? text : decoder.decode(text, { stream: true }))).split('\n');
      rest = lines.pop() ?? '';
      if (lines.length > 0) await terminal.write(`${prefixed(lines.join('\n'))}\n`);
    },
  };
  return { terminal: speaker(outlet, logLevel ?? 'info'), finish: async () => (rest === '' ? undefined : terminal.write(`${prefixed(rest)}\n`)) };
}
