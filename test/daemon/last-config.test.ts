import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSource } from '../../src/config/document.ts';
import { keepConfig, lastConfig } from '../../src/daemon/last-config.ts';
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
