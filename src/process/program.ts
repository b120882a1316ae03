import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { attempt, errorCode, textOf } from '../errors.ts';
import { isAccessible, readHead } from '../files.ts';

export type Resolution =
  | { readonly ok: true; readonly path: string }
  /** `osText`: what execvp(3) would have said, in 0.33.0's words. */
  | { readonly ok: false; readonly reason: string; readonly osText: string };

/** Where execvp(3) looks without a PATH. */
export const defaultPath = '/bin:/usr/bin';

/**
 * Finds the file that a program's name means to execvp(3), and says why it could not be executed. `searchPath` and `workingDir`
 * are the program's own. The interpreter of a script is checked too: the kernel reports a missing one as if the script were missing.
 */
export function resolveProgram(name: string, searchPath: string | undefined, workingDir: string): Resolution {
  if (name === '') return refuse('the name of the program is empty');
  if (name.length >= PATH_MAX) return refuse(`the name of the program has ${name.length} characters, of which a path has fewer than ${PATH_MAX}`, 'File name too long (os error 36)');
  if (name.includes('/')) return examine(resolve(workingDir, name));
  const directories = (searchPath ?? defaultPath).split(':');
  let obstacle: Resolution | null = null;
  for (const directory of directories) {
    const path = resolve(workingDir, directory, name);
    const found = examine(path);
    if (found.ok) return found;
    if (obstacle === null && exists(path)) obstacle = found;
  }
  return obstacle ?? refuse(`program "${name}" was not found on PATH (${directories.join(':')})`);
}

export function checkWorkingDir(path: string): string | null {
  try {
    if (!statSync(path).isDirectory()) return `working directory "${path}" is not a directory`;
    accessSync(path, constants.X_OK);
    return null;
  } catch (error) {
    return errorCode(error) === 'ENOENT'
      ? `working directory "${path}" does not exist`
      : `working directory "${path}" cannot be entered: ${describe(error)}`;
  }
}

export function describe(error: unknown): string {
  return obstacles[errorCode(error) ?? ''] ?? textOf(error);
}

const obstacles: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory', EACCES: 'permission denied', ENOTDIR: 'a part of its path is not a directory', ELOOP: 'too many symbolic links',
  ENOEXEC: 'it is not a program this machine can run', E2BIG: 'its arguments and environment are too long', EAGAIN: 'the limit of processes is reached',
  ENOMEM: 'out of memory', EMFILE: 'no file descriptor is left', ENFILE: 'no file descriptor is left', ETXTBSY: 'the file is being written',
};

function examine(path: string): Resolution {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return refuse(`"${path}" is a directory, not a program`, denied);
    if (!stat.isFile()) return refuse(`"${path}" is not a regular file`, denied);
    if (!isExecutable(path)) return refuse(`"${path}" is not executable (mode ${(stat.mode & 0o7777).toString(8).padStart(4, '0')})`, denied);
  } catch (error) {
    return refuse(errorCode(error) === 'ENOENT' ? `program "${path}" does not exist` : `program "${path}" cannot be reached: ${describe(error)}`, errorCode(error) === 'EACCES' ? denied : notFound);
  }
  // Of a file that we may execute and not read nothing can be said.
  const head = attempt(() => readHead(path, HEAD_BYTES), null);
  if (head !== null && isForeign(head)) return refuse(`"${path}" cannot be executed: it is a program for another processor, or a part of one`, 'Exec format error (os error 8)');
  // execve(2): "#!", spaces, an absolute path; at most 255 bytes. A relative one is left for the kernel to judge.
  const interpreter = /^#![ \t]*(\/[^ \t\n\0]+)/.exec(head?.toString('latin1') ?? '')?.[1] ?? null;
  if (interpreter === null || (exists(interpreter) && isExecutable(interpreter))) return { ok: true, path };
  if (interpreter.endsWith('\r')) {
    return refuse(`"${path}" cannot be executed: its first line ends with a carriage return (CRLF, as Windows writes), so the kernel looks for the interpreter "${interpreter.slice(0, -1)}\\r"`);
  }
  return refuse(`"${path}" cannot be executed: its interpreter "${interpreter}" ${exists(interpreter) ? 'is not executable' : 'does not exist'}`, exists(interpreter) ? denied : notFound);
}

const HEAD_BYTES = 256;

/**
 * Whether the kernel will have no way to execute a program in the form of elf(5), by its machine. It would be given to a shell then, which stumbles over its bytes.
 */
function isForeign(bytes: Buffer): boolean {
  if (bytes.toString('latin1', 0, 4) !== ELF || process.platform !== 'linux') return false;
  // By the kernel's link: the path may lead through directories that are not ours to search.
  ownMachine ??= attempt(() => machineIn(readHead('/proc/self/exe', 20)), null);
  if (ownMachine === null) return false;
  const machine = machineIn(bytes);
  return machine !== ownMachine && !(ALSO_EXECUTED.get(ownMachine) ?? []).includes(machine) && !hasEmulators();
}

function machineIn(bytes: Buffer): number {
  if (bytes.length < 20) return -1;
  return bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
}

/** The kernel hands programs of other machines to those that are registered: binfmt_misc, as for qemu. */
function hasEmulators(): boolean {
  return attempt(() => readdirSync('/proc/sys/fs/binfmt_misc').length > 2, false);
}

const ELF = '\u007fELF';
/** x86-64 also executes i386, arm64 also arm. */
const ALSO_EXECUTED: ReadonlyMap<number, readonly number[]> = new Map([[62, [3]], [183, [40]]]);
let ownMachine: number | null = null;

function exists(path: string): boolean {
  return isAccessible(path, constants.F_OK);
}

function isExecutable(path: string): boolean {
  return isAccessible(path, constants.X_OK);
}

function refuse(reason: string, osText = notFound): Resolution {
  return { ok: false, reason, osText };
}

/** Of limits.h, with the closing NUL. */
const PATH_MAX = 4096;
const notFound = 'No such file or directory (os error 2)';
const denied = 'Permission denied (os error 13)';
