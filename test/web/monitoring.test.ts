import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families } from '../../src/web/metrics/families.ts';
import { openTally } from '../../src/web/metrics/tally.ts';
import { snapshot } from './rig.ts';

const docs = join(import.meta.dirname, '../../docs');
const read = (name: string): string => readFileSync(join(docs, name), 'utf8');
const known = new Set(families({ snapshot: snapshot([]), supervisorPid: null, tally: openTally(), version: '1' }).map(({ name, type }) => (
  type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name)));

test('alerts and the dashboard ask for metrics that there are', () => {
  for (const file of ['monitoring/alerts.yml', 'monitoring/grafana.json']) {
    const asked = new Set([...read(file).matchAll(/\bsysg_\w+/g)].map(([name]) => name));
    expect(asked.size, file).toBeGreaterThan(5);
    expect([...asked].filter((name) => !known.has(name)), file).toEqual([]);
  }
});

test('the table of the documentation has every metric', () => {
  const page = read('monitoring.md');
  const shortened = (name: string): boolean => name.startsWith('sysg_supervisor') && page.includes(`\`${name.replace('sysg_supervisor', '')}\``);
  expect([...known].filter((name) => !page.includes(name) && !shortened(name))).toEqual([]);
});

test('the dashboard is one that Grafana imports: a schema, panels with places that do not overlap, queries', () => {
  const { schemaVersion, panels } = JSON.parse(read('monitoring/grafana.json')) as { schemaVersion: number; panels: { id: number; gridPos: { x: number; y: number; w: number; h: number }; targets: { expr: string }[] }[] };
  expect(schemaVersion).toBeGreaterThan(30);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`));
  expect(new Set(cells).size).toBe(cells.length);
  for (const { targets } of panels) expect(targets.every(({ expr }) => expr !== '')).toBe(true);
});

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

test.skipIf(!hasPromtool)('promtool has nothing to say against the alerts, and their tests pass (skipped without promtool: apt-get install prometheus)', () => {
  for (const words of [['check', 'rules', 'alerts.yml'], ['test', 'rules', 'alerts.test.yml']]) {
    const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: join(docs, 'monitoring'), encoding: 'utf8' });
    expect({ words, status, said: status === 0 ? '' : stdout + stderr }).toEqual({ words, status: 0, said: '' });
  }
});
