import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSource } from '../../src/config/document.ts';
import { forgetConfig, keepConfig, lastConfig } from '../../src/daemon/last-config.ts';
import { openSmallFiles } from '../../src/state/small-files.ts';
import { tempDir } from '../temp-dir.ts';

test.each([['few units', 2], ['so many units that the text is packed', 5000]])('a configuration of %s that somebody removes is kept again as it was', (_, count) => {
  const { root } = parseSource(`services:\n${Array.from({ length: count }, (__, index) => `  unit-${index}: {command: sleep ${index}}\n`).join('')}`, []);
  if (root === null) throw new Error('the source is empty');
  const directory = tempDir();
  const files = openSmallFiles((text) => expect.fail(text));
  const config = { path: '/x.yaml', source: root, included: {}, envFiles: {}, units: {} };
  keepConfig(directory, config, files);
  const kept = lastConfig(directory);
  expect(kept).toMatchObject({ path: '/x.yaml' });
  rmSync(join(directory, 'config.last.json'));
  expect(files.mend()).toBe(true);
  expect(lastConfig(directory)).toEqual(kept);
});

test('nothing is known of a configuration that another version kept, that is damaged, or that was forgotten', () => {
  const { root } = parseSource('services: {}\n', []);
  if (root === null) throw new Error('the source is empty');
  const directory = tempDir();
  const file = join(directory, 'config.last.json');
  keepConfig(directory, { path: '/x.yaml', source: root, included: {}, envFiles: {}, units: {} }, openSmallFiles((text) => expect.fail(text)));
  const text = readFileSync(file, 'utf8');
  expect(lastConfig(directory)).not.toBeNull();
  for (const other of [text.replace(/"form":[0-9]+/, '"form":0'), text.slice(0, -1), text.replace('"entries"', '"entires"'), text.replace('"kind":"map"', '"kind":"tree"')]) {
    expect(other).not.toBe(text);
    writeFileSync(file, other);
    expect(lastConfig(directory)).toBeNull();
  }
  expect([forgetConfig(directory), lastConfig(directory), forgetConfig(directory)]).toEqual([null, null, null]);
  mkdirSync(file);
  expect(forgetConfig(directory)).toContain(file);
});
