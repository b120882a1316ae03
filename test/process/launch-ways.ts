import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { ProcessExit, ServiceSpec } from '../../machines/types.ts';
import type { Child } from '../../src/process/children.ts';
import { hasKoffi } from '../native/installed.ts';
import { tempDir } from '../temp-dir.ts';
import { serviceSpec } from './spec.ts';

export interface Launch {
  readonly child: Child | null;
  readonly reason: string | null;
  readonly token: string;
  output(): string;
}

export interface More {
  readonly softNofile?: number;
  readonly extraAt?: number;
  /** Run when the program was looked at and is not executed yet. */
  between?(): void;
}

/** A way to start processes. */
export interface Way {
  readonly name: string;
  launch(argv: readonly string[], changes?: Partial<ServiceSpec>, more?: More): Promise<Launch>;
  /** Whether the process has a control group of its own. */
  hasMark(token: string): boolean;
}

/** Node's way and that of the native port, in modules of their own: once the port was loaded it is used. None where koffi is not installed. */
export async function openWays(): Promise<{ readonly dir: string; readonly ways: readonly Way[] }> {
  const dir = tempDir();
  const ways = hasKoffi ? [await open(dir, false), await open(dir, true)] : [];
  return { dir, ways };
}

async function open(dir: string, natively: boolean): Promise<Way> {
  vi.resetModules();
  const { launch } = await import('../../src/process/launch.ts');
  const { hasMark } = await import('../../src/process/marks.ts');
  const { loadNative } = await import('../../src/native/load.ts');
  if (natively && (await loadNative()) === null) throw new Error('koffi is not installed');
  let count = 0;
  return {
    name: natively ? 'the native port' : 'Node',
    hasMark,
    launch(argv, changes = {}, { softNofile = null, extraAt, between } = {}) {
      // The groups of processes are named for their tokens, and other test files start processes by these ways at the same time.
      const token = `token-${process.pid}-${natively}-${(count += 1)}`;
      const log = join(dir, `${natively}-${count}.log`);
      const spec = serviceSpec([], dir, { launch: { kind: 'exec', argv }, ...changes });
      const order = {
        spec, role: 'main', token, environment: { PATH: process.env['PATH'], LANG: 'C' }, softNofile, dropPrivileges: false,
        openOutput: () => {
          between?.();
          return { stdout: openSync(log, 'a'), stderr: openSync(log, 'a'), ...(extraAt !== undefined && { extra: [{ at: extraAt, descriptor: openSync(log, 'a') }] }) };
        },
      } as const;
      const output = (): string => readFileSync(log, 'utf8');
      return new Promise((done) => void launch(order, (launched) => done({ token, output, ...(launched.ok ? { child: launched.child, reason: null } : { child: null, reason: launched.reason }) })));
    },
  };
}

export function exitOf(child: Child | null): Promise<ProcessExit> {
  return new Promise((done, fail) => void (child === null ? fail(new Error('it was not started')) : child.watch(done)));
}
