import type { ServiceSpec, UnitRecord } from '../../machines/types.ts';

/** Stands for a unit that still runs but is configured no more, for as long as it takes to end it. */
export function departedSpec(record: UnitRecord, projectDir: string): ServiceSpec {
  return {
    name: record.unit, hash: record.hash, definition: record.definition, command: '', launch: { kind: 'shell', script: 'exit 1' }, projectDir,
    workingDir: projectDir, env: {}, stopSignal: 'SIGTERM', stopTimeoutMs: 10_000,
    restart: {
      mode: 'never', oneshot: false, maxRestarts: 0, windowMs: null, backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0 },
      stableAfterMs: 10_000, successExitCodes: [0], noRestartExitCodes: [],
    },
    essential: false, dependsOn: [], check: null, skip: false, preStart: null, hooks: [],
    deployment: { strategy: 'immediate', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' }, cron: null, spawn: null,
    privileges: {
      user: null, group: null, supplementaryGroups: null, capabilities: [], limits: {},
      isolation: { network: false, mount: false, pid: false, user: false },
    },
    logs: { via: 'pipe', rotate: { sizeBytes: 10 * 1024 * 1024, keep: 5, compress: true }, logger: null },
  };
}
