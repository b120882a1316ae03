import { describe, expect, test } from 'vitest';
import { closedKeys } from '../../src/config/support.ts';
import { load, refusals } from './config-dir.ts';

const gated = { gate: closedKeys };
const block = (body: string): string => `version: "1"\nservices:\n  web:\n    command: a\n    ${body}\n  db: {command: b}\n  once: {command: c, oneshot: true}\n  slow: {command: d, health_check: {command: e}}\n`;

describe('a known key that nothing acts on yet is refused', () => {
  test.each([
    ['logs: {logger: "logger -t web"}', "sysg.yaml:5:12: services.web.logs.logger: 'logs.logger' is not supported yet"],
    ['deployment: {strategy: rolling}', "sysg.yaml:5:18: services.web.deployment.strategy: 'deployment.strategy: rolling' is not supported yet"],
    ['deployment: {grace_period: 5s}', "sysg.yaml:5:18: services.web.deployment.grace_period: 'deployment.grace_period' is not supported yet"],
  ])('%s', (body, problem) => {
    expect(refusals(block(body), gated)).toEqual([problem]);
  });
});

test('a closed key is checked all the same', () => {
  expect(refusals(block('deployment: {grace_period: soon}'), gated)).toEqual([
    "sysg.yaml:5:18: services.web.deployment.grace_period: 'deployment.grace_period' is not supported yet",
    expect.stringMatching(/^sysg\.yaml:5:32: services\.web\.deployment\.grace_period: .*"soon"/),
  ]);
});

test('keys in force are open', () => {
  const body = `env: {A: b}
    working_dir: /
    restart_policy: always
    backoff: {initial: 1s}
    max_restarts: 3
    restart_window: 1m
    stable_after: 5s
    stop_signal: INT
    stop_timeout: 3s
    health_check: {tcp: "localhost:80"}
    hooks: {on_start: {success: {command: date}}}
    depends_on: [db, once, {service: slow, condition: healthy}]
    success_exit_codes: [0]
    no_restart_exit_codes: [2]
    oneshot: false
    essential: true
    skip: "test -e x"
    deployment: {strategy: immediate, pre_start: make}
    user: www
    group: www
    supplementary_groups: [ssl]
    capabilities: [CAP_CHOWN]
    limits: {nofile: 1K, nice: 5, cpu_affinity: [0], cgroup: {memory_max: 64M}}
    spawn: {mode: dynamic, limits: {total_memory: 1G}}
    isolation: {pid: true}`;
  expect(load(block(body), gated).ok).toBe(true);
});
