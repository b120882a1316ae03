import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loaded, refusals } from './config-dir.ts';

const fixture = (name: string): string => readFileSync(resolve(import.meta.dirname, '../fixtures/import/systemg', name), 'utf8');

test('a file of version 2: its services, and the logs of all of them', () => {
  const { services, warnings } = loaded(fixture('v2.yaml'));
  expect(services.map(({ name, command }) => [name, command])).toEqual([['web', 'sleep 3000'], ['db', 'sleep 3001'], ['loose', 'sleep 3003']]);
  expect(services.map(({ dependsOn }) => dependsOn.map(({ service }) => service))).toEqual([['db'], [], []]);
  expect(services[0]?.logs.rotate).toMatchObject({ sizeBytes: 1_048_576, keep: 3 });
  expect(services[2]?.logs.logger).toBe('cat > /dev/null');
  expect(warnings.map(({ line, path }) => [line, path])).toEqual([[2, 'version'], [8, 'status'], [10, 'project']]);
  expect(warnings[0]?.message).toContain('version 2 of systemg: its services are read as they are; "sysg import" makes');
});

test('what a service of version 2 has and sysg does not is named, and the service starts without it', () => {
  const { services, warnings } = loaded('version: "2"\nproject: {id: x}\nservices:\n  a:\n    command: sleep 1\n    telepathy: on\n    logs: {sink: none}\n');
  expect(services[0]?.logs.logger).toBe('cat > /dev/null');
  expect(warnings.map(({ path, message }) => `${path}: ${message}`).slice(1)).toEqual([
    'project: has no effect: sysg has no such key', 'services.a.telepathy: has no effect: sysg has no such key',
  ]);
});

test('a map of projects is refused with its line and with what is read', () => {
  for (const services of ['', 'services: {b: {command: sleep 2}}\n']) {
    const text = `version: "2"\n${services}projects:\n  p: {services: {a: {command: sleep 1}}}\n`;
    expect(refusals(text)).toEqual([expect.stringMatching(new RegExp(`^sysg\\.yaml:${services === '' ? 2 : 3}:1: .*'projects' of systemg's version 2 is not read: expected 'services'.*max_bytes`))]);
  }
});

test('mistakes in a file of version 2 have its lines', () => {
  expect(refusals(fixture('wrong-values.yaml')).map((problem) => problem.replace(/: expected.*/, ''))).toEqual([
    'sysg.yaml:3:41: services.a.restart_policy', 'sysg.yaml:3:67: services.a.max_restarts',
  ]);
  expect(refusals('version: "2"\n')).toEqual([expect.stringContaining('services')]);
  expect(refusals('version: "3"\nprojects: {}\nservices: {}\n')).toEqual([expect.stringContaining("unknown key 'projects'")]);
});
