import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome, soon, type Home } from './rig.ts';

const fixtures = resolve(import.meta.dirname, '../fixtures/import');

/** A program that notes how it was called, and stays. As `node` it leaves sysg itself alone. */
const stub = `#!/bin/sh
case "\${0##*/} $*" in "node "*dist/*) exec "${process.execPath}" "$@";; esac
out="$STUBS/calls/$$"
{ printf '%s\\n' "\${0##*/}" "$PWD" "PORT=$PORT A=$A B=$B PRICE=$PRICE"; for word; do printf '%s\\n' "<$word>"; done; } > "$out.tmp"
mv "$out.tmp" "$out"
case "\${0##*/} $1" in "migrate.sh "|"node migrate.js") exit 0;; esac
exec sleep 1000
`;

/** Imports a file, and starts what it became with such programs alone on PATH before the system's. Gives each call as a line. */
async function started(
  home: Home,
  from: string,
  stubs: readonly string[],
): Promise<{ readonly calls: () => readonly string[]; readonly imported: string }> {
  const bin = join(home.dir, 'stubs');
  mkdirSync(join(bin, 'calls'), { recursive: true });
  for (const name of stubs) {
    const path = name.startsWith('./') ? join(home.dir, name) : join(bin, name);
    mkdirSync(resolve(path, '..'), { recursive: true });
    writeFileSync(path, stub);
    chmodSync(path, 0o755);
  }
  home.env['PATH'] = `${bin}:${process.env['PATH'] ?? ''}`;
  home.env['STUBS'] = bin;
  const imported = await home.sysg('import', from);
  expect(imported.code, imported.stderr).toBe(0);
  const { code, stderr } = await home.sysg('start', '--daemonize', '-c', 'sysg.config.yaml');
  expect(code, `${stderr}\n${readFileSync(join(home.dir, 'sysg.config.yaml'), 'utf8')}`).toBe(0);
  const calls = (): readonly string[] =>
    (existsSync(join(bin, 'calls')) ? readdirSync(join(bin, 'calls')) : [])
      .filter((name) => !name.endsWith('.tmp'))
      .map((name) =>
        readFileSync(join(bin, 'calls', name), 'utf8')
          .trimEnd()
          .split('\n')
          .join(' ')
          .replaceAll(home.dir, 'HOME'),
      )
      .toSorted();
  return { calls, imported: imported.stdout };
}

test('an ecosystem file of pm2: each app as pm2 would call it', async () => {
  const home = makeHome();
  cpSync(join(fixtures, 'pm2/ecosystem.config.js'), join(home.dir, 'ecosystem.config.js'));
  mkdirSync(join(home.dir, 'jobs'));
  const { calls } = await started(home, 'ecosystem.config.js', ['node', 'python3', 'bash', './hourly']);
  await soon('each program was called', () => calls().length === 3);
  expect(calls()).toEqual([
    'hourly HOME PORT= A= B= PRICE=',
    'node HOME PORT=3000 A= B= PRICE=$5 <./api/server.js> <--port> <3000> <--name> <the shop>',
    'python3 HOME/jobs PORT= A= B= PRICE= <worker.py>',
  ]);
  expect((await home.unit('nightly')).phase).toBe('waiting');
});

test('a Procfile: a release once, and each with its port', async () => {
  const home = makeHome();
  cpSync(join(fixtures, 'procfile/release.procfile'), join(home.dir, 'Procfile'));
  writeFileSync(join(home.dir, '.env'), 'A="one # two"\nB=3\n');
  const { calls } = await started(home, 'Procfile', ['gunicorn', 'python', './migrate.sh']);
  await soon('each program was called', () => calls().length === 3);
  expect(calls()).toEqual([
    'gunicorn HOME PORT=5100 A=one # two B=3 PRICE= <app:app> <--bind> <0.0.0.0:5100> <--log-file> <->',
    'migrate.sh HOME PORT=5000 A=one # two B=3 PRICE=',
    'python HOME PORT=5200 A=one # two B=3 PRICE= <clock.py>',
  ]);
});

test('a configuration of supervisord: every process of numprocs, with its own words', async () => {
  const home = makeHome();
  cpSync(join(fixtures, 'supervisord/supervisord.conf'), join(home.dir, 'supervisord.conf'));
  mkdirSync(join(home.dir, 'web'));
  const { calls } = await started(home, 'supervisord.conf', ['python3']);
  await soon('each program was called', () => calls().length === 4);
  expect(calls()).toEqual([
    'python3 HOME PORT= A= B= PRICE=$5 <worker.py> <01> <worker>',
    'python3 HOME PORT= A= B= PRICE=$5 <worker.py> <02> <worker>',
    'python3 HOME PORT= A= B= PRICE=$5 <worker.py> <03> <worker>',
    'python3 HOME/web PORT= A= B= PRICE=$5 <app.py> <--port> <8000>',
  ]);
});

test('a compose file: variables with defaults and blanks in them stay one word; what has only an image is skipped', async () => {
  const home = makeHome();
  writeFileSync(
    join(home.dir, 'compose.yaml'),
    `services:
  web:
    image: x
    command: node server.js --port \${PORT:-8080} "\${NAME:-two words}" $$HOME
    environment: {A: "\${STAGE:-none}", PRICE: $$5}
    depends_on: {db: {condition: service_started}, migrate: {condition: service_completed_successfully}}
  migrate: {image: x, command: [node, migrate.js]}
  db: {image: "postgres:16"}
`,
  );
  const { calls, imported } = await started(home, 'compose.yaml', ['node']);
  await soon('each program was called', () => calls().length === 2);
  expect(calls()).toEqual([
    'node HOME PORT= A= B= PRICE= <migrate.js>',
    'node HOME PORT= A=none B= PRICE=$5 <server.js> <--port> <8080> <two words> <$HOME>',
  ]);
  expect(imported).toContain('compose.yaml:8: lost: db.image: ');
});

test('a file of systemg of version 2 is started as it is, with a word, and as it was imported', async () => {
  const home = makeHome(readFileSync(join(fixtures, 'systemg/v2.yaml'), 'utf8'));
  const { code, stderr } = await home.sysg('start', '--daemonize');
  expect(code, stderr).toBe(0);
  const names = ['db', 'loose', 'web'];
  expect((await home.status()).units.map(({ name, phase }) => `${name} ${phase}`).toSorted()).toEqual(names.map((name) => `${name} running`));
  expect(stderr).toContain('version 2 of systemg: its services are read as they are');
  await home.sysg('stop');
  const { calls } = await started(home, 'sysg.yaml', []);
  expect(calls()).toEqual([]);
  expect((await home.status()).units.map(({ name, phase }) => `${name} ${phase}`).toSorted()).toEqual(names.map((name) => `${name} running`));
});
