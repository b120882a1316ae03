import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Machine } from '../../src/boot/machine.ts';
import type { BootOrder } from '../../src/boot/order.ts';
import { tempDir } from '../temp-dir.ts';

export interface TestMachine extends Machine {
  readonly root: string;
  /** What was run. */
  readonly ran: string[];
  crontab: string;
}

/** A machine whose files are below a directory of the test's own, with a program and a configuration. */
export function makeMachine({ programs = ['crontab'], platform = 'linux' }: { readonly programs?: readonly string[]; readonly platform?: NodeJS.Platform } = {}): TestMachine {
  const root = tempDir();
  const home = join(root, 'home/ada');
  mkdirSync(home, { recursive: true });
  const machine: TestMachine = {
    root, home, platform, user: 'ada', env: {}, ran: [], crontab: '',
    at: (path) => join(root, path),
    find: (name) => (programs.includes(name) ? `/usr/bin/${name}` : null),
    run: (...words) => {
      machine.ran.push(words.join(' '));
      return null;
    },
    readCrontab: () => Promise.resolve(machine.crontab),
    writeCrontab: (text) => {
      machine.crontab = text;
      return Promise.resolve();
    },
  };
  writeFileSync(join(root, 'sysg'), '', { mode: 0o755 });
  writeFileSync(join(root, 'sysg.yaml'), '');
  return machine;
}

export function makeOrder({ root }: Pick<TestMachine, 'root'>, changes: Partial<BootOrder> = {}): BootOrder {
  return {
    program: join(root, 'sysg'), config: join(root, 'sysg.yaml'), system: false, project: null, profiles: [], flags: [], searchPath: '/opt/node/bin:/usr/bin', stopSeconds: 300, ...changes,
  };
}
