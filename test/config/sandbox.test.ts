import { beforeEach, expect, test } from 'vitest';
import { configDir, load, loaded, type ConfigDir } from './config-dir.ts';

const withSandbox = (sandbox: string) => `version: "1"\nservices: {web: {command: a${sandbox === '' ? '' : `, sandbox: ${sandbox}`}}}\n`;
// A place is a part of a definition: all are read in one.
let dir: ConfigDir;
beforeEach(() => {
  dir = configDir();
});
const unit = (sandbox: string) => loaded(withSandbox(sandbox), { dir }).services[0];

test('strict is everything at once', () => {
  const strict = unit('strict');
  expect(strict?.privileges.sandbox).toEqual({ noNewPrivileges: true, readOnlyRoot: true, privateTmp: true, writable: [] });
  expect(unit('{no_new_privs: true, read_only_root: true, private_tmp: true}')?.definition).toEqual(strict?.definition);
  expect(unit('{read_only_root: true, writable: [/srv/x]}')?.privileges.sandbox).toEqual({ noNewPrivileges: false, readOnlyRoot: true, privateTmp: false, writable: ['/srv/x'] });
});

test('without a restriction a unit is what it is without the key, and a change needs a new process', () => {
  const plain = unit('');
  expect(plain?.privileges).not.toHaveProperty('sandbox');
  expect(unit('{no_new_privs: false}')).toEqual(plain);
  expect(unit('strict')?.definition.process).not.toBe(plain?.definition.process);
});

test.each([
  ['loose', "expected 'strict' or a map of sandbox keys, got \"loose\""], ['{private_temp: true}', "unknown key 'private_temp', did you mean 'private_tmp'?"],
  ['{read_only_root: true, writable: [var]}', 'expected an absolute path, got "var"'], ['{writable: [/var]}', "'writable' says nothing without 'read_only_root: true'"],
])('%s is refused', (sandbox, message) => {
  const result = load(withSandbox(sandbox));
  expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([message]);
});
