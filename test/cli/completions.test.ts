import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completionScript, shells } from '../../src/cli/print/completions.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

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
  const script = join(tempDir(), 'script');
  writeFileSync(script, completionScript(shell));
  expect(spawnSync(shell, ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
});

test('--units names the units of the configuration while no supervisor runs', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 1}\n  "a b": {command: sleep 1}\n');
  expect((await sysg(['completions', '--units'], { env: { HOME: home } })).stdout).toBe('web\na b\n');
  expect(await sysg(['completions', '--units'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

/** A `sysg` that knows some units, and in system mode another one. */
function withUnits(withColons = false): string {
  const directory = tempDir();
  const cases = `"-c my own.yaml -p shop completions --units"|"--config my own.yaml --project shop completions --units") echo file-web ;; "--config=my.yaml completions --units"|"--config my.yaml completions --units") echo my-web ;; "completions --units") printf "web\\nworker\\ndb\\n${withColons ? 'job:a\\njob:b\\n' : ''}" ;; "--sys completions --units") echo system-web ;;`;
  writeFileSync(join(directory, 'sysg'), `#!/bin/sh\ncase "$*" in ${cases} esac\n`);
  chmodSync(join(directory, 'sysg'), 0o755);
  return directory;
}

function isThere(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

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
    [['stop', 'w'], ['web', 'worker']],
    [['up', 'd'], ['db']],
    [['up', '--da'], ['--daemonize']],
    [['do'], ['doctor', 'down']],
    [['signal', 'd'], ['db']],
    [['signal', 'web', 'U'], ['USR1', 'USR2']],
    [['logs', '-n', ''], []],
    [['ps', '--service', 'd'], ['db']],
    [['stop', '--service', '=', 'w'], ['web', 'worker']],
    [['logs', '--kind', '='], ['stdout', 'stderr', 'all', 'supervisor']],
    [['--sys', 'stop', '-s', 's'], ['system-web']],
    [['-c', 'my own.yaml', '-p', 'shop', 'stop', 'f'], ['file-web']],
    [['stop', '--config', '"my own.yaml"', '--project', '=', 'shop', '-s', 'f'], ['file-web']],
    [['why', '--config', '=', 'my.yaml', 'm'], ['my-web']],
  ])('%j becomes one of %j', (words, expected) => {
    const directory = withUnits();
    const line = ['sysg', ...words].map((word) => `'${word}'`).join(' ');
    const program = `${completionScript('bash')}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _sysg; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8', env: { PATH: `${directory}:${process.env['PATH']}` } });
    expect({ stderr, words: stdout.split('\n').filter((word) => word !== '').sort() }).toEqual({ stderr: '', words: [...expected].sort() });
  });
});

test.each([
  ['sysg stop -s w', ['sysg', 'stop', '-s', 'w'], ['web', 'web:1', 'web:2', 'worker:a']],
  ['sysg stop -s web:', ['sysg', 'stop', '-s', 'web', ':'], ['1', '2']],
  ['sysg wait web:2 --for re', ['sysg', 'wait', 'web', ':', '2', '--for', 're'], ['ready']],
  ['sysg why worker:a', ['sysg', 'why', 'worker', ':', 'a'], ['a']],
  ['sysg wait web: --for re', ['sysg', 'wait', 'web', ':', '--for', 're'], ['ready']],
  ['sysg stop --service=web:', ['sysg', 'stop', '--service', '=', 'web', ':'], ['1', '2']],
])('names with colons in bash: "%s"', (line, words, expected) => {
  const directory = tempDir();
  writeFileSync(join(directory, 'sysg'), `#!/bin/sh\nprintf 'web\\nweb:1\\nweb:2\\nworker:a\\n'\n`, { mode: 0o755 });
  const given = words.map((word) => `'${word}'`).join(' ');
  const program = `${completionScript('bash')}\nCOMP_LINE='${line}'; COMP_WORDS=(${given}); COMP_CWORD=${words.length - 1}; _sysg; printf '%s\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', program], { encoding: 'utf8', env: { PATH: `${directory}:${process.env['PATH']}` } });
  expect({ stderr, words: stdout.trim().split('\n') }).toEqual({ stderr: '', words: expected });
});

// Where the shell is not installed there is nothing to try its script in.
describe.skipIf(!isThere('fish'))('in fish (skipped where it is not installed)', () => {
  test.each([
    ['sysg sta', ['start', 'status']], ['sysg --sys sta', ['start', 'status']], ['sysg logs -k s', ['stderr', 'stdout', 'supervisor']], ['sysg logs -s w', ['web', 'worker']],
    ['sysg stop --service=w', ['--service=web', '--service=worker']], ['sysg wait web --for r', ['ready', 'running']], ['sysg why d', ['db']], ['sysg help val', ['validate']],
    ['sysg --sys stop -s s', ['system-web']], ['sysg -c "my own.yaml" -p shop stop f', ['file-web']], ['sysg why --config=my.yaml m', ['my-web']], ['sysg up d', ['db']], ['sysg d', ['doctor', 'down']], ['sysg signal web US', ['USR1', 'USR2']], ['sysg stop job:', ['job:a', 'job:b']],
    ['sysg ps --service=job:', ['--service=job:a', '--service=job:b']],
  ])('"%s" becomes one of %j', (line, expected) => {
    const directory = withUnits(true);
    const script = join(directory, 'script.fish');
    writeFileSync(script, completionScript('fish'));
    const env = { PATH: `${directory}:${process.env['PATH']}`, HOME: directory };
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', `source ${script}; complete -C '${line}'`], { encoding: 'utf8', env });
    expect({ stderr, words: stdout.split('\n').filter((row) => row !== '').map((row) => row.split('\t')[0]) }).toEqual({ stderr: '', words: expected });
  });
});

describe.skipIf(!isThere('zsh'))('in zsh (skipped where it is not installed)', () => {
  test.each([
    ['sysg logs -s wo', 'sysg logs -s worker'], ['sysg stop --service=wo', 'sysg stop --service=worker'], ['sysg why d', 'sysg why db'], ['sysg val', 'sysg validate'],
    ['sysg logs -k su', 'sysg logs -k supervisor'], ['sysg --sys stop -s s', 'sysg --sys stop -s system-web'], ['sysg wait web --for com', 'sysg wait web --for completed'],
    ['sysg -c "my own.yaml" -p shop stop f', 'sysg -c "my own.yaml" -p shop stop file-web'], ['sysg why --config=my.yaml m', 'sysg why --config=my.yaml my-web'], ['sysg why --log-level=debug d', 'sysg why --log-level=debug db'], ['sysg why --config my.yaml m', 'sysg why --config my.yaml my-web'],
    ['sysg up wo', 'sysg up worker'], ['sysg dow', 'sysg down'], ['sysg signal web d', 'sysg signal web db'], ['sysg signal web Q', 'sysg signal web QUIT'],
    ['sysg stop job:b', 'sysg stop job:b'], ['sysg stop jo', 'sysg stop job:'], ['sysg ps --service=jo', 'sysg ps --service=job:'],
  ])('"%s" becomes "%s"', (line, expected) => {
    const directory = withUnits(true);
    const script = join(directory, 'script.zsh');
    writeFileSync(script, completionScript('zsh'));
    // A terminal of its own, whose line editor shows what has become of the line.
    const program = `
      zmodload zsh/zpty; zpty shell zsh -f
      say() { zpty -w shell "$1" }
      wait_for() { local got= all=; while zpty -r shell got "*$1*"; do return 0; done; return 1 }
      say 'PS1=; autoload -Uz compinit; compinit -u -D; source ${script}; show() { print -r -- "<$BUFFER>" > ${directory}/line; }; zle -N show; bindkey "^T" show; print rea""dy'
      wait_for ready
      zpty -w -n shell $'${line}\\t\\C-t'
      for try in {1..400}; do [[ -s ${directory}/line ]] && break; sleep 0.05; done
      cat ${directory}/line; zpty -d shell`;
    const env = { PATH: `${directory}:${process.env['PATH']}`, HOME: directory, TERM: 'xterm' };
    const { stdout } = spawnSync('zsh', ['-f', '-c', program], { encoding: 'utf8', env, timeout: 40_000 });
    expect(stdout.trim()).toMatch(new RegExp(`^<${expected} ?>$`));
  }, 60_000);
});
