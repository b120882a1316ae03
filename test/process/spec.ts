import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';

export const programs = new URL('../fixtures/programs/', import.meta.url).pathname;

/** A unit that runs a program of the fixtures, or what `changes` say. */
export function serviceSpec(argv: readonly string[], workingDir: string, changes: Partial<ServiceSpec> = {}): ServiceSpec {
  const [program = '', ...rest] = argv;
  const check: HealthCheck | null = null;
  return {
    name: 'unit',
    hash: '0123456789abcdef',
    definition: { process: 'p', policy: 'q' },
    command: argv.join(' '),
    launch: { kind: 'exec', argv: [program.includes('/') || program === '' ? program : `${programs}${program}`, ...rest] },
    projectDir: workingDir,
    workingDir,
    env: {},
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    killMode: 'group',
    stopCommand: null,
    restart: {
      mode: 'never', oneshot: false, maxRestarts: null, windowMs: null,
      backoff: { initialMs: 1000, maxMs: 1000, factor: 1, jitter: 0 }, stableAfterMs: 10_000,
      successExitCodes: [0], noRestartExitCodes: [],
    },
    essential: false,
    dependsOn: [],
    check,
    skip: false,
    preStart: null,
    hooks: [],
    deployment: { strategy: 'immediate', check, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' },
    cron: null,
    spawn: null,
    privileges: {
      user: null, group: null, supplementaryGroups: null, capabilities: [], limits: {},
      isolation: { network: false, mount: false, pid: false, user: false },
    },
    logs: { via: 'pipe', rotate: { sizeBytes: 1, keep: 1, compress: false }, logger: null },
    ...changes,
  };
}
