import { expect, test } from 'vitest';
import { projectIn, projectOf } from '../../src/config/project.ts';
import { configDir, loaded, refusals } from './config-dir.ts';

const services = 'services: {web: {command: sleep 9}}';

test.each([
  ['none', `version: "1"\n${services}\n`],
  ['plain', `version: "1"\nproject: shop\n${services}\n`],
  ['with a comment', `# project: no\n---\nproject:   shop-2.1_x   # project: other\nversion: "1"\n${services}\n`],
  ['with a hash in it that is no comment', `version: "1"\n${services}\nproject: shop\t# mine`],
  ['quoted', `version: "1"\n"project": 'shop'\n${services}\n`],
  ['in double quotes, with the lines of Windows', `version: "1"\r\nproject: "shop"\r\n${services}\r\n`],
  ['indented', `  version: "1"\n  project: shop\n  ${services}\n`],
  ['in braces', `{version: "1", project: shop, ${services}}`],
  ['in braces over lines', `{\n  "version": "1",\n  "project": "shop",\n  "services": {"web": {"command": "sleep 9"}}\n}\n`],
  ['a number', `version: "1"\nproject: 2026\n${services}\n`],
  ['no value', `version: "1"\nproject:\n${services}\n`],
  ['only deeper', `version: "1"\nservices:\n  web:\n    command: |\n      project: shop\n    env: {project: shop}\n  project: {command: sleep 9}\n`],
  ['project_dir alone', `version: "1"\nproject_dir: /srv\n${services}\n`],
])('seen without reading all of the file, as the reader of the whole file sees it: %s', (_, yaml) => {
  expect(projectIn(yaml)).toBe(loaded(yaml).project);
});

test('a name that cannot be that of a directory, or is too long for a socket, is refused', () => {
  const about = (name: string): string => refusals(`version: "1"\nproject: ${name}\n${services}\n`).join('\n');
  for (const name of ['a/b', '..', '.x', '-x', '"a b"', 'x'.repeat(41), '${HOME}', '[a]']) expect(about(name), name).toMatch(/project: expected (?:a name of at most 40|the name of a project)/);
  expect(about('x'.repeat(40))).toBe('');
});

test('of the file that is named, else of the one that would be found; a pipe is left to its reader', () => {
  const dir = configDir();
  const options = { cwd: dir.path, configDir: '/nowhere', explicit: null };
  expect(projectOf(options)).toBeNull();
  dir.write('sysg.yaml', 'project: one\n');
  dir.write('other.yaml', 'project: two\n');
  expect([projectOf(options), projectOf({ ...options, explicit: 'other.yaml' }), projectOf({ ...options, explicit: 'missing.yaml' }), projectOf({ ...options, explicit: '/dev/null' })]).toEqual(['one', 'two', null, null]);
});
