import { cpSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { sysg } from '../cli/rig.ts';
import { tempDir } from '../temp-dir.ts';

const fixtures = resolve(import.meta.dirname, '../fixtures/import');
const kinds = ['pm2', 'procfile', 'supervisord', 'compose', 'process-compose', 'systemg'] as const;

/** What is only read because another file names it. */
const further = /(?:^|\/)(?:\.|common\.yml$|more\.yml$|conf\.d\/)/;

const cases = kinds.flatMap((kind) =>
  readdirSync(join(fixtures, kind), { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(fixtures, kind, name)).isFile() && !further.test(name))
    .toSorted()
    .map((name) => [kind, name] as const),
);

test('there are ten files of each kind', () => {
  for (const kind of kinds) expect(cases.filter(([of]) => of === kind).length, kind).toBeGreaterThanOrEqual(10);
});

test.each(cases)('%s %s: its kind is seen in it, and the result is valid and as expected', async (kind, name) => {
  const home = tempDir();
  cpSync(join(fixtures, kind), join(home, kind), { recursive: true });
  const cwd = dirname(join(home, kind, name));
  // As where these files were made: without programs and variables of this machine.
  const around = { cwd, env: { HOME: home, PATH: '/usr/bin:/bin' } };
  const imported = await sysg(['import', basename(name)], around);
  expect(imported.stderr).toBe('');
  expect(imported.exitCode).toBe(0);
  const validated = await sysg(['validate', '-c', 'sysg.config.yaml', '--json'], around);
  expect(JSON.parse(validated.stdout)).toMatchObject({ ok: true, errors: [] });
  const text = readFileSync(join(cwd, 'sysg.config.yaml'), 'utf8').replaceAll(home, '/HOME').replaceAll(hostname(), 'HOST');
  await expect(text).toMatchFileSnapshot(join(fixtures, 'expected', `${kind}-${name.replaceAll('/', '-')}.yaml`));
  // The list is printed as it stands at the end.
  const listed = text
    .split('\n')
    .filter((line) => /^# \S+:\d+: (?:lost|changed)\b/.test(line))
    .map((line) => line.slice(2));
  const printed = imported.stdout
    .replaceAll(home, '/HOME')
    .split('\n')
    .filter((line) => /^\S+:\d+: (?:lost|changed)\b/.test(line));
  expect(printed).toEqual(listed);
  expect(readdirSync(cwd).filter((left) => left.startsWith('.sysg-import'))).toEqual([]);
  rmSync(home, { recursive: true });
});
