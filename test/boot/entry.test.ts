import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bootEntry } from '../../src/boot/entry.ts';
import { longestCommand, withLines } from '../../src/boot/crontab.ts';
import { orderIn } from '../../src/boot/order.ts';
import { initSystems } from '../../src/init-system.ts';
import { makeMachine, makeOrder } from './rig.ts';

/** What quoting has to bear. */
const odd = `a b "c" 'd' $HOME \${X} 100% \\e --f é <&>`;

describe.each(initSystems)('%s', (init) => {
  test('the text says what it was made from, whatever the paths are', () => {
    const machine = makeMachine();
    const order = makeOrder(machine, { config: `/srv/${odd}/sysg.yaml`, project: 'shop', flags: ['--log-level', 'debug'] });
    const { text } = bootEntry(init, order, machine);
    expect(orderIn(text)).toEqual(order);
  });
});

test('systemd reads the unit without a complaint, and the odd words as they are', (context) => {
  const machine = makeMachine();
  for (const [system, directory] of [[false, join(machine.root, odd)], [true, join(machine.root, '100% é')]] as const) {
    const program = join(directory, 'sysg');
    mkdirSync(directory);
    writeFileSync(program, '', { mode: 0o755 });
    const { text } = bootEntry('systemd', makeOrder(machine, { program, config: join(directory, 'sysg.yaml'), system }), machine);
    // The manual page is installed with the package.
    const unit = join(machine.root, 'sysg-test.service');
    writeFileSync(unit, text.replace('man:sysg(1)', 'man:sh(1)'));
    const verified = spawnSync('systemd-analyze', [system ? '--system' : '--user', '--man=no', 'verify', unit], { encoding: 'utf8', env: { ...process.env, SYSTEMD_LOG_LEVEL: 'warning', XDG_RUNTIME_DIR: machine.root } });
    if (verified.error !== undefined) return context.skip(`systemd-analyze cannot be run: ${verified.error.message}`);
    expect(verified.stderr).toBe('');
    expect(verified.status).toBe(0);
  }
});

test('the OpenRC script calls sysg with the words as they are', () => {
  const machine = makeMachine();
  const directory = join(machine.root, odd);
  mkdirSync(directory);
  const program = join(directory, 'sysg');
  writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
  const { text } = bootEntry('openrc', makeOrder(machine, { program, system: true, project: 'shop', config: `${directory}/sysg.yaml` }), machine);
  // openrc-run(8) has its own words as programs in directories that it puts into PATH.
  const words = join(machine.root, 'rc/bin');
  mkdirSync(words, { recursive: true });
  for (const word of ['ebegin', 'eend']) writeFileSync(join(words, word), '#!/bin/sh\n', { mode: 0o755 });
  const run = (verb: string): readonly string[] => (
    execFileSync('/bin/sh', ['-euc', `${text}\n${verb}`], { encoding: 'utf8', env: { PATH: `${words}:/usr/bin:/bin` } }).trim().split('\n')
  );
  expect(run('start')).toEqual(['--sys', '--project', 'shop', 'start', '--daemonize', '--config', `${directory}/sysg.yaml`]);
  expect(run('stop')).toEqual(['--sys', '--project', 'shop', 'stop']);
});

test('the line of a crontab calls sysg with the words as they are', () => {
  const machine = makeMachine();
  const directory = join(machine.root, odd);
  mkdirSync(directory);
  const program = join(directory, 'sysg');
  writeFileSync(program, '#!/bin/sh\nprintf "%s\\n" "$PATH" "$@"\n', { mode: 0o755 });
  const order = makeOrder(machine, { program, config: `${directory}/sysg.yaml` });
  const [comment = '', line = '', rest] = bootEntry('cron', order, machine).text.split('\n');
  expect([comment.startsWith('# '), rest]).toEqual([true, '']);
  // cron(8): a percent sign that is not escaped ends the command, an escaped one loses its backslash.
  expect(line).not.toMatch(/(?<!\\)%/);
  const command = line.replace(/^@reboot /, '').replaceAll('\\%', '%');
  expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).trim().split('\n')).toEqual([order.searchPath, 'start', '--daemonize', '--config', order.config]);
  expect(line.length).toBeLessThan(longestCommand);
});

test('other lines of a crontab stay as they are', () => {
  const machine = makeMachine();
  const lines = (project: string | null): string => bootEntry('cron', makeOrder(machine, { project }), machine).text;
  const others = '# mine\n@reboot echo hello\n5 4 * * * backup';
  const both = withLines(withLines(others, 'sysg', lines(null)), 'sysg-shop', lines('shop'));
  expect(both).toBe(`${others}\n${lines(null)}${lines('shop')}`);
  expect(withLines(both, 'sysg', lines(null))).toBe(`${others}\n${lines('shop')}${lines(null)}`);
  expect(withLines(withLines(both, 'sysg', ''), 'sysg-shop', '')).toBe(`${others}\n`);
});

test('a plist is well-formed', () => {
  const machine = makeMachine();
  const { text, file } = bootEntry('launchd', makeOrder(machine, { config: `/srv/${odd}/sysg.yaml` }), machine);
  const python = spawnSync('python3', ['-c', 'import plistlib, sys, json; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))'], { input: text, encoding: 'utf8' });
  if (python.status === 0) expect(JSON.parse(python.stdout)).toMatchObject({ Label: 'sysg', AbandonProcessGroup: true, ProgramArguments: [expect.any(String), 'start', '--config', `/srv/${odd}/sysg.yaml`] });
  expect(file).toBe(join(machine.home, 'Library/LaunchAgents/sysg.plist'));
  expect(text).toContain('&lt;&amp;&gt;');
});
