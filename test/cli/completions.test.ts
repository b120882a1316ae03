import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completionScript, shells } from '../../src/cli/print/completions.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { ownDirectory, sysg } from './rig.ts';

test.each(shells)('the script for %s is printed, and knows every command and every flag', async (shell) => {
  const { exitCode, stdout, stderr } = await sysg(['completions', shell]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  for (const { name, options } of verbs.filter(({ hidden }) => hidden !== true)) {
    expect(stdout).toContain(name);
    for (const option of options) expect(stdout).toMatch(new RegExp(`-(-|l )${option.name}\\b`));
  }
  expect(stdout).not.toContain('spawn)');
});

test.each(shells.filter((shell) => spawnSync(shell, ['-c', 'exit 0']).status === 0))('%s reads its script without complaint', (shell) => {
  const script = join(ownDirectory(), 'script');
  writeFileSync(script, completionScript(shell));
  expect(spawnSync(shell, ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('--units names the units of the configuration while no supervisor runs', async () => {
  const home = ownDirectory();
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 1}\n  "a b": {command: sleep 1}\n');
  expect((await sysg(['completions', '--units'], { env: { HOME: home } })).stdout).toBe('web\na b\n');
  expect(await sysg(['completions', '--units'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

describe('in bash', () => {
  test.each([
    [['sta'], ['start', 'status']],
    [['--sys', 'sta'], ['start', 'status']],
    [['status', '--js'], ['--json']],
    [['logs', '-k', 'st'], ['stdout', 'stderr']],
    [['logs', '-s', 'w'], ['web', 'worker']],
    [['wait', 'web', '--for', 'r'], ['running', 'ready']],
    [['wait', 'd'], ['db']],
    [['completions', ''], ['bash', 'zsh', 'fish']],
    [['help', 'val'], ['validate']],
    [['stop', 'x'], []],
  ])('%j becomes one of %j', (words, expected) => {
    const directory = ownDirectory();
    writeFileSync(join(directory, 'sysg'), '#!/bin/sh\n[ "$*" = "completions --units" ] && printf "web\\nworker\\ndb\\n"\n');
    chmodSync(join(directory, 'sysg'), 0o755);
    const line = ['sysg', ...words].map((word) => `'${word}'`).join(' ');
    const program = `${completionScript('bash')}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _sysg; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8', env: { PATH: `${directory}:${process.env['PATH']}` } });
    expect({ stderr, words: stdout.split('\n').filter((word) => word !== '').sort() }).toEqual({ stderr: '', words: [...expected].sort() });
  });
});
