import type { Child } from '../../machines/spawning.ts';
import type { ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { openAnnouncements, type Announcements } from '../actors/checks/announcements.ts';
import { makeLoggerRunner } from '../actors/loggers.ts';
import { openLastWords, type LastWords } from '../journal/last-words.ts';
import { openChildLogs, type ChildLogs } from '../logs/child-logs.ts';
import type { LogOwner } from '../logs/fifo.ts';
import { openLogStore, type LogStore } from '../logs/store.ts';
import { outputOwner } from '../process/credentials.ts';
import type { ChildOutput } from '../process/launch.ts';
import { isAside } from '../state/asides.ts';
import type { Setting } from './setting.ts';

/** Where everything that services write goes, and what is read out of it. */
export interface Outputs {
  readonly logs: LogStore;
  readonly childLogs: ChildLogs;
  readonly announcements: Announcements;
  readonly words: LastWords;
  /** To be told of every unit that runs or may run, at the start and at every reload. */
  prepare(specs: readonly ServiceSpec[]): void;
  /** Descriptors for a process that is about to be started. */
  open(spec: ServiceSpec, role: ProcessRole, token: string): ChildOutput;
  /** A spawned child has its pid, after which its files are named. */
  attachChild(child: Pick<Child, 'record' | 'spec'>, pid: number): void;
  forget(unit: string): void;
}

export function openOutputs({ paths, environment, options, echo, onProblem }: Setting): Outputs {
  const { fifoDir, logDir } = paths;
  const echoing = echo === null ? {} : { echo: echo.write };
  const logs = openLogStore({ fifoDir, logDir, onProblem, ...echoing });
  const childLogs = openChildLogs({ fifoDir, logDir, onProblem, ...echoing });
  const ownerOf = ({ name, privileges }: ServiceSpec): LogOwner | null => outputOwner(name, privileges, options.dropPrivileges);
  const announcements = openAnnouncements({ logs, fifoDir, onProblem, ownerOf });
  const words = openLastWords((unit) => logs.files(unit)?.stderr ?? null);
  const loggerOutside = { environment, dropPrivileges: options.dropPrivileges, onProblem };
  return {
    logs, childLogs, announcements, words,
    prepare: (specs) => {
      const units = specs.filter(({ name }) => !isAside(name));
      echo?.align(units.map(({ name }) => name));
      logs.prepare(units.map((spec) => ({ name: spec.name, logs: spec.logs, owner: ownerOf(spec), loggerRunner: makeLoggerRunner(spec, loggerOutside) })));
    },
    open: (spec, role, token) => {
      if (role === 'child') return childLogs.openEnds(token, ownerOf(spec));
      return role === 'main' ? announcements.expect(spec, logs.openChildEnds(spec.name)) : logs.openChildEnds(spec.name);
    },
    attachChild: ({ record: { id, order }, spec }, pid) =>
      childLogs.attach({ id, unit: order.unit, name: order.name, pid, logs: spec.logs, owner: ownerOf(spec) }),
    forget: (unit) => {
      announcements.forget(unit);
      words.forget(unit);
      logs.remove(unit);
    },
  };
}
