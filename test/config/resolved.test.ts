import { describe, expect, test } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { plainService } from '../../src/config/service.ts';
import { configDir, loaded, service } from './config-dir.ts';

describe('what a service says nothing about has its documented default', () => {
  test('everything', () => {
    const dir = configDir();
    const { hash, definition, ...spec } = service('command: sleep 1000', { dir });
    expect(hash).toBe('5a8b46e4ea2d7d8b');
    expect(definition.process).toMatch(/^[0-9a-f]{16}$/);
    expect(spec).toEqual({
      name: 'web', command: 'sleep 1000', launch: { kind: 'exec', argv: ['sleep', '1000'] }, projectDir: dir.path, workingDir: dir.path, env: {},
      stopSignal: 'SIGTERM', stopTimeoutMs: 10_000, killMode: 'group', stopCommand: null, essential: false, dependsOn: [], check: null, skip: false, preStart: null, hooks: [],
      restart: {
        mode: 'never', oneshot: false, maxRestarts: null, windowMs: null, stableAfterMs: 10_000, successExitCodes: [0], noRestartExitCodes: [],
        backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.1 },
      },
      deployment: { strategy: 'immediate', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' },
      cron: null, spawn: null, logs: { via: 'pipe', rotate: { sizeBytes: 10_485_760, keep: 5, compress: true }, logger: null },
      privileges: {
        user: null, group: null, supplementaryGroups: null, capabilities: [], limits: {},
        isolation: { network: false, mount: false, pid: false, user: false },
      },
    });
  });
});

const accepted: readonly (readonly [title: string, body: string, expected: Partial<ServiceSpec>])[] = [
  ['exec is executed as it is', 'exec: [sh, -c, "echo $HOME", ""]', { launch: { kind: 'exec', argv: ['sh', '-c', 'echo $HOME', ''] }, command: "sh -c 'echo $HOME' ''" }],
  ['a number is its text where a text is wanted', 'command: 42', { command: '42' }],
  ['a block of script goes to the shell unchanged', 'command: |\n  set -e\n  run\n', { launch: { kind: 'shell', script: 'set -e\nrun\n' } }],
  ['a key without a value says nothing', 'command: a\nuser:\ncron: ~', { cron: null }],
  ['a bare backoff is constant', 'command: a\nbackoff: 5s', { restart: { ...defaultRestart(), backoff: { initialMs: 5000, maxMs: 5000, factor: 1, jitter: 0 } } }],
  ['a backoff map keeps what it does not say', 'command: a\nbackoff: {initial: 500ms, factor: 3}', { restart: { ...defaultRestart(), backoff: { initialMs: 500, maxMs: 60_000, factor: 3, jitter: 0.1 } } }],
  ['restart keys', 'command: a\nrestart_policy: on-failure\nmax_restarts: 0\nrestart_window: 1m\nstable_after: 0\nsuccess_exit_codes: [0, 143]\nno_restart_exit_codes: [78]\noneshot: true', {
    restart: { ...defaultRestart(), mode: 'on-failure', maxRestarts: 0, windowMs: 60_000, stableAfterMs: 0, successExitCodes: [0, 143], noRestartExitCodes: [78], oneshot: true },
  }],
  ['signals with and without SIG', 'command: a\nstop_signal: int\nstop_timeout: 0.5', { stopSignal: 'SIGINT', stopTimeoutMs: 500 }],
  ['skip as a flag and as a command', 'command: a\nskip: "true"', { skip: 'true' }],
  ['an essential service', 'command: a\nessential: true\nskip: true', { essential: true, skip: true }],
  ['pre_start', 'command: a\ndeployment: {pre_start: "make build"}', { preStart: 'make build' }],
  ['a health check', 'command: a\nhealth_check: {url: "http://localhost:80/", expect_status: [200, 204], interval: 1s, timeout: 1m, retries: 5, start_period: 3s, on_unhealthy: none}', {
    check: { probe: { kind: 'url', url: 'http://localhost:80/', expectStatus: [200, 204] }, intervalMs: 1000, timeoutMs: 60_000, attemptTimeoutMs: null, retries: 5, startPeriodMs: 3000, onUnhealthy: 'none' },
  }],
  ['a check of an address', 'command: a\nhealth_check: {tcp: "[::1]:6379"}', { check: { probe: { kind: 'tcp', host: '::1', port: 6379 }, ...defaultCheck() } }],
  ['a check of the output', 'command: a\nhealth_check: {log: "ready (in|after) .*$"}', { check: { probe: { kind: 'log', pattern: 'ready (in|after) .*$' }, ...defaultCheck() } }],
  ['a check by descriptor', 'command: a\nhealth_check: {notify_fd: 3, retries: 0}', { check: { probe: { kind: 'notify', fd: 3 }, ...defaultCheck(), retries: 1 } }],
  ['a check in which the command wins, as in 0.33.0', 'command: a\nhealth_check: {url: "http://localhost/", command: "curl -f localhost"}', { check: { probe: { kind: 'command', command: 'curl -f localhost' }, ...defaultCheck() } }],
  ['hooks in the order of their stages', 'command: a\nhooks:\n  on_stop: {error: {command: c, timeout: 1m}}\n  on_start: {error: {command: b}, success: {command: a}}', {
    hooks: [
      { stage: 'on_start', outcome: 'success', command: 'a', timeoutMs: 30_000 },
      { stage: 'on_start', outcome: 'error', command: 'b', timeoutMs: 30_000 },
      { stage: 'on_stop', outcome: 'error', command: 'c', timeoutMs: 60_000 },
    ],
  }],
  ['cron as a string', 'command: a\ncron: "0 2 * * *"', { cron: { expression: '0 2 * * *', timezone: null, overlap: 'skip', timeoutMs: null, catchUp: 'none' } }],
  ['cron as a map', 'command: a\ncron: {expression: "@daily", timezone: " utc ", overlap: queue, timeout: 1h, catch_up: last}', {
    cron: { expression: '@daily', timezone: 'UTC', overlap: 'queue', timeoutMs: 3_600_000, catchUp: 'last' },
  }],
  ['a dynamic service', 'command: a\nspawn: {mode: dynamic, limits: {children: 3, total_memory: 512M, termination_policy: orphan}}', {
    spawn: { children: 3, depth: 3, descendants: 500, totalMemoryBytes: 536_870_912, terminationPolicy: 'orphan' },
  }],
  ['a static service, whatever its limits', 'command: a\nspawn: {limits: {children: 3}}', { spawn: null }],
  ['privileges', 'command: a\nuser: 1000\ngroup: www\nsupplementary_groups: [a, b]\ncapabilities: [CAP_NET_BIND_SERVICE]\nisolation: {network: true}\nlimits: {nofile: 64K, nproc: 100, memlock: Unlimited, nice: -5, cpu_affinity: [0, 1], cgroup: {memory_max: 1G, cpu_weight: 50}}', {
    privileges: {
      user: '1000', group: 'www', supplementaryGroups: ['a', 'b'], capabilities: ['CAP_NET_BIND_SERVICE'],
      limits: { nofile: 65_536, nproc: 100, memlock: null, nice: -5, cpuAffinity: [0, 1], cgroup: { root: '/sys/fs/cgroup/systemg', memoryMax: '1G', cpuWeight: 50 } },
      isolation: { network: true, mount: false, pid: false, user: false },
    },
  }],
  ['logs', 'command: a\nlogs: {rotate: {size: 1M, keep: 0, compress: false}, logger: "logger -t web"}', {
    logs: { via: 'pipe', rotate: { sizeBytes: 1_048_576, keep: 0, compress: false }, logger: 'logger -t web' },
  }],
];

describe('a service block is resolved', () => {
  test.each(accepted)('%s', (_title, body, expected) => {
    expect(service(body)).toMatchObject(expected);
  });
});

test('blue-green: paths are absolute, the check of the deployment is the candidate’s', () => {
  const dir = configDir();
  const check = { probe: { kind: 'url', url: 'http://localhost:{slot}/', expectStatus: null }, ...defaultCheck(), onUnhealthy: 'none' };
  const { deployment } = service('command: a\ndeployment:\n  strategy: rolling\n  grace_period: 3\n  health_check: {url: "http://localhost:{slot}/"}\n'
    + '  blue_green: {slots: [8001, 8002], switch_command: "switch {candidate_slot}", state_path: slots.xml}', { dir });
  expect(deployment).toEqual({
    strategy: 'rolling', check, gracePeriodMs: 3000, onAddressInUse: 'replace',
    blueGreen: { envVar: 'PORT', slots: ['8001', '8002'], switchCommand: 'switch {candidate_slot}', candidateCheck: check, switchVerify: null, statePath: `${dir.path}/slots.xml` },
  });
});

test('a rollout is gated by the health check of the service when the deployment has none', () => {
  const { deployment, check } = service('command: a\nhealth_check: {tcp: "localhost:80"}\ndeployment: {strategy: rolling}');
  expect(deployment.check).toEqual(check);
  expect(check).not.toBeNull();
});

test('working_dir is taken from the project directory', () => {
  const dir = configDir();
  expect(service('command: a\nworking_dir: sub/..//dir', { dir }).workingDir).toBe(`${dir.path}/dir`);
  expect(service('command: a\nworking_dir: /srv', { dir }).workingDir).toBe('/srv');
});

test('a dependency means healthy, completed or started after the service that it names', () => {
  const { services } = loaded(`version: "1"
services:
  app:
    command: a
    depends_on: [db, {service: migrate}, cache, {service: cron, condition: completed, on_restart: restart}, {service: db2, condition: started}, {service: db3, condition: healthy}]
  db: {command: b, health_check: {tcp: "localhost:5432"}}
  db2: {command: b, health_check: {tcp: "localhost:5433"}}
  db3: {command: b, health_check: {tcp: "localhost:5434"}}
  migrate: {command: c, oneshot: true}
  cache: {command: d}
  cron: {command: e, cron: "@daily"}
`);
  expect(services[0]?.dependsOn).toEqual([
    { service: 'db', condition: 'healthy', onRestart: 'restart' },
    { service: 'migrate', condition: 'completed', onRestart: 'ignore' },
    { service: 'cache', condition: 'started', onRestart: 'restart' },
    { service: 'cron', condition: 'completed', onRestart: 'restart' },
    { service: 'db2', condition: 'started', onRestart: 'ignore' },
    { service: 'db3', condition: 'healthy', onRestart: 'restart' },
  ]);
});

test('defaults stand in for what a service does not say, and never change its hash', () => {
  const { services } = loaded('version: "1"\ndefaults: {stop_timeout: 3s, env: {A: "1"}, logs: {rotate: {size: 1M}}}\nservices:\n  a: {command: sleep 1000}\n  b: {command: sleep 1002, stop_timeout: 4s, env: {B: "2"}}\n');
  expect(services.map(({ stopTimeoutMs, env, logs }) => [stopTimeoutMs, env, logs.rotate.sizeBytes])).toEqual([
    [3000, { A: '1' }, 1_048_576], [4000, { B: '2' }, 1_048_576],
  ]);
  expect(services[0]?.hash).toBe('5a8b46e4ea2d7d8b');
});

test('version and services without a value are a version and no services, as in 0.33.0', () => {
  for (const yaml of ['version: ~\nservices: {}\n', 'version:\nservices:\n', 'version: "1"\nservices: # none yet\n', 'version: "1"\nservices: ~\n']) {
    expect(loaded(yaml).services, yaml).toEqual([]);
  }
});

test('metrics are clamped as in 0.33.0, saying so', () => {
  const { metrics, warnings } = loaded('version: "1"\nservices: {}\nmetrics: {sample_interval_secs: 90, spillover_path: /var/metrics}\n');
  expect(metrics).toEqual({
    retentionMs: 43_200_000, sampleIntervalMs: 60_000, maxMemoryBytes: 10_485_760, spilloverPath: '/var/metrics', spilloverMaxBytes: 6_291_456, spilloverSegmentBytes: 262_144,
  });
  expect(warnings.map(({ line, column, message }) => [line, column, message])).toEqual([[3, 33, '90 is read as 60, as in systemg 0.33.0']]);
  expect(loaded('version: "1"\nservices: {}\n').metrics).toBeNull();
});

test('anchors and aliases are followed', () => {
  const { services } = loaded('version: "1"\nservices:\n  a: {command: a, env: &common {X: "1"}}\n  b: {command: b, env: *common}\n');
  expect(services.map(({ env }) => env)).toEqual([{ X: '1' }, { X: '1' }]);
});

test('names of JavaScript’s own are names like others', () => {
  const { services } = loaded('version: "1"\nservices:\n  __proto__: {command: a, env: {__proto__: x, constructor: y}}\n  toString: {command: b, depends_on: [__proto__]}\n');
  expect(services.map(({ name }) => name)).toEqual(['__proto__', 'toString']);
  expect(Object.entries(services[0]?.env ?? {})).toEqual([['__proto__', 'x'], ['constructor', 'y']]);
});

test('the resolved configuration is frozen all the way down', () => {
  const config = loaded('version: "1"\nservices: {web: {command: a, env: {A: "1"}}}\n');
  const frozenBelow = (value: unknown): boolean => typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozenBelow));
  expect(frozenBelow(config)).toBe(true);
});

const warned: readonly (readonly [title: string, body: string, warning: string])[] = [
  ['a window without a budget', 'command: a\nrestart_window: 1m', '5:21 services.web.restart_window: has no effect without max_restarts'],
  ['restart keys on a cron unit', 'command: a\ncron: "@daily"\nrestart_policy: always', '6:21 services.web.restart_policy: has no effect on a cron unit'],
  ['blue-green without rolling', 'command: a\ndeployment: {blue_green: {slots: [a, b], switch_command: c}}', '5:30 services.web.deployment.blue_green: has no effect without strategy: rolling'],
  ['logs by file', 'command: a\nlogs: {via: file}', '5:17 services.web.logs.via: a service that re-opens /dev/stdout or /dev/stderr truncates the file, and lines have no times'],
];

describe('what works but may surprise is warned about', () => {
  test.each(warned)('%s', (_title, body, warning) => {
    const { warnings } = loaded(`version: "1"\nservices:\n  web:\n${body.replaceAll(/^/gm, '    ')}\n`);
    expect(warnings.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)).toEqual([warning]);
  });

  test('versions, a project directory and unusual names', () => {
    const { warnings } = loaded('version: "2"\nproject_dir: /elsewhere\nservices:\n  "my web": {command: a}\n');
    expect(warnings.map(({ line, path }) => [line, path])).toEqual([[1, 'version'], [2, 'project_dir'], [4, 'services."my web"']]);
  });
});

function defaultRestart(): ServiceSpec['restart'] {
  return {
    mode: 'never', oneshot: false, maxRestarts: null, windowMs: null, stableAfterMs: 10_000, successExitCodes: [0], noRestartExitCodes: [],
    backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.1 },
  };
}

function defaultCheck() {
  return { intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart' } as const;
}

test('a plain service is what a file says nothing about but the command', () => {
  const dir = configDir();
  const { hash: _hash, definition: _definition, dependsOn, ...loadedUnit } = service('command: run', { dir });
  expect(dependsOn).toEqual([]);
  expect(plainService('web', dir.path, { command: 'run', launch: { kind: 'exec', argv: ['run'] } })).toEqual(loadedUnit);
});
