import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { beforeAll, expect, test, type TestContext } from 'vitest';
import { sysg } from '../cli/rig.ts';
import { tempDir } from '../temp-dir.ts';
import { engineTypes, kubernetesValidate, systemdAnalyze, type Verdict, type Verifier } from './verifiers.ts';

const fixtures = resolve(import.meta.dirname, '../fixtures');
/** Every key, the example, and files of other supervisors on their way through. */
const configs = [
  join(fixtures, 'export/everything.yaml'),
  resolve(import.meta.dirname, '../../sysg.config.example.yaml'),
  ...['compose-compose.yaml.yaml', 'pm2-ecosystem.config.js.yaml', 'supervisord-supervisord.conf.yaml', 'procfile-release.procfile.yaml'].map(
    (name) => join(fixtures, 'import/expected', name),
  ),
];

let verifiers: { readonly systemd: Verifier; readonly kubernetes: Verifier; readonly engines: Verifier };
beforeAll(() => {
  verifiers = { systemd: systemdAnalyze(), kubernetes: kubernetesValidate(), engines: engineTypes() };
}, 600_000);

/** The files that are written for an engine. */
async function exported(engine: string, config: string): Promise<readonly string[]> {
  const home = tempDir();
  cpSync(resolve(config, '..'), join(home, 'project'), {
    recursive: true,
    filter: (from) => !/node_modules|\.git$|\/(?:dist|src|test|machines)$/.test(from) || from.includes('fixtures'),
  });
  const directory = join(home, 'out');
  const { exitCode, stderr } = await sysg(
    ['export', engine, '-c', join(home, 'project', basename(config)), '--image', '*=registry.example.org:5000/app:1', '-o', directory],
    {
      env: { HOME: home, PATH: '/usr/bin:/bin', PORT: '8080' },
    },
  );
  expect(exitCode, stderr).toBe(0);
  return readdirSync(directory).map((name) => join(directory, name));
}

function having(verifier: Verifier, { skip }: TestContext): (...words: readonly string[]) => Verdict {
  if (!verifier.ok) return skip(verifier.why);
  return verifier.run;
}

test('systemd-analyze verify has nothing to say', async (context) => {
  const verify = having(verifiers.systemd, context);
  for (const config of configs) {
    const files = (await exported('systemd', config)).filter((file) => !file.endsWith('.env'));
    expect(files.length, config).toBeGreaterThan(0);
    expect(verify('verify', '--man=no', ...files), config).toEqual({ code: 0, stdout: '', stderr: '' });
  }
});

test("compose's own loader takes the file, and reads every value as it was", async (context) => {
  const load = having(verifiers.engines, context);
  for (const config of configs) {
    const file = (await exported('compose', config)).find((path) => path.endsWith('.yaml')) ?? '';
    const { code, stdout, stderr } = load('compose', file);
    expect({ code, stderr }, config).toEqual({ code: 0, stderr: '' });
    if (config !== configs[0]) continue;
    const { web, database, 'web-pre-start': before } = (JSON.parse(stdout) as { readonly services: Readonly<Record<string, object>> }).services;
    expect(web).toMatchObject({
      image: 'registry.example.org:5000/app:1',
      command: ['node', 'server.js', '--greeting', 'hello %h $$HOME ${literal}', '--empty', ''],
      environment: { COMMON: 'yes', STAGE: 'prod', PRICE: '100% of $5', QUOTED: 'say "hi" \\ there', LINES: 'one\ntwo', PORT: '8080' },
      depends_on: {
        database: { condition: 'service_healthy', restart: true },
        migrate: { condition: 'service_completed_successfully' },
        'web-pre-start': { condition: 'service_completed_successfully' },
      },
      restart: 'always',
      stop_signal: 'SIGINT',
      stop_grace_period: '20s',
      healthcheck: { timeout: '2s', interval: '500ms', start_period: '21s', retries: 3 },
      ulimits: { nofile: 4096, memlock: -1 },
      deploy: { resources: { limits: { cpus: 0.5, memory: '268435456' } } },
    });
    expect(database).toMatchObject({ user: 'daemon', cap_drop: ['ALL'], cap_add: ['NET_BIND_SERVICE'], restart: 'on-failure' });
    expect(before).toMatchObject({ command: ['/bin/sh', '-c', "test -d /tmp && echo 'ready' >&2"], restart: 'no' });
  }
});

test('kubernetes-validate --strict passes every resource', async (context) => {
  const validate = having(verifiers.kubernetes, context);
  // All at once: it reads the schemas of the whole API at each start.
  const files = (await Promise.all(configs.slice(0, 3).map((config) => exported('kubernetes', config)))).flat();
  const { code, stdout, stderr } = validate('--strict', ...files);
  const refused = `${stdout}${stderr}`.split('\n').filter((line) => !/ passed for resource /.test(line) && line !== '');
  expect({ code, refused }).toEqual({ code: 0, refused: [] });
});

test("Nomad's types know every field", async (context) => {
  const decode = having(verifiers.engines, context);
  for (const config of configs) {
    for (const file of await exported('nomad', config))
      expect({ ...decode('nomad', file), stdout: '' }, file).toEqual({ code: 0, stdout: '', stderr: '' });
  }
});

test('what an engine does not know is refused by its verifier', async (context) => {
  const { writeFileSync } = await import('node:fs');
  const run = having(verifiers.engines, context);
  const [file = ''] = await exported('nomad', configs[0] ?? '');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"Count": 1', '"Countt": 1'));
  expect(run('nomad', file)).toMatchObject({ code: 1, stderr: expect.stringContaining('unknown field "Countt"') });
});
