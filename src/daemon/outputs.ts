import type { Child } from '../../machines/children.ts';
import type { ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { openAnnouncements } from '../actors/checks/announcements.ts';
import { openLastWords, type LastWords } from '../journal/last-words.ts';
import { openChildLogs } from '../logs/child-logs.ts';
import type { LogOwner } from '../logs/fifo.ts';
import type { LoggerRunner } from '../logs/logger.ts';
import { openLogStore } from '../logs/store.ts';
import { outputOwner } from '../process/credentials.ts';
import type { ChildOutput } from '../process/launch.ts';
import { runForUnit, type CommandOutside } from '../process/run-command.ts';
import { isAside } from '../state/recovery.ts';
import type { Setting } from './setting.ts';

/** Where everything that services write goes, and what is read out of it. */
export type Outputs = ReturnType<typeof openOutputs>;

export function openOutputs({ clock, paths, environment, dropPrivileges, echo, onProblem }: Setting) {
  const { fifoDir, logDir } = paths;
  const echoing = echo === null ? {} : { echo: echo.write };
  const logs = openLogStore({ fifoDir, logDir, onProblem, ...echoing });
  const childLogs = openChildLogs({ fifoDir, logDir, onProblem, ...echoing });
  const ownerOf = ({ name, privileges }: ServiceSpec): LogOwner | null => outputOwner(name, privileges, dropPrivileges);
  const announcements = openAnnouncements({ logs, fifoDir, onProblem, ownerOf });
  const written = openLastWords((unit) => logs.files(unit)?.stderr ?? null);
  const words: LastWords = {
    ...written,
    of: (unit, lines) => {
      // The end of a process may be known before what it wrote was read.
      logs.drain(unit);
      return written.of(unit, lines);
    },
  };
  const outside = { clock, environment, dropPrivileges, onProblem };
  return {
    logs, childLogs, announcements, words,
    /** Makes ready for every unit that runs or may run; to be called at the start and at every reload. */
    prepare: (specs: readonly ServiceSpec[]): void => {
      const units = specs.filter(({ name }) => !isAside(name));
      echo?.align(units.map(({ name }) => name));
      logs.prepare(units.map((spec) => ({ name: spec.name, logs: spec.logs, owner: ownerOf(spec), loggerRunner: loggerRunnerOf(spec, outside) })));
    },
    /** Descriptors for a process that is about to be started. */
    open: (spec: ServiceSpec, role: ProcessRole, token: string): ChildOutput => {
      if (role === 'child') return childLogs.openEnds(token, ownerOf(spec));
      return role === 'main' ? announcements.expect(spec, logs.openChildEnds(spec.name)) : logs.openChildEnds(spec.name);
    },
    /** A spawned child has its pid, after which its files are named. */
    attachChild: ({ record: { id, order }, spec }: Pick<Child, 'record' | 'spec'>, pid: number): void => (
      childLogs.attach({ id, unit: order.unit, name: order.name, pid, logs: spec.logs, owner: ownerOf(spec) })),
    forget: (unit: string): void => {
      announcements.forget(unit);
      words.forget(unit);
      logs.remove(unit);
    },
  };
}

/** How the loggers of a unit are run: in its working directory, with its environment, as its user. */
function loggerRunnerOf(spec: ServiceSpec, outside: CommandOutside): LoggerRunner {
  return {
    definition: spec.definition.process,
    run: ({ command, stream, ...run }) => runForUnit(spec, {
      ...run, purpose: 'logger', asUnit: true, script: command, output: 'complaints', isResident: true,
      variables: { SYSG_SERVICE_NAME: spec.name, SYSG_LOG_STREAM: stream },
    }, outside),
  };
}
