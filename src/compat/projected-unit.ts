import type { UnitView } from '../../machines/view.ts';
import { signalNumber } from '../signals.ts';
import type { RecordedJob } from './cron-file.ts';
import type { SpawnRecord } from './pid-file.ts';
import type { ProjectedUnit } from './projection.ts';

/** A unit for the state files of systemg 0.33.0, whose status is the last end where there is none that goes on. */
export function projectedUnit(view: UnitView, more: { readonly job?: RecordedJob | null; readonly spawned?: readonly SpawnRecord[] } = {}): ProjectedUnit {
  const { spec, lifecycle, exit } = view;
  const pid = view.alive ? (view.process?.identity?.pid ?? null) : null;
  const running = lifecycle === 'running';
  return {
    name: spec.name, hash: spec.hash, pid,
    state: {
      status: lifecycle, pid: running ? pid : null,
      exitCode: running ? null : (exit?.code ?? null),
      signal: running ? null : signalNumber(exit?.signal ?? null),
    },
    job: more.job ?? null, spawned: more.spawned ?? [],
  };
}
