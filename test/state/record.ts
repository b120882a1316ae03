import type { UnitRecord } from '../../machines/types.ts';

export function record(unit: string, changes: Partial<UnitRecord> = {}): UnitRecord {
  return {
    unit,
    hash: '0123456789abcdef',
    definition: { process: 'p', policy: 'q' },
    wanted: 'up',
    state: 'running',
    cause: null,
    generation: 1,
    process: {
      generation: 1, role: 'main', token: `t-${unit}`, adopted: false, identity: { pid: 100, startTime: '555', bootId: 'boot-1' },
    },
    outcome: 'none',
    exit: null,
    reason: null,
    failures: [],
    streak: 0,
    restarts: 0,
    deadline: null,
    since: 1000,
    ...changes,
  };
}
