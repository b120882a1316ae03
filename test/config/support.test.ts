import { describe, expect, test } from 'vitest';
import { closedKeys } from '../../src/config/support.ts';
import { load, refusals } from './config-dir.ts';

const gated = { gate: closedKeys };
const block = (body: string): string => `version: "1"\nservices:\n  web:\n    command: a\n    ${body}\n  db: {command: b}\n  once: {command: c, oneshot: true}\n`;

describe('a known key that nothing acts on yet is refused', () => {
  test.each([
    ['health_check: {tcp: "localhost:80"}', "sysg.yaml:5:5: services.web.health_check: 'health_check' is not supported yet"],
    ['cron: "@daily"', "sysg.yaml:5:5: services.web.cron: 'cron' is not supported yet"],
    ['deployment: {strategy: rolling}', "sysg.yaml:5:18: services.web.deployment.strategy: 'deployment.strategy: rolling' is not supported yet"],
    ['deployment: {grace_period: 5s}', "sysg.yaml:5:18: services.web.deployment.grace_period: 'deployment.grace_period' is not supported yet"],
    ['depends_on: [{service: once, condition: completed}]', "sysg.yaml:5:34: services.web.depends_on.0.condition: 'depends_on.condition: completed' is not supported yet"],
    ['depends_on: [once]', "sysg.yaml:5:18: services.web.depends_on.0: 'depends_on.condition: completed' is not supported yet; 'once' alone means it, {service: once, condition: started} does not"],
  ])('%s', (body, problem) => {
    expect(refusals(block(body), gated)).toEqual([problem]);
  });
});

test('a closed key is checked all the same', () => {
  expect(refusals(block('cron: "x"'), gated)).toEqual([
    "sysg.yaml:5:5: services.web.cron: 'cron' is not supported yet",
    "sysg.yaml:5:11: services.web.cron: Invalid cron expression 'x': expected 5, 6 or 7 fields, got 1",
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
    depends_on: [db, {service: once, condition: started}]
    success_exit_codes: [0]
    no_restart_exit_codes: [2]
    oneshot: false
    essential: true
    skip: "test -e x"
    deployment: {strategy: immediate, pre_start: make}
    user:`;
  expect(load(block(body), gated).ok).toBe(true);
});
