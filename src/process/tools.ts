import { spawn, spawnSync, type SpawnOptions } from 'node:child_process';
import { hasCode, refuse, type Refused } from '../errors.ts';
import { defaultPath, resolveProgram } from './program.ts';

/** Words to put before a program's own: tools that set something and then exec, leaving nothing behind. */
export type Wrapping = { readonly ok: true; readonly prefix: readonly string[] } | Refused;

/** The path of a program of the system, or null. A PATH may well be without them. */
export function locate(name: string, searchPath: string | undefined): string | null {
  const found = resolveProgram(name, withUsualPlaces(searchPath), '/');
  return found.ok ? found.path : null;
}

/** Finds a tool of the system for a purpose. */
export function findTool(name: keyof typeof packages, purpose: string, searchPath: string | undefined): { readonly ok: true; readonly path: string } | Refused {
  const path = locate(name, searchPath);
  return path !== null ? { ok: true, path } : refuse(`${purpose} the program ${name} (package ${packages[name]}), which was not found`);
}

/** A tool with its words. */
export function byTool(name: keyof typeof packages, purpose: string, searchPath: string | undefined, ...words: readonly string[]): Wrapping {
  const tool = findTool(name, purpose, searchPath);
  return tool.ok ? { ok: true, prefix: [tool.path, ...words] } : tool;
}

/** One after the other; the first refusal counts. */
export function chained(steps: readonly Wrapping[]): Wrapping {
  return steps.find((step) => !step.ok) ?? { ok: true, prefix: steps.flatMap((step) => (step.ok ? step.prefix : [])) };
}

const packages = {
  prlimit: 'util-linux', taskset: 'util-linux', setpriv: 'util-linux', unshare: 'util-linux', setsid: 'util-linux', mount: 'mount', sed: 'sed', nice: 'coreutils', cat: 'coreutils',
} as const;

export type ToolResult =
  | { readonly ok: true }
  /** `missing`: there is no such program. `code` is null when it did not run or a signal ended it. */
  | { readonly ok: false; readonly missing: boolean; readonly code: number | null; readonly reason: string };

/** Runs a system tool and waits, blocking the event loop. `inherit` becomes the tool's descriptor 3. */
export function runTool(tool: string, args: readonly string[], inherit?: number): ToolResult {
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe'];
  if (inherit !== undefined) stdio.push(inherit);
  const result = spawnSync(tool, args, { stdio, encoding: 'utf8', env: plainEnvironment() });
  if (result.error !== undefined) return notRun(tool, result.error);
  return judge(tool, result.status, result.signal, result.stderr);
}

/** Runs a system tool from one descriptor to another beside the event loop. The caller keeps and closes the descriptors. */
export async function pipeTool(tool: string, args: readonly string[], input: number, output: number): Promise<ToolResult> {
  const ended = await collect(tool, args, { stdio: [input, output, 'pipe'], env: plainEnvironment() });
  return ended instanceof Error ? notRun(tool, ended) : judge(tool, ended.code, ended.signal, ended.complaint);
}

export interface Collected {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The beginning of what the program wrote to standard output and to standard error. */
  readonly output: string;
  readonly complaint: string;
}

/**
 * Runs a program beside the event loop and gathers what it writes where `stdio` has pipes. Resolves to the error of a program that could not be started or
 * did not end in time: it gets SIGKILL then, a detached one with its group. `most`: characters that are kept of each; `input` goes to its standard input.
 */
export function collect(program: string, words: readonly string[], { limitMs, input, most = COLLECTED_CHARACTERS, ...options }: CollectOptions): Promise<Collected | Error> {
  return new Promise((resolve) => {
    const child = spawn(program, words, options);
    const timer = limitMs === undefined ? undefined : setTimeout(() => {
      // Our unreaped child: its pid and its group's number are its own.
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(options.detached === true ? -child.pid : child.pid, 'SIGKILL');
      resolve(new Error(`${program} did not end within ${limitMs / 1000} s`));
    }, limitMs);
    // A program that does not read it all is judged by its exit code.
    child.stdin?.on('error', () => undefined).end(input);
    let [output, complaint] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(0, most)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(0, most)));
    child.once('error', (error) => {
      clearTimeout(timer);
      resolve(error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, output, complaint });
    });
  });
}

export interface CollectOptions extends SpawnOptions {
  readonly limitMs?: number;
  readonly input?: string;
  readonly most?: number;
}

const COLLECTED_CHARACTERS = 16_384;

function judge(tool: string, code: number | null, signal: string | null, complaint: string): ToolResult {
  if (code === 0) return { ok: true };
  const end = code === null ? `was ended by ${signal}` : `ended with code ${code}`;
  const said = complaint.slice(0, 1000).trim();
  return { ok: false, missing: false, code, reason: said === '' ? `${tool} ${end}` : `${tool} ${end}: ${said}` };
}

function notRun(tool: string, error: Error): ToolResult {
  const missing = hasCode(error, 'ENOENT');
  const why = hasCode(error, 'EAGAIN') ? 'the limit of processes is reached' : error.message;
  return { ok: false, missing, code: null, reason: missing ? `${tool} was not found on PATH` : `${tool} cannot be run: ${why}` };
}

// GZIP would change what gzip does, a locale the language of its complaints.
function plainEnvironment(): NodeJS.ProcessEnv {
  const { GZIP: _options, ...environment } = process.env;
  return { ...environment, PATH: withUsualPlaces(environment['PATH']), LC_ALL: 'C' };
}

function withUsualPlaces(searchPath: string | undefined): string {
  return `${searchPath ?? defaultPath}:${defaultPath}:/usr/sbin:/sbin`;
}
