import { describe, expect, test } from 'vitest';
import { configDir, service } from './config-dir.ts';

const before = service('command: run\nhealth_check: {tcp: "localhost:80"}', { dir: configDir() }).definition;

describe('a change that needs a new process', () => {
  test.each([
    ['command', 'command: walk'], ['env', 'env: {A: "1"}'], ['working_dir', 'working_dir: /'], ['user', 'user: www'], ['limits', 'limits: {nofile: 10}'],
    ['pre_start', 'deployment: {pre_start: make}'], ['skip', 'skip: "test -e x"'], ['spawn', 'spawn: {mode: dynamic}'], ['logger', 'logs: {logger: cat}'],
    ['cron', 'cron: "@daily"'], ['notify_fd', 'health_check: {notify_fd: 3}'],
  ])('%s', (key, body) => {
    const base = key === 'command' ? '' : 'command: run\n';
    const check = key === 'notify_fd' ? '' : '\nhealth_check: {tcp: "localhost:80"}';
    expect(service(`${base}${body}${check}`).definition.process).not.toBe(before.process);
  });

  test('the content of an env file', () => {
    const dir = configDir();
    const read = (content: string): string => {
      dir.write('.env', content);
      return service('command: run\nenv: {file: .env}', { dir }).definition.process;
    };
    expect(read('A=1\n')).not.toBe(read('A=2\n'));
    expect(read('A=1\nB=2\n')).toBe(read('B=2\n# comment\nA=1\n'));
  });
});

describe('a change that is taken over live', () => {
  test.each([
    ['restart_policy', 'restart_policy: always'], ['backoff', 'backoff: 3s'], ['stop_timeout', 'stop_timeout: 3s'], ['stop_signal', 'stop_signal: INT'],
    ['essential', 'essential: true'], ['hooks', 'hooks: {on_stop: {error: {command: x}}}'], ['rotation', 'logs: {rotate: {keep: 9}}'],
  ])('%s', (_key, body) => {
    const dir = configDir();
    const base = service('command: run\nhealth_check: {tcp: "localhost:80"}', { dir }).definition;
    const after = service(`command: run\nhealth_check: {tcp: "localhost:80"}\n${body}`, { dir }).definition;
    expect(after.process).toBe(base.process);
    expect(after.policy).not.toBe(base.policy);
  });

  test('another probe', () => {
    const dir = configDir();
    const base = service('command: run\nhealth_check: {tcp: "localhost:80"}', { dir }).definition;
    const after = service('command: run\nhealth_check: {tcp: "localhost:81"}', { dir }).definition;
    expect([after.process === base.process, after.policy === base.policy]).toEqual([true, false]);
  });
});

test('the same service in other words is the same definition', () => {
  const dir = configDir();
  expect(service('command: run "a b"\nstop_timeout: 60', { dir }).definition.process).toBe(service('exec: [run, a b]\nstop_timeout: 1m', { dir }).definition.process);
});
