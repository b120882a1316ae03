import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { sysg, type Ran } from '../cli/rig.ts';
import { tempDir } from '../temp-dir.ts';

interface Tried extends Ran {
  readonly home: string;
  /** Null: nothing was written. */
  readonly text: string | null;
}

async function tried(files: Readonly<Record<string, string>>, ...words: readonly string[]): Promise<Tried> {
  const home = tempDir();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  const ran = await sysg(['import', ...words], { cwd: home, env: { ...process.env, HOME: home } });
  const result = join(home, 'sysg.config.yaml');
  return { ...ran, home, text: existsSync(result) ? readFileSync(result, 'utf8') : null };
}

const lost = ({ stdout }: Ran): readonly string[] => stdout.split('\n').filter((line) => /: (?:lost|changed): /.test(line));

test('a file that is there stays unless --force is given', async () => {
  const files = { Procfile: 'web: sleep 1\n', 'sysg.config.yaml': 'mine\n' };
  const refused = await tried(files, 'Procfile');
  expect(refused).toMatchObject({
    exitCode: 1,
    text: 'mine\n',
    stderr: expect.stringContaining('sysg.config.yaml exists: expected another name with -o, or --force to replace it'),
  });
  const forced = await tried(files, 'Procfile', '--force');
  expect(forced).toMatchObject({ exitCode: 0, text: expect.stringContaining('command: sleep 1') });
});

test('-o - prints the configuration and writes nothing', async () => {
  const shown = await tried({ Procfile: 'web: sleep 1\n' }, 'Procfile', '-o', '-');
  expect(shown).toMatchObject({ exitCode: 0, text: null, stdout: expect.stringContaining('\nservices:\n  web:\n    command: sleep 1\n') });
});

test('--json says what was made and what is not the same', async () => {
  const { stdout } = await tried({ 'compose.yaml': 'services:\n  a:\n    command: sleep 1\n    ports: ["80:80"]\n' }, 'compose.yaml', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, kind: 'compose', services: 1, remarks: [{ line: 4, kind: 'lost', key: 'a.ports' }] });
});

test.each([
  ['no such file', {}, ['none.yaml'], /none\.yaml/],
  ['a directory', {}, ['.'], /Is a directory/],
  ['a foreign file', { 'x.toml': 'a = 1\n' }, ['x.toml'], /x\.toml:1: expected a file of pm2, procfile, supervisord, compose, process-compose or systemg/],
  [
    'a map of projects of systemg',
    { 'v2.yaml': 'version: "2"\nprojects:\n  p: {services: {a: {command: x}}}\n' },
    ['v2.yaml'],
    /v2\.yaml:2: 'projects' of systemg's version 2 is not read: expected 'services' at the top\. Read are version, services .*logs \(sink, max_bytes, max_files\)/,
  ],
  ['a name that no service can have', { 'p.yaml': 'processes:\n  a: {command: x}\n  "..": {command: y}\n' }, ['p.yaml', '--from', 'process-compose'], /p\.yaml:3: no valid configuration can be made of it: services\."\.\.": expected a name/],
  ['an empty file', { Procfile: '' }, ['Procfile'], /Procfile:1: expected lines such as "web: node server\.js", found none/],
  ['broken YAML', { 'compose.yaml': 'services:\n  a: {command: x\n' }, ['compose.yaml', '--from', 'compose'], /compose\.yaml:\d: /],
  [
    'a compose file without services',
    { 'compose.yaml': 'volumes: {}\n' },
    ['compose.yaml', '--from', 'compose'],
    /compose\.yaml:1: expected services, found none/,
  ],
  [
    'an INI file with a line of nothing',
    { 's.conf': '[program:a]\ncommand=x\nwhat is this\n' },
    ['s.conf'],
    /s\.conf:3: expected NAME=value, got "what is this"/,
  ],
  [
    'JavaScript that throws',
    { 'e.config.js': 'const a = 1;\nthrow new Error("not today");\n' },
    ['e.config.js'],
    /e\.config\.js: cannot be evaluated: Error: not today \(e\.config\.js:2:7\)/,
  ],
  [
    'JavaScript that is none',
    { 'e.config.js': 'module.exports = {\n  apps: [,,}\n' },
    ['e.config.js'],
    /e\.config\.js: cannot be evaluated: SyntaxError/,
  ],
  [
    'JavaScript that ends its process',
    { 'e.config.js': 'process.exit(0);\n' },
    ['e.config.js'],
    /e\.config\.js: cannot be evaluated: it ended its process before its evaluation was over, as process\.exit\(\) does$/m,
  ],
  [
    'CommonJS in a package of modules',
    { 'e.config.js': 'module.exports = {apps: [{script: "a.js"}]};\n', 'package.json': '{"type": "module"}' },
    ['e.config.js'],
    /e\.config\.js: cannot be evaluated: ReferenceError: module is not defined in ES module scope \(e\.config\.js:1:1\)\. To treat it .*\.cjs/,
  ],
  [
    'a module that takes what only a script has',
    { 'e.config.mjs': 'fs.readFileSync("x"); export default {apps: []};\n' },
    ['e.config.mjs'],
    /e\.config\.mjs: cannot be evaluated: ReferenceError: fs is not defined \(e\.config\.mjs:1:1\)/,
  ],
  [
    'JavaScript that exports a function',
    { 'e.config.js': 'module.exports = () => ({apps: []});\n' },
    ['e.config.js'],
    /e\.config\.js: cannot be evaluated: Error: expected data, got a function/,
  ],
  ['YAML that is nested too deep in a line that ends flat', { 'c.yaml': `services: {x: {image: a, command: ${'['.repeat(3000)}${']'.repeat(3000)}}}\n` }, ['c.yaml'], /c\.yaml:1: nested too deep/],
  ['a key that is given twice', { 'c.yaml': 'services:\n  a: {image: x, command: x}\n  a: {image: y, command: y}\n' }, ['c.yaml'], /c\.yaml:3: duplicate key "a", first given in line 2/],
  ['YAML that is nested too deep', { 'c.yaml': `services: ${'['.repeat(50_000)}` }, ['c.yaml'], /c\.yaml:1: nested too deep/],
  [
    'aliases of aliases that would fill the memory',
    {
      'c.yaml': `a: &a [1,1,1,1,1,1,1,1,1,1]\n${[...'bcdefghi'].map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghi'[index]}`).join(',')}]\n`).join('')}services: {x: {image: a, command: *i}}\n`,
    },
    ['c.yaml'],
    /c\.yaml:1: expected at most 100000 values/,
  ],
  [
    'JavaScript that exports nothing',
    { 'e.config.js': 'const a = 1;\n' },
    ['e.config.js'],
    /e\.config\.js:1: expected apps, a list of maps with a script/,
  ],
  [
    'services that extend each other',
    { 'c.yaml': 'services:\n  a: {extends: b, image: x}\n  b: {extends: a, image: x}\n' },
    ['c.yaml'],
    /c\.yaml:\d: services extend each other in a circle: /,
  ],
  [
    'services that wait for each other',
    { 'c.yaml': 'services:\n  a: {image: x, command: x, depends_on: [b]}\n  b: {image: x, command: x, depends_on: [a]}\n' },
    ['c.yaml'],
    null,
  ],
  [
    'an unknown kind',
    { Procfile: 'a: b\n' },
    ['Procfile', '--from', 'upstart'],
    /expected pm2, procfile, supervisord, compose, process-compose, systemg, got "upstart"/,
  ],
  [
    'a directory that is not there',
    { Procfile: 'a: b\n' },
    ['Procfile', '-o', 'no/where.yaml'],
    /no does not exist: expected a directory for where\.yaml/,
  ],
  [
    'the file itself as the result',
    { 'systemg.yaml': 'version: "2"\nservices: {a: {command: x}}\n' },
    ['systemg.yaml', '-o', 'systemg.yaml', '--force'],
    /is the file to be read/,
  ],
] as const)('%s', async (_, files, words, message) => {
  const before = Object.keys(files);
  const { exitCode, stderr, stdout, home, text } = await tried(files, ...words);
  if (message === null) {
    expect({ exitCode, text }).toEqual({ exitCode: 0, text: expect.stringContaining('depends_on') });
    expect(stdout).toContain('Detected dependency cycle');
    return;
  }
  expect(exitCode).toBeGreaterThan(0);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(readdirSync(home)).toEqual(before);
});

test('a file of JavaScript is evaluated with none of our descriptors, may print what it likes, and that is said', async () => {
  const script = `const fs = require('node:fs');
console.log('noise');
const open = fs.readdirSync('/proc/self/fd').map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } });
module.exports = { apps: [{ name: 'a', script: 'a.js', env: { OPEN: open.filter((name) => name.startsWith('/') && !/^\\/dev\\/null|^\\/proc\\//.test(name)).join(' '), SID: String(process.pid) } }] };
`;
  const { exitCode, text, stdout } = await tried({ 'e.config.js': script }, 'e.config.js');
  expect(exitCode).toBe(0);
  expect(text).toContain('OPEN: ""');
  expect(text).not.toContain('noise');
  expect(stdout).toContain('e.config.js was evaluated by Node.js, in a process of its own without the descriptors of this command');
});

test('the variables of env_NAME are laid over env with --env NAME', async () => {
  const file = 'module.exports = {apps: [{script: "a.js", env: {A: 1, B: 2}, env_production: {B: 3}}]};\n';
  const { text, stdout } = await tried({ 'e.config.js': file }, 'e.config.js', '--env', 'production');
  expect(text).toMatch(/A: "1"\n\s+B: "3"/);
  expect(stdout).toContain('0 lost, 0 changed');
});

test('a comment stays with its key, its service, or the head; none is lost', async () => {
  const file =
    '# head\nservices:\n  # above a\n  a: # behind a\n    # above command\n    command: sleep 1 # behind command\n    # about the ports\n    ports: ["1:1"]\n# at the end\n';
  const { text } = await tried({ 'compose.yaml': file }, 'compose.yaml');
  expect(text).toContain('# head\n\nversion');
  expect(text).toContain('  # above a\n  # behind a\n  # about the ports\n  a:\n    # above command\n    command: sleep 1 # behind command\n');
  expect(text).toContain('# at the end\n');
});

test('what is said by no key of ours is named with the line of the source, in included files too', async () => {
  const ran = await tried(
    { 'a.conf': '[include]\nfiles = b.ini\n[program:a]\ncommand=a\n', 'b.ini': '\n[program:b]\ncommand=b\npriority=5\n' },
    'a.conf',
  );
  expect(lost(ran)).toEqual(['b.ini:4: lost: b.priority: services start side by side; depends_on says what has to be there first']);
});

test('a pattern of included files is one of a shell, also where it fits nothing', async () => {
  const ran = await tried({
    'a.conf': '[include]\nfiles = [b]?.ini [!b]x.ini [z-a].ini [.ini\n[program:a]\ncommand=a\n', 'b1.ini': '[program:b]\ncommand=b\n', 'bx.ini': '[program:bx]\ncommand=b\n', '[.ini': '[program:c]\ncommand=c\n',
  }, 'a.conf');
  expect(lost(ran)).toEqual(['a.conf:2: lost: include.files: [!b]x.ini matches no file', 'a.conf:2: lost: include.files: [z-a].ini matches no file']);
  expect(ran.text?.match(/^ {2}[abcx]+:$/gm)).toEqual(['  a:', '  b:', '  bx:', '  c:']);
});

test('paths are as seen from the result, wherever that is', async () => {
  const home = tempDir();
  mkdirSync(join(home, 'app'));
  mkdirSync(join(home, 'etc'));
  writeFileSync(join(home, 'app/.env'), 'A=1\n');
  writeFileSync(join(home, 'app/Procfile'), 'web: ./run\n');
  const { exitCode } = await sysg(['import', 'app/Procfile', '-o', 'etc/own.yaml'], { cwd: home, env: { HOME: home } });
  expect(exitCode).toBe(0);
  const text = readFileSync(join(home, 'etc/own.yaml'), 'utf8');
  expect(text).toContain('file: ../app/.env');
  expect(text).toContain('working_dir: ../app');
});

test.each([
  ['web.service', '[Unit]\nDescription=web\n[Service]\nExecStart=/bin/web\n', 'a unit of systemd', 'systemd'],
  ['web.yaml', 'apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1}\n', 'a manifest of Kubernetes', 'kubernetes'],
])('what is not imported is called what it is: %s', async (name, text, what, page) => {
  const refused = await tried({ [name]: text }, name);
  const stderr: unknown = expect.stringContaining(`${name}:1: ${what}, which is not imported: docs/coming-from-${page}.md has its keys`);
  expect(refused).toMatchObject({ exitCode: 1, text: null, stderr });
});

test('indented keys of supervisord are keys of their own, and sections of one name are one, as its parser has it', async () => {
  const made = await tried({
    'a.conf': '[program:web]\n  command=sleep 1\n  directory=/srv\n  environment=\n    A="1",\n    B="2"\n\n  [program:two]\ncommand: sleep 2\n[include]\nfiles=b.conf\n',
    'b.conf': '[program:web]\nuser=root\ndirectory=/opt\n',
  }, 'a.conf');
  expect(made.text).toContain('  web:\n    command: sleep 1\n    working_dir: /opt\n    env:\n      A: "1"\n      B: "2"\n    user: root\n');
  expect(made.text).toContain('  two:\n    command: sleep 2\n');
  expect(lost(made)).toEqual(['a.conf:3: lost: web.directory: given again in b.conf:3, which counts']);
});

test('limits of supervisord itself name the keys of ours', async () => {
  const made = await tried({ 'a.conf': '[supervisord]\nminfds=65536\nminprocs=200\n[program:web]\ncommand=sleep 1\n' }, 'a.conf');
  expect(lost(made)).toEqual([expect.stringMatching(/^a\.conf:2: lost: supervisord\.minfds: limits: \{nofile\} /), expect.stringMatching(/^a\.conf:3: lost: supervisord\.minprocs: limits: \{nproc\} /)]);
});

test.each([
  ['compose', 'services', '"$${SET}"'], ['process-compose', 'processes', '"$$SET"'],
])('a text of %s that would take a variable of its own service for one of the caller is named', async (kind, key, ownWord) => {
  const file = `${key}:\n  a:\n    command: run \${SET} ${ownWord}\n    environment:\n      - SET=inner\n      - URL=http://\${SET}\n      - SAME=\${SAME}\n      - OTHER=\${SAME}\${FREE}\n      - PATH=/x:\${PATH}\n`;
  const { stdout } = await tried({ [`${kind}.yaml`]: file, '.env': 'SAME=same\nSET=outer\n' }, `${kind}.yaml`, '--json');
  const said = (JSON.parse(stdout) as { remarks: { line: number; text: string }[] }).remarks.filter(({ text }) => text.includes('is that of the service'));
  expect(said.map(({ line, text }) => [line, text.split(' ')[0]])).toEqual([[3, 'SET'], [6, 'SET']]);
});

test('paths of a compose file that is included or extended are relative to that file, or to the project_directory of the include', async () => {
  const files = {
    'compose.yaml': 'include:\n  - sub/compose.yaml\n  - {path: other/o.yaml, project_directory: dir, env_file: x.env}\nservices:\n  web:\n    extends: {file: base/common.yml, service: base}\n    volumes: [./mine:/mine]\n',
    'sub/compose.yaml': 'services:\n  worker: {command: worker, env_file: w.env, working_dir: /code/in, volumes: ["./src:/code"]}\n  plain: {command: plain}\nvolumes: {data: {}}\n',
    'sub/w.env': 'W=1\n',
    'sub/.env': 'X=1\n',
    'other/o.yaml': 'services:\n  o: {command: o, env_file: [o.env, {path: none.env, required: false}]}\n',
    'dir/o.env': 'O=1\n',
    'base/common.yml': 'services:\n  base: {command: base, env_file: b.env, working_dir: app}\n',
    'base/b.env': 'B=1\n',
    'base/app/x': '',
  };
  const made = await tried(files, 'compose.yaml');
  expect(made.text).toContain('  worker:\n    command: worker\n    working_dir: sub/src/in\n    env:\n      file: sub/w.env\n');
  expect(made.text).toContain('  plain:\n    command: plain\n    working_dir: sub\n');
  expect(made.text).toContain('  o:\n    command: o\n    working_dir: dir\n    env:\n      file: dir/o.env\n');
  expect(made.text).toContain('  web:\n    command: base\n    working_dir: base/app\n    env:\n      file: base/b.env\n');
  expect(lost(made).map((line) => line.replaceAll(`${made.home}/`, '')).toSorted()).toEqual([
    'compose.yaml:3: lost: include.env_file: the variables of a configuration are the same everywhere in it',
    'compose.yaml:7: lost: web.volumes: the program sees the files of this machine',
    'sub/.env:1: lost: env: it is not read: the variables of a configuration are the same everywhere in it',
    'sub/compose.yaml:2: changed: worker.working_dir: /code/in in the container is sub/src/in here',
    'sub/compose.yaml:2: lost: worker.volumes: the program sees the files of this machine',
    'sub/compose.yaml:4: lost: volumes.data: the program sees the files of this machine',
  ]);
});

test('the group of a user, and what a hook of compose has beside its command, are taken over or named', async () => {
  const service = (user: string): string => `{command: x, user: "${user}", post_start: [{command: y, user: root, environment: [A=1]}]}`;
  const made = await tried({ 'compose.yaml': `services:\n  a: ${service('0:0')}\n  b: ${service('0:54321')}\n  c: ${service(':root')}\n` }, 'compose.yaml');
  expect(made.text).toMatch(/ {2}a:\n(?: {4}.*\n)*? {4}user: root\n {4}group: root\n/);
  expect(made.text).toMatch(/ {2}c:\n(?: {4}.*\n)*? {4}group: root\n/);
  const named = lost(made).filter((line) => line.includes('lost'));
  expect(named).toContain('compose.yaml:3: lost: b.user: there is no group 54321 on this machine');
  for (const key of ['user', 'environment']) expect(named).toContain(`compose.yaml:2: lost: a.post_start.${key}: a hook has a command and a timeout, and runs as the supervisor`);
  expect(named).toHaveLength(7);
});

test('what is wrong with each of many replicas is said once', async () => {
  const made = await tried({ 'p.yaml': 'processes:\n  a: {command: x, replicas: 3, readiness_probe: {http_get: {port: 99999999}}}\n' }, 'p.yaml');
  expect(lost(made).filter((line) => line.includes(': lost: '))).toEqual([
    'p.yaml:2: lost: a.health_check.url: expected an http or https URL, got "http://127.0.0.1:99999999/"',
    'p.yaml:2: lost: a.health_check: health check requires at least one of \'url\' or \'command\' (or \'tcp\', \'log\', \'notify_fd\')',
  ]);
});

test('of all programs together no more than a thousand processes are made', async () => {
  const made = await tried({ 'p.yaml': 'processes:\n  a: {command: x, replicas: 999}\n  b: {command: x, replicas: 5}\n' }, 'p.yaml');
  expect(lost(made)).toContain('p.yaml:3: lost: b.replicas: 1 of 5 are made, the first ones');
});

test('a name of supervisord is not filled up to any width', async () => {
  const { exitCode, text } = await tried({ 'a.conf': '[program:w]\ncommand=w\nnumprocs=2\nprocess_name=w%(process_num)0999999999d\n' }, 'a.conf');
  expect([exitCode, text?.match(/^ {2}\S.*:$/gm)]).toEqual([0, ['  w%(process_num)0999999999d:']]);
});

test.each([
  ['compose.yaml', 'compose.override.yml', 'services: {a: {command: x}}\n', 1], ['docker-compose.yml', 'docker-compose.override.yaml', 'services: {a: {command: x, image: y}}\n', 1],
  ['process-compose.yaml', 'process-compose.override.yaml', 'processes: {a: {command: x}}\n', 1], ['other.yaml', 'other.override.yaml', 'processes: {a: {command: x}}\n', 0],
])('%s, over which %s is laid: what is not read is named', async (name, above, text, count) => {
  const made = await tried({ [name]: text, [above]: text }, name);
  expect(lost(made).filter((line) => line.startsWith(`${name}:1: lost: ${above} is laid over this file there`))).toHaveLength(count);
});

test('what is cut of numprocs is named', async () => {
  const made = await tried({ 'a.conf': '[program:w]\ncommand=w\nnumprocs=1002\nprocess_name=w%(process_num)s\n' }, 'a.conf');
  expect(made.text?.match(/^ {2}w\d+:$/gm)).toHaveLength(1000);
  expect(lost(made)).toEqual(['a.conf:3: lost: w.numprocs: 1000 of 1002 are made, the first ones', 'a.conf:3: changed: w.numprocs: 1000 services, each with its number']);
});

test('a group of pm2 by its number is one by its name, where this machine has it', async () => {
  const made = await tried({ 'e.json': '{"apps": [{"name": "a", "script": "a.sh", "gid": 0}, {"name": "b", "script": "b.sh", "gid": 54321}]}' }, 'e.json');
  expect(made.text).toMatch(/ {2}a:\n {4}command: bash a\.sh\n {4}group: root\n/);
  expect(lost(made)).toEqual([expect.stringMatching(/^e\.json:1: lost: b\.gid: there is no group 54321 on this machine$/)]);
});

test.each([
  ['replicas: 1002', 'lost: a.replicas: 999 of 1002 are made, the first ones'],
  ['command: {}', 'changed: a.command: there is none: the service is skipped until it has a command'],
  ['shutdown: {signal: 99}', 'lost: a.shutdown.signal: expected the number of a signal, got 99'],
  ['liveness_probe: {period_seconds: 3}', 'lost: a.liveness_probe: expected exec with a command, or http_get'],
  ['readiness_probe: {exec: {command: x}}, liveness_probe: {exec: {command: y}}', 'lost: a.liveness_probe: a service has one check; that of readiness goes on when it is ready'],
  ['schedule: {cron: "x"}', 'a is skipped until it has another'],
  ['schedule: {cron: "0 0 * * *", timezone: No/Where}', "lost: a.cron: Invalid timezone 'No/Where': expected 'local', 'UTC' or an IANA name such as 'Europe/Paris': a is skipped until it has another"],
])('of process-compose, %s is named', async (keys, said) => {
  const made = await tried({ 'p.yaml': `processes:\n  b: {command: b}\n  a: {${keys.startsWith('command') ? '' : 'command: x, '}${keys}}\n` }, 'p.yaml');
  expect(made.exitCode, made.stderr).toBe(0);
  expect(lost(made).join('\n')).toContain(said);
});

test('what has lost its schedule is not run at once', async () => {
  const made = await tried({ 'p.yaml': 'processes:\n  a: {command: x, schedule: {cron: "0 0 * * *", timezone: No/Where}}\n' }, 'p.yaml');
  expect(made.text).toMatch(/ {2}a:\n {4}command: x\n {4}skip: true\n/);
});

test('two processes that would be one service: the one that comes later is named as lost', async () => {
  const made = await tried({ 'p.yaml': 'processes:\n  a-1: {command: other}\n  a: {command: x, replicas: 2}\n' }, 'p.yaml');
  expect(made.text).toContain('  a-1:\n    command: other\n');
  expect(lost(made)).toContain('p.yaml:3: lost: a: there is a service a-1 before it');
});

test.each([
  ['compose.yaml', 'services:\n  a:\n    command: [sh, [-c, x], {a: b}]\n', true, ['3: lost: a.command: expected a text, got a list', '3: lost: a.command: expected a text, got a map']],
  ['compose.yaml', 'services:\n  a:\n    entrypoint: [run, null]\n', true, ['3: lost: a.entrypoint: expected a text, got null']],
  ['compose.yaml', 'services:\n  a:\n    command: x\n    environment: {A: [1], B: {c: d}, C: , D: e}\n    env_file: [[x]]\n', false, [
    '4: lost: a.environment.A: expected a text, got a list', '4: lost: a.environment.B: expected a text, got a map', '5: lost: a.env_file: expected a path, got a list',
  ]],
  ['compose.yaml', 'services:\n  a:\n    command: x\n    environment: [D=e, {B: c}, "=x", F]\n', false, [
    '4: lost: a.environment: expected NAME=VALUE, got a map', '4: lost: a.environment: expected NAME=VALUE, got "=x"',
  ]],
  ['compose.yaml', 'services:\n  a:\n    command: x\n    post_start: [{command: [y, [z]]}, {command: {a: b}}]\n    healthcheck: {test: [CMD, y, [z]]}\n', false, [
    '4: lost: a.post_start.command: expected a text, got a list', '4: lost: a.post_start.command: expected a text, got a map', '5: lost: a.healthcheck.test: expected a text, got a list',
    '5: lost: a.healthcheck: its test has no command',
  ]],
  ['p.yaml', 'environment: [D=e, {b: c}]\nprocesses:\n  a: {command: x, environment: text}\n', false, [
    '1: lost: environment: expected NAME=VALUE, got a map', '3: lost: a.environment: expected NAME=VALUE, got "text"',
  ]],
  ['p.yaml', 'processes:\n  a: {entrypoint: [[x]]}\n', true, ['2: lost: a.entrypoint: expected a text, got a list']],
] as const)('%s: what is no text where a text is expected is named, and no command is made of it (%j)', async (file, source, skipped, expected) => {
  const made = await tried({ [file]: source }, file);
  const named = lost(made).map((line) => line.replace(/^.*?yaml:/, ''));
  expect(named.filter((line) => line.includes(': lost: '))).toEqual(expected);
  expect(made.text?.includes('skip: true')).toBe(skipped);
  if (source.includes('D=e') || source.includes('D: e')) expect(made.text).toMatch(/ D: "?e/);
});

test.each([
  ['p.conf', '[program:a]\ncommand=x %(foo)s %(program_name)s\nautorestart=maybe\nstartsecs=-1\nstartretries=many\nexitcodes=0,abc,300\nstopwaitsecs=long\nstopasgroup=2\nstdout_logfile_maxbytes=lots\n', [
    '2: lost: a: supervisord puts in nothing for %(foo)s, which stands here as it is', '3: lost: a.autorestart: expected true, false or unexpected, got "maybe"',
    '4: lost: a.startsecs: expected a number of seconds, 0 or more, got "-1"', '5: lost: a.startretries: expected a number, 0 or more, got "many"',
    '6: lost: a.exitcodes: expected an exit code from 0 to 255, got "abc"', '6: lost: a.exitcodes: expected an exit code from 0 to 255, got "300"',
    '7: lost: a.stopwaitsecs: expected a number of seconds, 0 or more, got "long"', '8: lost: a.stopasgroup: expected true or false, got "2"',
    '9: lost: a.stdout_logfile_maxbytes: expected a size such as 50MB, got "lots"',
  ]],
  ['ecosystem.json', JSON.stringify({ apps: [{
    name: ['x'], script: 'a.js', cwd: ['x'], interpreter: { a: 1 }, args: [1, ['b']], node_args: { a: 1 }, autorestart: 'maybe', max_restarts: 'many', cron_restart: ['x'], kill_signal: 'FOO', uid: ['x'],
    stop_exit_codes: [1, 'a'], exp_backoff_restart_delay: 'soon', wait_ready: [true],
  }, 'text'] }), [
    '1: lost: a.name: expected a text, got a list', '1: lost: a.cwd: expected a text, got a list', '1: lost: a.interpreter: expected a text, got a map', '1: lost: a.node_args: expected a text, got a map',
    '1: lost: a.args: expected a text, got a list', '1: lost: a.autorestart: expected true or false, got "maybe"', '1: lost: a.cron_restart: expected a text, got a list',
    '1: lost: a.exp_backoff_restart_delay: expected milliseconds or a duration such as 10s, got "soon"', '1: lost: a.max_restarts: expected a number of 0 or more, got "many"',
    '1: lost: a.stop_exit_codes: expected an exit code from 0 to 255, got "a"', '1: lost: a.kill_signal: expected a signal, got "FOO"', '1: lost: a.wait_ready: expected true or false, got a list',
    '1: lost: a.uid: expected a text, got a list', '1: lost: apps: expected a script, got "text"',
  ]],
  ['ecosystem.json', JSON.stringify({ apps: [{
    name: 'a', script: 'a.js', cwd: '.', exec_cwd: 'x', interpreter: 'node', exec_interpreter: 'bun', uid: 'root', user: 'daemon', autorestart: false, cron_restart: '0 0 * * *', cron: '1 1 * * *',
    kill_signal: 'SIGINT', stop_signal: 'SIGQUIT',
  }] }), ['exec_cwd', 'interpreter', 'user', 'cron', 'stop_signal'].map((key) => `1: lost: a.${key}: sysg has no such key`)],
  ['p.conf', '[program:a]\ncommand=x\nstartsecs=Infinity\nstdout_logfile_maxbytes=5MB\nstdout_logfile_backups=Infinity\n', [
    '3: lost: a.startsecs: expected a number of seconds, 0 or more, got "Infinity"', '5: lost: a.stdout_logfile_backups: expected a number, 0 or more, got "Infinity"',
  ]],
  ['compose.yaml', 'services:\n  a:\n    command: x\n    deploy: {restart_policy: {condition: sometimes, delay: soon, window: [1]}}\n', [
    '4: lost: a.deploy.restart_policy.condition: expected none, on-failure or any, got "sometimes"', '4: lost: a.deploy.restart_policy.delay: expected a duration such as 1m30s, got "soon"',
    '4: lost: a.deploy.restart_policy.window: expected a duration such as 1m30s, got a list',
  ]],
  ['p.yaml', 'processes:\n  a: {command: x, ready_log_line: [y]}\n  b: {command: x, schedule: {cron: [y]}}\n', [
    '2: lost: a.ready_log_line: expected a text, got a list', '3: lost: b.schedule.cron: expected a text, got a list',
    '3: lost: b.schedule: a schedule here has times of the day, of which this interval is none: b is skipped until it has another',
  ]],
] as const)('%s: a value that is none of those a key may have is named, and no default is put in without a word', async (file, source, expected) => {
  const made = await tried({ [file]: source }, file);
  const named = lost(made).map((line) => line.replace(/^.*?\.(?:yaml|conf|json):/, '')).filter((line) => line.includes(': lost: '));
  expect(named).toEqual(expected);
  expect(made.text).not.toMatch(/null|undefined|NaN|\.nan/);
});

test('an app of pm2 gets the arguments, the interpreter and the environment that pm2 6 gives it', async () => {
  const apps = [
    { name: 'quoted', script: 'a.js', args: `'b c' x\\ "d" --e="f g" it's` },
    { name: '/off', script: 'a.js', autostart: false, interpreter: '', port: 3000, env: { PORT: 1, NONE: null } },
    { name: 'camel', script: 'a.js', nodeArgs: '--x', interpreter_args: '--y', killTimeout: 3000, kill_timeout: 4000, minUptime: '5s', env_FOO: { A: 1 }, NODE_ENV: 'x', listenTimeout: 3 },
    { name: 'package', script: '.', args: ['x'] },
    { name: 'of nvm', script: 'a.js', interpreter: 'node@18', max_restarts: -1, cronRestart: '0 0 * * *' },
  ];
  const made = await tried({ 'ecosystem.json': JSON.stringify({ apps }) }, 'ecosystem.json', '--env', 'FOO');
  expect(made.text).toContain(`services:
  quoted:
    command: node a.js 'b c' 'x\\' d '--e="f g"' 'it'"'"'s'

  off:
    command: node a.js
    env:
      NONE: "null"
      PORT: "3000"
    profiles: [off]

  camel:
    command: node --x a.js
    env:
      A: "1"
    stable_after: 5s
    stop_timeout: 4s

  package:
    command: node . x

  of nvm:
    command: node a.js

`);
  expect(lost(made).map((line) => line.replace(/^.*?json:1: /, ''))).toEqual([
    'changed: off.name: named off here', 'changed: off.autostart: started by name, or with start --profile off; until then it is not among the units',
    'lost: camel.interpreter_args: sysg has no such key', 'lost: camel.NODE_ENV: sysg has no such key', 'lost: camel.listenTimeout: it belongs to wait_ready',
    'changed: of nvm.interpreter: is the node on PATH; pm2 has nvm choose that version',
    `lost: of nvm.cronRestart: a running service is not restarted by the clock; a crontab can: "0 0 * * * sysg restart -s 'of nvm'"`,
    'lost: of nvm.max_restarts: expected a number of 0 or more, got -1',
  ]);
});

test('of supervisord, what has to be known now is so by the variables as they are, and a file that is included includes no others', async () => {
  const home = tempDir();
  const files = {
    'a.conf': '[include]\nfiles = b.conf\n[program:a]\ncommand=a %(ENV_WORDS)s "%(ENV_WORDS)s" x%(ENV_WORDS)s%(ENV_ONE)s/ %(ENV_ONE)s %(ENV_UNSET)s\numask=027\n',
    'b.conf': '[program:b]\ncommand=b\nnumprocs=%(ENV_TWO)s\nprocess_name=b%(process_num)d\nautostart=%(ENV_NO)s\nstopsignal=%(ENV_UNSET)s\nstartsecs=1%(ENV_UNSET)s\numask=%(ENV_UNSET)s\n[include]\nfiles=a.conf\n',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const env = { PATH: process.env['PATH'], HOME: home, WORDS: 'two words', ONE: '*', TWO: '2', NO: 'false' };
  const made = await sysg(['import', 'a.conf'], { cwd: home, env });
  const text = readFileSync(join(home, 'sysg.config.yaml'), 'utf8');
  expect(text).toContain('command: umask 027; set -f; exec a $WORDS "$WORDS" "x"$WORDS"$ONE/" "$ONE" "$UNSET"\n');
  expect(text.match(/^ {2}b\d:$/gm)).toEqual(['  b0:', '  b1:']);
  expect(lost(made)).toEqual([
    'b.conf:3: changed: b.numprocs: it is "2", by the variables as they are now', 'b.conf:3: changed: b.numprocs: 2 services, each with its number',
    'b.conf:5: changed: b.autostart: it is "false", by the variables as they are now',
    'b.conf:5: changed: b.autostart: started by name, or with start --profile b; until then it is not among the units',
    'b.conf:6: lost: b.stopsignal: expected a signal, got "%(ENV_UNSET)s"', 'b.conf:7: lost: b.startsecs: expected a number of seconds, 0 or more, got "1%(ENV_UNSET)s"',
    'b.conf:8: lost: b.umask: expected an octal number such as 022, got "%(ENV_UNSET)s"', 'b.conf:10: lost: include.files: a file that is included includes no others, under supervisord neither',
  ]);
});

test('a variable of compose outside of quotes is as many words as its value, none where it is empty', async () => {
  const source = 'services:\n  a:\n    command: a ${NONE} ${NONE:-} "${NONE}" x${NONE} ${WORDS:-b c} ${ONE:-b}$NONE\n  b:\n    command: [b, "${NONE}", "${WORDS:-b c}"]\n';
  const made = await tried({ 'compose.yaml': source }, 'compose.yaml');
  expect(made.text).toContain(' command: set -f; exec a $NONE $${NONE:-} "$NONE" "x$NONE" $${WORDS:-b c} "$${ONE:-b}$NONE"\n');
  expect(made.text).toContain(' command: exec b "$NONE" "$${WORDS:-b c}"\n');
});

test('a default of compose is text to the shell that puts it in, but for the variables that it names itself', async () => {
  const source = 'services:\n  a:\n    command: a ${A:-${B:-c}} ${A:-$$C$${D}} ${A:-`e`}\n    healthcheck: {test: "a ${A:-${B:-c}}"}\n';
  const made = await tried({ 'compose.yaml': source }, 'compose.yaml');
  expect(made.text).toContain(' command: exec a "$${A:-$${B:-c}}" "$${A:-\\$C\\$${D}}" "$${A:-\\`e\\`}"\n');
  expect(made.text).toContain(' command: a ${A:-${B:-c}}\n');
});

test('what compose takes away with !reset is not there', async () => {
  const made = await tried({ 'compose.yaml': 'services:\n  a:\n    image: x\n    entrypoint: !reset null\n    environment: !reset\n      A: b\n    command: a ${B-}\n' }, 'compose.yaml');
  expect(made.text).toContain('services:\n  a:\n    command: set -f; exec a $${B:-}\n\n');
  expect(lost(made).map((line) => line.replace(/^\S+ /, ''))).toEqual([
    'lost: a.image: sysg pulls and runs no images: the program has to be on this machine',
    'changed: a.command: it is run as it stands, without what the entrypoint of the image does',
  ]);
});

test('every variable in a line of a Procfile is left to its shell, which may have set it itself', async () => {
  const made = await tried({ Procfile: 'a: for i in 1 2; do echo ${i} "${WORDS}"; done\nb: exec app -p ${PORT:-3000} $$\n', '.env': 'WORDS="a \\" b"\n' }, 'Procfile');
  expect(made.text).toContain('    command: for i in 1 2; do echo $${i} "$${WORDS}"; done\n');
  expect(made.text).toContain('    command: exec app -p $${PORT:-3000} $$\n');
});

test.each([['', true], ['startsecs=5\n', true], ['startretries=0\n', false], ['startsecs=0\n', false], ['autostart=false\nstartsecs=0\n', false]])('autorestart=false of supervisord with %j: said to be one attempt: %s', async (further, isSaid) => {
  const made = await tried({ 'a.conf': `[program:a]\ncommand=a\nautorestart=false\n${further}` }, 'a.conf');
  expect(lost(made).some((line) => line.startsWith('a.conf:3: changed: a.autorestart: there is one attempt here'))).toBe(isSaid);
});
