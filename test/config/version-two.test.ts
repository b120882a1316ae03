import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { loaded, refusals } from './config-dir.ts';

const fixture = (name: string): string => readFileSync(resolve(import.meta.dirname, '../fixtures/import/systemg', name), 'utf8');

test('a file of version 2: the services of all projects, told apart by their project where they have to be', () => {
  const { services, warnings } = loaded(fixture('v2.yaml'));
  expect(services.map(({ name, command }) => [name, command])).toEqual([
    ['loose', 'sleep 3003'], ['shop.web', 'sleep 3000'], ['db', 'sleep 3001'], ['blog.web', 'sleep 3002'],
  ]);
  expect(services.map(({ dependsOn }) => dependsOn.map(({ service }) => service))).toEqual([[], ['db'], [], ['loose']]);
  expect(services[0]?.logs.rotate).toMatchObject({ sizeBytes: 1_048_576, keep: 3 });
  expect(warnings.map(({ line, path }) => [line, path])).toEqual([[2, 'version'], [8, 'status']]);
  expect(warnings[0]?.message).toContain('version 2 of systemg: its projects are read as services of this one supervisor; "sysg import" makes');
});

test('what a service of version 2 has and sysg does not is named, and the service starts without it', () => {
  const { services, warnings } = loaded('version: "2"\nproject: {id: x}\nservices:\n  a:\n    command: sleep 1\n    telepathy: on\n    logs: {sink: none}\n');
  expect(services[0]?.logs.logger).toBe('cat > /dev/null');
  expect(warnings.map(({ path, message }) => `${path}: ${message}`).slice(1)).toEqual([
    'project: has no effect: sysg has no such key', 'services.a.telepathy: has no effect: sysg has no such key',
  ]);
});

test('a dependency within a project means the service of that project', () => {
  const { services } = loaded('version: "2"\nprojects:\n  p: {services: {web: {command: a, depends_on: [db]}, db: {command: b}}}\n  q: {services: {db: {command: c}, web: {command: d, depends_on: [{service: db, condition: started}]}}}\n');
  expect(services.map(({ name, dependsOn }) => [name, ...dependsOn.map(({ service }) => service)])).toEqual([['p.web', 'p.db'], ['p.db'], ['q.db'], ['q.web', 'q.db']]);
});

test('mistakes in a file of version 2 have its lines', () => {
  expect(refusals(fixture('wrong-values.yaml')).map((problem) => problem.replace(/: expected.*/, ''))).toEqual([
    'sysg.yaml:5:45: services.a.restart_policy', 'sysg.yaml:5:71: services.a.max_restarts',
  ]);
  expect(refusals('version: "3"\nprojects: {}\nservices: {}\n')).toEqual([expect.stringContaining("unknown key 'projects'")]);
});
