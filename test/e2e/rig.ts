import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { connect } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { until as soon } from '../until.ts';
import type { StatusSnapshot, UnitStatus } from '../../src/wire/payloads.ts';

export { until as soon } from '../until.ts';
/** The built command, or the one that SYSG_TEST_BIN names, as `npm run test:standalone` does with the program in one file. */
export const bin = process.env['SYSG_TEST_BIN'] ?? resolve(import.meta.dirname, '../../dist/sysg');
export const programs = resolve(import.meta.dirname, '../fixtures/programs');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A home of its own with a configuration in it; whatever still runs there when the test is over is ended. */
export interface Home {
  readonly dir: string;
  readonly state: string;
  readonly config: string;
  /** What commands run in. */
  readonly env: NodeJS.ProcessEnv;
  configure(yaml: string): void;
  /** Runs the built command to its end. */
  sysg(...args: readonly string[]): Promise<Ended>;
  /** Starts the built command and leaves it running. */
  open(...args: readonly string[]): ChildProcess;
  /** Starts another program with more in its environment; resolves to its end. */
  openProgram(program: string, args: readonly string[], more: NodeJS.ProcessEnv): Promise<Ended>;
  status(): Promise<StatusSnapshot>;
  unit(name: string): Promise<UnitStatus>;
  /** Asks again and again until the unit is as wanted. */
  until(name: string, fits: (unit: UnitStatus) => boolean, what: string): Promise<UnitStatus>;
  /** One raw exchange on the control socket. */
  exchange(line: string): Promise<string>;
  supervisorPid(): number;
  /** Of a supervisor in the background. */
  guardianPid(): number;
  log(unit: string, stream?: 'stdout' | 'stderr'): string;
  /** Living processes whose environment says that they belong to this home. */
  processes(): readonly number[];
  /** No process of a unit is left. Supervisor and guardian, for whose lock alone a command waits, end in this moment. */
  allGone(): Promise<void>;
}

export function makeHome(yaml = ''): Home {
  const dir = tempDir();
  const state = join(dir, '.local/share/systemg');
  const config = join(dir, 'sysg.yaml');
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...all } = process.env;
  const inherited = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('SYSG_TEST_')));
  const env = { ...inherited, HOME: dir, SYSG_TEST_HOME: dir, PROGRAMS: programs };
  if (yaml !== '') writeFileSync(config, yaml);

  const open = (...args: readonly string[]): ChildProcess => spawn(bin, args, { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const sysg = (...args: readonly string[]): Promise<Ended> => collect(open(...args));
  const openProgram = (program: string, args: readonly string[], more: NodeJS.ProcessEnv): Promise<Ended> => (
    collect(spawn(program, args, { cwd: dir, env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] }))
  );
  const status = async (): Promise<StatusSnapshot> => {
    const answer = JSON.parse(await exchange('"Status"')) as { Status: StatusSnapshot };
    return answer.Status;
  };
  const exchange = (line: string): Promise<string> => new Promise((done, fail) => {
    const socket = connect(join(state, 'control.sock'));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => done(text)).on('error', fail);
    socket.write(`${line}\n`);
  });
  const unit = async (name: string): Promise<UnitStatus> => {
    const found = (await status()).units.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`no unit ${name}`);
    return found;
  };
  const living = (sign: string): readonly number[] => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number).filter((pid) => {
    try {
      const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')) && environment.includes(`\0SYSG_TEST_HOME=${dir}\0`) && environment.includes(`\0${sign}`);
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
  const supervisorPid = (): number => Number(readFileSync(join(state, 'sysg.pid'), 'utf8'));
  const processes = (): readonly number[] => living('');
  const allGone = async (): Promise<void> => {
    expect(living('SYSG_INSTANCE='), 'processes of units').toEqual([]);
    await soon('supervisor and guardian have ended', () => processes().length === 0);
  };
  onTestFinished(async () => {
    await sysg('stop');
    for (const pid of processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended meanwhile.
      }
    }
    await soon('everything of this home has ended', () => processes().length === 0);
  });

  return {
    dir, state, config, env, open, openProgram, sysg, status, unit, exchange, processes, allGone,
    configure: (text) => writeFileSync(config, text),
    until: async (name, fits, what) => {
      let last: UnitStatus | null = null;
      return soon(`${name} ${what}`, async () => {
        last = await unit(name).catch(() => null);
        return last !== null && fits(last) ? last : null;
      }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it is ${JSON.stringify(last)}`);
      });
    },
    supervisorPid,
    guardianPid: () => Number(/\) . ([0-9]+) /.exec(readFileSync(`/proc/${supervisorPid()}/stat`, 'latin1'))?.[1]),
    log: (name, stream = 'stdout') => {
      try {
        return readFileSync(join(state, 'logs', `${name}_${stream}.log`), 'utf8');
      } catch {
        // Nothing was written yet.
        return '';
      }
    },
  };
}

export function collect(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  return new Promise((done) => void child.on('close', (code) => done({ code, stdout, stderr })));
}

/** Runs the built command in a directory below the home. */
export function within(home: Home, directory: string, ...args: readonly string[]): Promise<Ended> {
  const cwd = join(home.dir, directory);
  mkdirSync(cwd, { recursive: true });
  return collect(spawn(bin, args, { cwd, env: { ...home.env, PWD: cwd }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // ENOENT: no such process.
    return false;
  }
}

/** The words of a process with a blank after each; none of one that has ended, or of a zombie. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    // It ended meanwhile.
    return '';
  }
}

/** What the descriptors of a living process lead to. Those that are closed while they are looked at are left out. */
export function openFilesOf(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return (existsSync(directory) ? readdirSync(directory) : []).flatMap((descriptor) => {
    try {
      return [readlinkSync(join(directory, descriptor))];
    } catch {
      // It was closed meanwhile, or the process has ended.
      return [];
    }
  });
}

/** Takes away a directory in which a supervisor may make a file while it is being emptied, as a person would: once more. */
export async function removeDirectory(path: string): Promise<void> {
  await soon(`${path} is removed`, () => {
    try {
      rmSync(path, { recursive: true });
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY') return false;
      throw error;
    }
  });
}

/**
 * kill -9 at a moment when the process waits for events: what it has read and not yet written dies with it, and a test of
 * whole output must not hit the microseconds between. Where the kernel does not tell what a process does it is killed as it is.
 */
export async function killWhileIdle(pid: number): Promise<void> {
  await soon(`${pid} waits for events`, async () => {
    process.kill(pid, 'SIGSTOP');
    await soon(`${pid} is stopped`, () => /\) [Tt] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
    if (isWaiting(pid)) return true;
    process.kill(pid, 'SIGCONT');
    return false;
  });
  process.kill(pid, 'SIGKILL');
}

/** In epoll_wait(2), epoll_pwait(2) or epoll_pwait2(2), by their numbers on x86-64 and arm64. */
function isWaiting(pid: number): boolean {
  try {
    return ['232', '281', '22', '441'].includes(readFileSync(`/proc/${pid}/syscall`, 'latin1').split(' ')[0] ?? '');
  } catch {
    // The kernel keeps it to itself.
    return true;
  }
}
