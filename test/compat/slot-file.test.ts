import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSlots, writeSlot } from '../../src/compat/slot-file.ts';
import { serviceSpec } from '../process/spec.ts';
import { tempDir } from '../temp-dir.ts';

const plain = serviceSpec(['sleep'], '/', { name: 'green' });
const spec: typeof plain = { ...plain, deployment: { ...plain.deployment, blueGreen: { statePath: null, slots: ['a', 'b'], envVar: 'PORT', switchCommand: 'true', candidateCheck: null, switchVerify: null } } };
const slots = (directory: string): unknown => readSlots([spec], directory, (text) => {
  throw new Error(text);
});

test('a slot that the disk does not take is refused; the one that is noted already needs no writing', () => {
  const directory = tempDir();
  const obstacle = join(directory, 'blue_green_green.json.tmp');
  mkdirSync(obstacle);
  expect(writeSlot(spec, 1, directory)).toContain('blue_green_green.json: ');
  // A switch that could not be noted is taken back.
  expect([writeSlot(spec, 0, directory), slots(directory), existsSync(obstacle)]).toEqual([null, { green: 0 }, true]);
  rmdirSync(obstacle);
  expect([writeSlot(spec, 1, directory), slots(directory)]).toEqual([null, { green: 1 }]);
  mkdirSync(obstacle);
  expect([writeSlot(spec, 1, directory), writeSlot(spec, 0, directory)]).toEqual([null, expect.any(String)]);
});
