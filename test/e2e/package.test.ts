import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { tempDir } from '../temp-dir.ts';
import { collect, type Ended, soon } from './rig.ts';

const root = resolve(import.meta.dirname, '../..');

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

test('the package installs globally from one file, without network, compiler and scripts, and runs the example', async () => {
  const dir = tempDir();
  const home = join(dir, 'home');
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...inherited } = process.env;
  const env = { ...inherited, HOME: home, npm_config_cache: join(dir, 'cache'), npm_config_update_notifier: 'false', SYSG_EXAMPLE_PORT: String(await freePort()) };
  const npm = (...words: readonly string[]): string => execFileSync('npm', words, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [packed] = JSON.parse(npm('pack', '--ignore-scripts', '--json', '--pack-destination', dir)) as readonly [Packed];
  expect(packed.unpackedSize).toBeLessThan(6_100_000);
  expect(packed.files.map(({ path }) => path).filter((path) => /\.cache$|^(src|test|machines|\.build)\//.test(path))).toEqual([]);

  const prefix = join(dir, 'prefix');
  npm('install', '--global', '--offline', '--ignore-scripts', '--prefix', prefix, join(dir, packed.filename));
  const installed = join(prefix, 'lib/node_modules/sysg');
  expect(existsSync(join(installed, 'node_modules'))).toBe(false);
  expect(realpathSync(join(prefix, 'share/man/man1/sysg.1'))).toBe(join(realpathSync(installed), 'docs/sysg.1'));

  // Nothing is on PATH but the package, Node and what every system has.
  const path = [join(prefix, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter);
  const sysg = (...words: readonly string[]): Promise<Ended> => collect(spawn('sysg', words, { cwd: dir, env: { ...env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] }));
  onTestFinished(async () => {
    await sysg('stop');
    await soon('the supervisor has ended', () => !existsSync(join(home, '.local/share/systemg/sysg.pid')));
  });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  expect(await sysg('--version')).toEqual({ code: 0, stdout: `sysg ${version}\n`, stderr: '' });
  const example = join(installed, 'sysg.config.example.yaml');
  expect((await sysg('validate', '-c', example)).code).toBe(0);
  // `moody` of the example falls now and then, also before the others are up.
  const started = await sysg('start', '--daemonize', '-c', example);
  expect([started.code === 0, started.stderr]).toEqual([expect.any(Boolean), started.code === 0 ? expect.any(String) : expect.stringMatching(/1 of 6 services .*\n {2}moody: /)]);
  const status = await sysg('status', '--json');
  expect((JSON.parse(status.stdout) as { readonly units: readonly { readonly name: string; readonly phase: string }[] }).units.find(({ name }) => name === 'greeter')?.phase).toBe('running');
  // One command of each kind of file that is loaded on demand.
  for (const words of [['inspect', '-s', 'greeter', '--json'], ['doctor'], ['why', 'greeter'], ['plan'], ['metrics'], ['chart', '--format', 'svg'], ['completions', 'bash'], ['help', 'start'], ['boot', 'install', '--init', 'systemd', '--print']]) {
    expect({ words, ...(await sysg(...words)) }).toMatchObject({ words, code: 0, stdout: expect.stringMatching(/\S/) });
  }
  expect((await sysg('restart', '--supervisor')).stdout).toMatch(/^Supervisor restarted/);
  await sysg('stop');

  // As the first process of a container, the way the Dockerfile starts it.
  const words = JSON.parse(/^CMD (.*)$/m.exec(readFileSync(join(root, 'docs/Dockerfile'), 'utf8'))?.[1] ?? '') as readonly string[];
  const container = spawn('unshare', ['--pid', '--fork', '--mount', '--mount-proc', '--kill-child', ...words.slice(0, -1), example], { cwd: dir, env: { ...env, PATH: path }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = collect(container);
  await soon('the supervisor answers, or could not be started', async () => container.exitCode !== null || (await sysg('wait', '--for', 'running', 'greeter', '--timeout', '30s')).code === 0);
  if (container.exitCode === null) {
    const first = Number(readFileSync(`/proc/${container.pid}/task/${container.pid}/children`, 'utf8').trim());
    process.kill(first, 'SIGTERM');
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('shutting down') });
  }

  // Programs of others: the client needs nothing, the machines need their library beside them.
  const client = await collect(spawn(process.execPath, ['--input-type=module', '-e', `import { sendCommand } from '${installed}/dist/client.mjs'; console.log(typeof sendCommand)`], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(client).toEqual({ code: 0, stdout: 'function\n', stderr: '' });
});

test('the manual page names every command and is read without a warning', (context) => {
  const page = join(root, 'docs/sysg.1');
  const { stdout, stderr } = (() => {
    try {
      return { stdout: execFileSync('man', ['--warnings', '-l', page], { env: { ...process.env, MANWIDTH: '100', LC_ALL: 'C.UTF-8' }, encoding: 'utf8' }), stderr: '' };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') context.skip('man is not installed');
      throw error;
    }
  })();
  expect(stderr).toBe('');
  for (const verb of ['start', 'boot', 'completions']) expect(stdout).toContain(`sysg ${verb}`);
  expect(statSync(page).size).toBeGreaterThan(10_000);
});
