import { defaultPath, resolveProgram } from './program.ts';

/** Words to put before a program's own: tools that set something and then exec, leaving nothing behind. */
export type Wrapping =
  | { readonly ok: true; readonly prefix: readonly string[] }
  | Refused;

export interface Refused {
  readonly ok: false;
  /** A sentence. */
  readonly reason: string;
}

export type Tool = { readonly ok: true; readonly path: string } | Refused;

/** Finds a tool of the system for a purpose. A PATH may well be without them. */
export function findTool(name: keyof typeof packages, purpose: string, searchPath: string | undefined): Tool {
  const found = resolveProgram(name, `${searchPath ?? defaultPath}:${defaultPath}:/usr/sbin:/sbin`, '/');
  return found.ok ? found : { ok: false, reason: `${purpose} the program ${name} (package ${packages[name]}), which was not found` };
}

export function refuse(reason: string): Refused {
  return { ok: false, reason };
}

const packages = {
  prlimit: 'util-linux', taskset: 'util-linux', setpriv: 'util-linux', unshare: 'util-linux', setsid: 'util-linux', nice: 'coreutils', cat: 'coreutils',
} as const;
