import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { sysg, type Ran } from '../cli/rig.ts';
import { tempDir } from '../temp-dir.ts';

interface Exported extends Ran {
  readonly home: string;
}

async function exported(yaml: string, ...words: readonly string[]): Promise<Exported> {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), yaml);
  return { home, ...(await sysg(['export', ...words], { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin' } })) };
}

const one = (body: string): string => `version: "1"\nservices:\n  web:\n    command: sleep 1000\n${body}`;
const images = ['--image', '*=app:1'] as const;

/** A unit as its lines. */
async function unit(body: string): Promise<readonly string[]> {
  const { stdout, exitCode, stderr } = await exported(one(body), 'systemd');
  expect(exitCode, stderr).toBe(0);
  return stdout.split('\n');
}

test('each key that an engine lacks is named with its line, and --strict then writes nothing', async () => {
  const yaml = one('    essential: true\n    stable_after: 5s\n');
  const said = await exported(yaml, 'systemd', '-o', 'out');
  expect(said).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^1 file for systemd in .*\/out; 2 lost, 0 changed\n$/) });
  expect(said.stderr.split('\n').slice(0, 2)).toEqual([
    'sysg.yaml:5: lost: web.essential: the nearest, FailureAction, is about the whole machine',
    'sysg.yaml:6: lost: web.stable_after: systemd counts starts within a time, and forgives none',
  ]);
  expect(readdirSync(join(said.home, 'out'))).toEqual(['web.service']);
  const strict = await exported(yaml, 'systemd', '--strict', '-o', 'out');
  expect(strict).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: expect.stringContaining('2 keys of sysg.yaml would be lost, and --strict is given: nothing is written'),
  });
  expect(existsSync(join(strict.home, 'out'))).toBe(false);
  expect(await exported(one('    restart_policy: always\n    backoff: 2s\n'), 'systemd', '--strict')).toMatchObject({ exitCode: 0, stderr: '' });
});

test.each([
  ['systemd', 'lost: web.env: systemd takes names of letters, digits and _ alone, and passes over my-var, a.b, 1X'],
  ['kubernetes', 'changed: web.env: a cluster before version 1.32 refuses the name of 1X'],
  ['nomad', 'changed: web.env: nomad puts _ in the place of other signs in my-var, 1X'],
  ['compose', null],
])('a variable whose name %s does not take is named', async (engine, said) => {
  const { stderr } = await exported(one('    env: {my-var: a, a.b: b, 1X: c, GOOD_1: d}\n'), engine, ...images);
  expect(stderr.split('\n').filter((line) => line.includes('.env:'))).toEqual(said === null ? [] : [`sysg.yaml:5: ${said}`]);
});

test('a key of `defaults` that is lost is named once', async () => {
  const { stderr } = await exported(
    'version: "1"\ndefaults: {stable_after: 1s}\nservices: {a: {command: sleep 1}, b: {command: sleep 2}}\n',
    'nomad',
  );
  expect(stderr.match(/defaults\.stable_after/g)).toHaveLength(1);
});

test.each(['compose', 'kubernetes'])('%s runs images: each service without one is named', async (engine) => {
  const yaml = 'version: "1"\nservices: {a: {command: sleep 1}, b: {command: sleep 2}}\n';
  expect(await exported(yaml, engine, '--image', 'a=x')).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: `sysg: ${engine} runs images, and none is named for b: --image b=IMAGE, or --image '*=IMAGE' for all\n`,
  });
  expect(await exported(yaml, engine, '--image', 'c=x')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no service c in') });
  expect(await exported(yaml, engine, '--image', 'a=one:1', '--image', '*=two:1')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/image: one:1[^]*image: two:1/),
  });
});

test('bad words', async () => {
  expect(await exported(one(''), 'dockerfile')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('expected systemd, compose, kubernetes, nomad, got "dockerfile"'),
  });
  expect(await exported(one(''), 'nomad', '--image', 'web')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('expected SERVICE=IMAGE or *=IMAGE, got "web"'),
  });
  expect(await exported('version: "1"\nservices: {web: {comand: x}}\n', 'nomad')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("did you mean 'command'"),
  });
});

test('a file that is there stays unless --force is given, and none is written beside it', async () => {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices: {a: {command: sleep 1}, b: {command: sleep 2}}\n');
  mkdirSync(join(home, 'out'));
  writeFileSync(join(home, 'out/b.service'), 'mine');
  const around = { cwd: home, env: { HOME: home } };
  expect(await sysg(['export', 'systemd', '-o', 'out'], around)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('b.service exists') });
  expect(readdirSync(join(home, 'out'))).toEqual(['b.service']);
  expect(await sysg(['export', 'systemd', '-o', 'out', '--force'], around)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(join(home, 'out/b.service'), 'utf8')).toContain('ExecStart=');
});

test.each([
  [
    '    restart_policy: always\n',
    [
      'Type=exec',
      'Restart=always',
      'RestartSec=1s',
      'StartLimitIntervalSec=0',
      'KillSignal=SIGTERM',
      'TimeoutStopSec=10s',
      'WantedBy=default.target',
    ],
  ],
  [
    '    max_restarts: 3\n    restart_window: 1m\n    restart_policy: on-failure\n',
    ['StartLimitBurst=4', 'StartLimitIntervalSec=60s', 'Restart=on-failure'],
  ],
  ['    oneshot: true\n', ['Type=oneshot', 'RemainAfterExit=yes', 'Restart=no', 'TimeoutStartSec=infinity']],
  [
    '    success_exit_codes: [0, 3]\n    no_restart_exit_codes: [4]\n    kill_mode: mixed\n',
    ['SuccessExitStatus=3', 'RestartPreventExitStatus=4', 'KillMode=mixed'],
  ],
  ['    env: {A: "100% $$x", B: "two words"}\n', ['Environment="A=100%% $x"', 'Environment="B=two words"']],
  ['    skip: "test -e /x"\n', ['ExecCondition=/bin/sh -c "! { test -e /x\\n}"']],
  ['    deployment: {pre_start: "echo $A 100%"}\n', ['ExecStartPre=/bin/sh -c "echo $$A 100%%"']],
])('a unit of systemd: %s', async (body, lines) => {
  expect(await unit(body)).toEqual(expect.arrayContaining(lines));
});

test('a schedule is a timer: days and hours as they are here', async () => {
  const { stdout } = await exported(one('    cron: {expression: "15 30 4 1-7 * sun", timezone: UTC}\n'), 'systemd');
  expect(stdout).toContain('OnCalendar=Sun *-*-01,02,03,04,05,06,07 04:30:15 UTC\n');
  const weekly = await exported(one('    cron: "*/30 9-17 * * mon-fri"\n'), 'kubernetes', ...images);
  expect(weekly.stdout).toContain('schedule: 0,30 9-17 * * 1-5\n');
  const seconds = await exported(one('    cron: "*/10 * * * * *"\n'), 'kubernetes', ...images);
  expect(seconds).toMatchObject({
    stdout: expect.stringContaining('suspend: true'),
    stderr: expect.stringContaining('sysg.yaml:5: lost: web.cron: a CronJob has whole minutes'),
  });
});

test('env files stay files where the engine reads them alike, else their values are written', async () => {
  const home = tempDir();
  const around = { cwd: home, env: { HOME: home } };
  writeFileSync(join(home, 'sysg.yaml'), one('    env: {file: a.env, vars: {B: "2"}}\n'));
  writeFileSync(join(home, 'a.env'), '# plain\nA=1\n');
  const plain = await sysg(['export', 'systemd'], around);
  expect(plain.stdout).toContain(`EnvironmentFile=${home}/a.env\nEnvironment=B=2\n`);
  for (const text of ['A="# x"\n', 'export A=1\n', 'A=1\nB=9\n']) {
    writeFileSync(join(home, 'a.env'), text);
    const { stdout, stderr } = await sysg(['export', 'systemd'], around);
    expect(stdout).not.toContain('EnvironmentFile');
    expect(stdout).toContain('Environment=B=2\n');
    expect(stderr).toContain('sysg.yaml:5: changed: web.env.file: the values of');
  }
});

describe('a value that is secret', () => {
  const value = "it's a $ecret \\ of 4711";
  const yaml = one('    env: {vars: {DATABASE: "${DATABASE}", PLAIN: shown, API_TOKEN: literal-token}}\n');
  const exportedWith = async (...words: readonly string[]): Promise<Exported> => {
    const home = tempDir();
    writeFileSync(join(home, 'sysg.yaml'), yaml);
    return { home, ...(await sysg(['export', ...words], { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin', DATABASE: value } })) };
  };
  const planted = /4711|literal-token/;

  test.each(['systemd', 'compose'])('is not printed for %s, and stands in a file of its own, for its owner alone', async (engine) => {
    const printed = await exportedWith(engine, ...images);
    expect(printed).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/PLAIN.*shown/) });
    expect(printed.stdout + printed.stderr).not.toMatch(planted);
    expect(printed.stderr).toContain(`sysg.yaml:5: changed: web.env: the secret values of DATABASE, API_TOKEN are read from ${printed.home}/web.env, which -o writes for its owner alone`);
    const { home, stdout } = await exportedWith(engine, ...images, '-o', 'out');
    expect(stdout).toContain('2 files');
    const [main = '', file = ''] = engine === 'systemd' ? ['web.service', 'web.env'] : ['compose.yaml', 'web.env'];
    expect(readFileSync(join(home, 'out', main), 'utf8')).toContain(engine === 'systemd' ? `EnvironmentFile=${home}/out/web.env\n` : 'env_file:\n      - ./web.env\n');
    expect(readFileSync(join(home, 'out', main), 'utf8')).not.toMatch(planted);
    expect(readFileSync(join(home, 'out', file), 'utf8')).toBe('DATABASE="it\'s a \\$ecret \\\\ of 4711"\nAPI_TOKEN=\'literal-token\'\n');
    expect(statSync(join(home, 'out', file)).mode & 0o777).toBe(0o600);
  });

  test('stands in a Secret of kubernetes, and nowhere else', async () => {
    const { stdout } = await exportedWith('kubernetes', ...images);
    const [secret, deployment = ''] = stdout.split('---\n');
    expect(parse(secret ?? '')).toMatchObject({ kind: 'Secret', stringData: { DATABASE: value, API_TOKEN: 'literal-token' } });
    expect(deployment).toContain('secretRef:');
    expect(deployment).not.toMatch(planted);
  });

  test('is read by nomad from the variables of the job', async () => {
    const { stdout, stderr, home } = await exportedWith('nomad');
    expect(stdout + stderr).not.toMatch(planted);
    const { Job } = JSON.parse(stdout) as { readonly Job: { readonly ID: string; readonly TaskGroups: readonly [{ readonly Tasks: readonly [object] }] } };
    expect(home).not.toBe('');
    expect(Job.TaskGroups[0].Tasks[0]).toMatchObject({
      Env: { PLAIN: 'shown' },
      Templates: [{ Envvars: true, EmbeddedTmpl: `{{ with nomadVar "nomad/jobs/${Job.ID}" }}DATABASE={{ .DATABASE | toJSON }}\nAPI_TOKEN={{ .API_TOKEN | toJSON }}\n{{ end }}` }],
    });
    expect(stderr).toContain(`nomad var put nomad/jobs/${Job.ID} DATABASE=… API_TOKEN=…`);
  });

  test('in a command stands in the result, which is said', async () => {
    const home = tempDir();
    writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web:\n    command: sleep ${TOKEN_OF_MINE}\n');
    const { stdout, stderr } = await sysg(['export', 'systemd'], { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin', TOKEN_OF_MINE: 'abcdef-4711' } });
    expect(stdout).toContain('abcdef-4711');
    expect(stderr).toContain('sysg.yaml:4: changed: web.command: the value of ${TOKEN_OF_MINE} stands in the result: take it from a variable under env');
  });
});

describe('a job of nomad', () => {
  interface Group {
    readonly RestartPolicy: object;
    readonly EphemeralDisk?: { readonly SizeMB: number };
    readonly Tasks: readonly { readonly Env: object; readonly Templates?: readonly object[]; readonly Config: { readonly args: readonly string[]; readonly work_dir: string }; readonly LogConfig?: object }[];
  }
  const groupOf = async (body: string): Promise<Group & { readonly stderr: string }> => {
    const { stdout, stderr } = await exported(one(body), 'nomad');
    const { Job } = JSON.parse(stdout) as { readonly Job: { readonly TaskGroups: readonly [Group] } };
    return { ...Job.TaskGroups[0], stderr };
  };

  test('gets values as they are: a driver reads its configuration as a template of HCL, and a variable knows no escape for a reference', async () => {
    const { Tasks: [task] } = await groupOf([
      `    env: {LITERAL: 'a "$\${HOME}"', SHELL_ONLY: "$\${HOME:-x} $$HOME", PLAIN: "%{x}"}`,
      `    deployment: {pre_start: 'echo "$\${HOME}" %{http_code} 100% $HOME'}`,
      '',
    ].join('\n'));
    expect(task).toMatchObject({
      Config: { args: ['-c', 'echo "$${HOME}" %%{http_code} 100% $HOME'] },
      Env: { SHELL_ONLY: '${HOME:-x} $HOME', PLAIN: '%{x}' },
      Templates: [{ DestPath: '${NOMAD_SECRETS_DIR}/literals', Envvars: true, EmbeddedTmpl: 'LITERAL={{ "a \\"${HOME}\\"" | toJSON }}\n' }],
    });
    expect(task?.Env).not.toHaveProperty('LITERAL');
  });

  test('has an interval as long as its restarts, and a disk for its logs: nomad refuses others', async () => {
    const short = await groupOf('    restart_policy: always\n    max_restarts: 5\n    restart_window: 2s\n    backoff: 3s\n');
    expect(short.RestartPolicy).toEqual({ Attempts: 5, Interval: 15e9, Delay: 3e9, Mode: 'fail' });
    expect(short.stderr).toContain('sysg.yaml:7: changed: web.restart_window: 15s there: ');
    expect(short.EphemeralDisk).toBeUndefined();
    const wide = await groupOf('    restart_policy: always\n    max_restarts: 5\n    restart_window: 1m\n    backoff: 3s\n    logs: {rotate: {size: 100MB, keep: 4}}\n');
    expect(wide.RestartPolicy).toMatchObject({ Interval: 60e9 });
    expect(wide.stderr).not.toContain('restart_window');
    expect(wide.Tasks[0]?.LogConfig).toMatchObject({ MaxFiles: 5 });
    expect(wide.EphemeralDisk?.SizeMB).toBeGreaterThan(5 * 95);
  });
});

test('a job of nomad says of each dependency what becomes of it', async () => {
  const { stdout, stderr } = await exported([
    'version: "1"', 'services:', '  once: {command: "true", oneshot: true}', '  checked: {command: sleep 1, health_check: {command: "true"}}', '  plain: {command: sleep 1}', '  web:', '    command: sleep 1',
    '    depends_on: [{service: once, condition: completed}, {service: checked, condition: healthy}, {service: plain, condition: started}]', '',
  ].join('\n'), 'nomad');
  expect(stderr.split('\n').filter((line) => line.includes('depends_on'))).toEqual([
    'sysg.yaml:8: changed: web.depends_on: once is run before each start of this one, beside being a job of its own',
    'sysg.yaml:8: changed: web.depends_on: a task makes the check of checked until it passes; nothing restarts with checked',
    'sysg.yaml:8: lost: web.depends_on: nothing waits for plain, which is another job',
  ]);
  const tasks = [...stdout.matchAll(/"Name": "([\w-]+)",\n\s+"Driver"/g)].map(([, name]) => name);
  expect(tasks).toEqual(['once', 'checked', 'plain', 'once', 'wait-for-checked', 'web']);
});

test.each([
  ['{äa: {command: sleep 1}, öa: {command: sleep 2}}', '-a'],
  ['{b: {command: sleep 1, deployment: {pre_start: "true"}}, b-pre-start: {command: sleep 2}}', 'b-pre-start'],
])('compose refuses services that would have one name: %s', async (services, name) => {
  expect(await exported(`version: "1"\nservices: ${services}\n`, 'compose', ...images)).toEqual({
    home: expect.any(String), exitCode: 1, stdout: '', stderr: `sysg: two services would be ${name}: expected names that differ in more than case and signs\n`,
  });
});

test('names that an engine does not take are changed, and never fall together', async () => {
  const yaml = 'version: "1"\nservices: {"My App": {command: sleep 1}, my.app: {command: sleep 2}}\n';
  expect(await exported(yaml, 'kubernetes', ...images)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('two services would be my-app.yaml'),
  });
  expect(await exported(yaml, 'systemd')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('# My\\x20App.service\n') });
});

test('profiles: compose keeps them and starts what a chosen service needs; elsewhere they are lost', async () => {
  const yaml = [
    'version: "1"',
    'services:',
    '  app: {command: sleep 1, depends_on: [store]}',
    '  store: {command: sleep 2, profiles: [debug]}',
    '  tracer: {command: sleep 3, profiles: [debug, dev], depends_on: [sink]}',
    '  sink: {command: sleep 4, profiles: [io]}',
    '',
  ].join('\n');
  const { stdout, stderr } = await exported(yaml, 'compose', ...images);
  expect(stderr).not.toContain('profiles');
  const { services } = parse(stdout) as { services: Record<string, { profiles?: string[]; depends_on?: Record<string, unknown> }> };
  expect(Object.entries(services).map(([name, { profiles }]) => [name, profiles])).toEqual([
    ['app', undefined],
    ['store', undefined],
    ['tracer', ['debug', 'dev']],
    ['sink', ['io', 'debug', 'dev']],
  ]);
  expect(Object.keys(services['tracer']?.depends_on ?? {})).toEqual(['sink']);
  for (const engine of ['systemd', 'kubernetes', 'nomad'])
    expect((await exported(yaml, engine, ...images)).stderr, engine).toContain('sysg.yaml:5: lost: tracer.profiles: ');
});

test.each(['1_000M', '1000mb', ' 1048576000 '])('a size is read as everywhere: memory_max %j', async (size) => {
  const yaml = one(`    limits: {cgroup: {memory_max: "${size}", cpu_max: " 50000 100000 "}}\n`);
  for (const [engine, written] of [
    ['systemd', ['MemoryMax=1000M\n', 'CPUQuota=50%\n']], ['compose', ['memory: 1000m\n', 'cpus: "0.5"\n']], ['kubernetes', ['memory: 1000Mi\n', 'cpu: 500m\n']], ['nomad', ['"MemoryMB": 1000\n']],
  ] as const) {
    const { stdout } = await exported(yaml, engine, ...images);
    for (const line of written) expect(stdout, engine).toContain(line);
  }
});

test('a sandbox is written where an engine has the like, and named where it has not', async () => {
  const yaml = one('    sandbox: {no_new_privs: true, read_only_root: true, private_tmp: true, writable: [/srv/a b]}\n');
  const said = async (engine: string): Promise<readonly [string, readonly string[]]> => {
    const { stdout, stderr } = await exported(yaml, engine, ...images);
    return [stdout, stderr.split('\n').filter((line) => line.includes('sandbox'))];
  };
  expect(await said('systemd')).toEqual([expect.stringContaining('NoNewPrivileges=yes\nProtectSystem=strict\nPrivateTmp=yes\nReadWritePaths="/srv/a b"\n'), []]);
  const [compose, ofCompose] = await said('compose');
  expect(compose).toMatch(/security_opt:\n\s+- no-new-privileges:true\n\s+read_only: true\n\s+tmpfs:\n\s+- \/tmp\n\s+- \/var\/tmp\n/);
  expect(ofCompose).toEqual(['sysg.yaml:5: lost: web.sandbox.writable: a volume of the container is writable']);
  expect(await said('kubernetes')).toEqual([
    expect.stringMatching(/allowPrivilegeEscalation: false\n\s+readOnlyRootFilesystem: true\n/),
    ['sysg.yaml:5: lost: web.sandbox: of it, private_tmp and writable: a volume that is mounted there is writable'],
  ]);
  expect((await said('nomad'))[1]).toEqual(['sysg.yaml:5: lost: web.sandbox: nomad has nothing like it']);
});

test('in a unit of systemd nothing that a value has begins a line, a pattern or a specifier', async () => {
  const home = tempDir();
  const run = (yaml: string): Promise<Ran> => {
    writeFileSync(join(home, 'sysg.yaml'), yaml);
    return sysg(['export', 'systemd'], { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin' } });
  };
  for (const name of ['a*b?[c]\\.env', 'end ', 'a\rb']) writeFileSync(join(home, name), 'A=1\n');
  mkdirSync(join(home, 'dir '));
  writeFileSync(join(home, 'p$1'), '#!/bin/sh\n', { mode: 0o755 });
  const { stdout } = await run(one('    env: {file: "a*b?[c]\\\\.env", vars: {B: "1\\r[Install]\\u0001\\u0085"}}\n    working_dir: "dir "\n'));
  expect(stdout).toContain(`EnvironmentFile=${home}/a\\*b\\?\\[c]\\\\.env\n`);
  expect(stdout).toContain('Environment="B=1\\u000d[Install]\\u0001\\u0085"\n');
  expect(stdout).toContain(`WorkingDirectory=${home}/dir /\n`);
  expect((await run(one('    env: {file: "end "}\n'))).stdout).toContain(`EnvironmentFile=${home}/end[ ]\n`);
  expect((await run('version: "1"\nservices:\n  "a%n\\\\":\n    exec: ["./p$1", "$A"]\n')).stdout).toMatch(/Description=a%%n\\ \n[^]*ExecStart=\S+\/p\$1 \$\$A\n/);
  expect(await run(one('    env: {file: "a\\rb"}\n'))).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('a unit of systemd cannot name') });
});

test('what is lost of files that are included or laid over each other is named with its own file, and what is relative in them is so to their own directory', async () => {
  const home = tempDir();
  mkdirSync(join(home, 'part'));
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\ninclude: [part/more.yaml]\nservices:\n  web: {command: sleep 1000, spawn: {mode: dynamic}}\n');
  writeFileSync(join(home, 'over.yaml'), 'services:\n\n  web: {essential: true}\n');
  writeFileSync(join(home, 'part/more.yaml'), 'version: "1"\nservices:\n  more:\n    command: sleep 1000\n    essential: true\n    env: {file: more.env, vars: {OWN: b}}\n');
  writeFileSync(join(home, 'part/more.env'), 'MORE=a\n');
  const run = (...words: readonly string[]): Promise<Ran> =>
    sysg(['-c', 'sysg.yaml', '-c', 'over.yaml', 'export', 'compose', ...images, ...words], { cwd: home, env: { HOME: home, PATH: '/usr/bin:/bin' } });
  const { stdout, stderr, exitCode } = await run();
  expect(exitCode).toBe(0);
  expect(stderr.split('\n').map((line) => line.replace(/: the nearest.*/, '')).toSorted()).toEqual([
    '', 'over.yaml:3: lost: web.essential', 'part/more.yaml:5: lost: more.essential', 'sysg.yaml:4: lost: web.spawn: compose has nothing like it',
  ]);
  expect(parse(stdout)).toMatchObject({ services: { more: { env_file: ['./part/more.env'], environment: { OWN: 'b' } } } });
  expect(await run('--strict')).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('3 keys of sysg.yaml + over.yaml would be lost') });
});
