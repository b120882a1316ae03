import { randomUUID } from 'node:crypto';
import { existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createActor, createMachine, spawnChild } from 'xstate';
import type { ProcessInput } from '../../machines/ports.ts';
import type { ProcessIdentity, ProcessOrder, ProcessReport, ServiceSpec } from '../../machines/types.ts';
import { makeProcessActor, type ProcessOutside } from '../../src/actors/process.ts';
import { createClock } from '../../src/clock.ts';
import { isAlive, identify } from '../../src/process/identity.ts';
import { scan } from '../../src/process/scan.ts';
import { signalProcess } from '../../src/process/signal.ts';
import { sweepsEnded } from '../../src/process/end-process.ts';
import { serviceSpec } from '../process/spec.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

export interface Run {
  readonly token: string;
  readonly reports: ProcessReport[];
  types(): string[];
  order(order: ProcessOrder): void;
  /** Ends the actor, as the machine does after `gone` or a crash of the unit does. */
  end(): void;
  report<Type extends ProcessReport['type']>(type: Type): Promise<Extract<ProcessReport, { type: Type }>>;
  spawned(): Promise<ProcessIdentity>;
  /** A line of output that starts with this word, the rest of it. */
  line(word: string): Promise<string>;
  output(): string;
}

export interface Rig {
  readonly dir: string;
  readonly problems: string[];
  run(argv: readonly string[], changes?: Partial<ServiceSpec>, input?: Partial<ProcessInput>): Run;
  /** The pid a program wrote to a file. */
  writtenPid(file: string): Promise<ProcessIdentity>;
  close(): Promise<void>;
}

/** Real processes in a directory of their own; `close` ends all that carries one of the rig's tokens. */
export function makeRig(changes: Partial<ProcessOutside> = {}): Rig {
  const dir = tempDir();
  const mark = randomUUID();
  const problems: string[] = [];
  const ends: (() => void)[] = [];
  let count = 0;

  function run(argv: readonly string[], specChanges: Partial<ServiceSpec> = {}, inputChanges: Partial<ProcessInput> = {}): Run {
    count += 1;
    const log = join(dir, `${count}.log`);
    const token = inputChanges.token ?? `${mark}-${count}`;
    const reports: ProcessReport[] = [];
    const logic = makeProcessActor({
      clock: createClock(),
      environment: process.env,
      softNofile: null,
      dropPrivileges: false,
      openOutput: () => ({ stdout: openSync(log, 'a'), stderr: openSync(log, 'a') }),
      onProblem: (text) => problems.push(text),
      ...changes,
    });
    const input: ProcessInput = { spec: serviceSpec(argv, dir, specChanges), generation: count, role: 'main', token, adopt: null, ...inputChanges };
    const parent = createActor(createMachine({
      types: {} as { events: ProcessReport },
      entry: spawnChild(logic, { id: 'process', input }),
      on: { '*': { actions: ({ event }) => void reports.push(event) } },
    }));
    parent.start();
    ends.push(() => parent.stop());
    const isOf = <Type extends ProcessReport['type']>(type: Type) =>
      (report: ProcessReport): report is Extract<ProcessReport, { type: Type }> => report.type === type;
    const output = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    const made: Run = {
      token,
      reports,
      types: () => reports.map(({ type }) => type),
      order: (order) => parent.getSnapshot().children['process']?.send(order),
      end: () => void parent.stop(),
      report: (type) => until(`report ${type}, got ${JSON.stringify(reports)}`, () => reports.find(isOf(type))),
      spawned: async () => (await made.report('process.spawned')).identity,
      line: (word) => until(`output "${word}", got ${output()} ${JSON.stringify(reports)}`, () => new RegExp(`^${word} ?(.*)\\n`, 'm').exec(output())?.[1]),
      output,
    };
    return made;
  }

  return {
    dir,
    problems,
    run,
    async writtenPid(file) {
      const pid = await until(`pid in ${file}`, () => existsSync(join(dir, file)) && Number(readFileSync(join(dir, file), 'utf8')));
      return until(`process ${pid}`, () => identify(pid));
    },
    async close() {
      for (const end of ends) end();
      for (let left = await holders(mark); left.length > 0; left = await holders(mark)) {
        for (const identity of left) signalProcess(identity, 'SIGKILL');
        await until('the processes of the test are dead', () => left.every((identity) => !isAlive(identity)));
      }
      await sweepsEnded();
    },
  };
}

async function holders(mark: string): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const process of (await scan()).values()) {
    if (process.state === 'Z' || !process.tokens?.some((token) => token.startsWith(mark))) continue;
    const identity = identify(process.pid);
    if (identity?.startTime === process.startTime) found.push(identity);
  }
  return found;
}
