import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  cleanupRuntime, configHintPath, ControlError, readConfigHint, readSupervisorPid, socketPath, stateDir, supervisorPidPath,
  writeConfigHint, writeSupervisorPid,
} from '../../src/control/client.ts';
import { tempDir } from '../temp-dir.ts';

describe('the state directory', () => {
  test('is below HOME, or without one below the home of the effective user', () => {
    expect(stateDir('/home/a')).toBe('/home/a/.local/share/systemg');
    const home = process.env['HOME'];
    delete process.env['HOME'];
    expect(stateDir()).toBe(join(userInfo().homedir, '.local/share/systemg'));
    if (home !== undefined) process.env['HOME'] = home;
  });

  test('is made, for its owner alone, by the first that asks for a path in it', () => {
    for (const [path, name] of [[socketPath, 'control.sock'], [supervisorPidPath, 'sysg.pid'], [configHintPath, 'config_hint']] as const) {
      const directory = join(tempDir(), 'a', 'b');
      expect(path(directory)).toBe(join(directory, name));
      expect((statSync(directory).mode & 0o777).toString(8)).toBe('700');
    }
  });

  test('that cannot be made is an I/O error that names it', () => {
    const directory = join(tempDir(), 'file');
    writeFileSync(directory, '');
    expect(() => socketPath(join(directory, 'x'))).toThrow(
      new ControlError('io', `Not a directory (os error 20) (${join(directory, 'x')})`),
    );
  });
});

describe('the supervisor\'s pid', () => {
  test('is written whole, for its owner alone, without a trailing newline or leftovers', () => {
    const directory = tempDir();
    writeSupervisorPid(12345, directory);
    writeSupervisorPid(54321, directory);
    expect(readFileSync(join(directory, 'sysg.pid'), 'utf8')).toBe('54321');
    expect((statSync(join(directory, 'sysg.pid')).mode & 0o777).toString(8)).toBe('600');
    expect(readdirSync(directory)).toEqual(['sysg.pid']);
    expect(readSupervisorPid(directory)).toBe(54321);
  });

  test('is none without a file, is read with blanks around it, and is no other text', () => {
    const directory = tempDir();
    expect(readSupervisorPid(directory)).toBeNull();
    writeFileSync(join(directory, 'sysg.pid'), ' 77\n');
    expect(readSupervisorPid(directory)).toBe(77);
    for (const text of ['', 'abc', '-1', '0', '2147483648', '7x']) {
      writeFileSync(join(directory, 'sysg.pid'), text);
      expect(() => readSupervisorPid(directory)).toThrow(/^control socket I\/O failed: .*sysg\.pid: expected a process id, found/);
    }
  });

  test('leaves nothing half-written behind when it cannot be put in place', () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'sysg.pid'));
    expect(() => writeSupervisorPid(1, directory)).toThrow(/^control socket I\/O failed: .* \(os error \d+\)/);
    expect(readdirSync(directory)).toEqual(['sysg.pid']);
  });
});

test('the config hint is none without a file or with an empty one', () => {
  const directory = tempDir();
  expect(readConfigHint(directory)).toBeNull();
  writeConfigHint('/a/sysg é.yaml', directory);
  expect(readConfigHint(directory)).toBe('/a/sysg é.yaml');
  writeFileSync(join(directory, 'config_hint'), ' \n');
  expect(readConfigHint(directory)).toBeNull();
  // Damage would reach the terminal of whoever is told of the file.
  writeFileSync(join(directory, 'config_hint'), '/a/\u001b]0;x\u0007sysg.yaml');
  expect(readConfigHint(directory)).toBeNull();
  writeFileSync(join(directory, 'config_hint'), '/a/one.yaml\n/a/other.yaml\n');
  expect(readConfigHint(directory)).toBe('/a/one.yaml\n/a/other.yaml');
  // A directory may be called that, and a tab steers no terminal.
  writeConfigHint('/a\tb/sysg.yaml', directory);
  expect(readConfigHint(directory)).toBe('/a\tb/sysg.yaml');
  chmodSync(directory, 0o700);
});

test('cleanup removes the three files and no other, as often as it is asked', () => {
  const directory = tempDir();
  writeSupervisorPid(1, directory);
  writeConfigHint('/a', directory);
  for (const name of ['control.sock', 'ledger.ndjson']) writeFileSync(join(directory, name), '');
  cleanupRuntime(directory);
  cleanupRuntime(directory);
  expect(readdirSync(directory)).toEqual(['ledger.ndjson']);
  expect(existsSync(join(directory, 'control.sock'))).toBe(false);
});
