import { execFileSync } from 'node:child_process';
import { chmodSync, symlinkSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { configDir, refusals } from './config-dir.ts';
import { refusedConfigs } from './refused-configs.ts';
import { refusedValues } from './refused-values.ts';

describe('a configuration is refused with every problem, its place and its key', () => {
  test.each([...refusedConfigs, ...refusedValues])('%s', (_title, yaml, problems) => {
    expect(refusals(yaml)).toEqual(problems);
  });
});

test('a file that is not there is named with the words of the system', () => {
  const path = `${configDir().path}/nope.yaml`;
  expect(loadConfig(path, { env: {}, identify })).toEqual({
    ok: false,
    problems: [{ file: path, line: 0, column: 0, path: '', message: `Failed to read config file: No such file or directory (os error 2) (${path})`, excerpt: '' }],
  });
});

test('a file that cannot be read is named once', () => {
  const path = `${configDir().path}/nope.yaml`;
  const result = loadConfig(path, { env: {}, identify });
  expect(result.ok ? [] : result.problems.map(formatProblem)).toEqual([`Failed to read config file: No such file or directory (os error 2) (${path})`]);
});

test('a directory and a device are refused instead of read', () => {
  const dir = configDir().path;
  const messageOf = (path: string): string | undefined => {
    const result = loadConfig(path, { env: {}, identify });
    return result.ok ? undefined : result.problems[0]?.message;
  };
  expect(messageOf(dir)).toBe(`Failed to read config file: Is a directory (os error 21) (${dir})`);
  expect(messageOf('/dev/zero')).toBe('Failed to read config file: not a regular file (/dev/zero)');
});

test('a FIFO, a link to itself, a file that may not be read and one that is too large are refused at once', () => {
  const dir = configDir();
  const messageOf = (path: string): string | undefined => {
    const result = loadConfig(path, { env: {}, identify });
    return result.ok ? undefined : result.problems[0]?.message;
  };
  const fifo = `${dir.path}/fifo.yaml`;
  execFileSync('mkfifo', [fifo]);
  expect(messageOf(fifo)).toBe(`Failed to read config file: not a regular file (${fifo})`);
  symlinkSync('loop.yaml', `${dir.path}/loop.yaml`);
  expect(messageOf(`${dir.path}/loop.yaml`)).toBe(`Failed to read config file: Too many levels of symbolic links (os error 40) (${dir.path}/loop.yaml)`);
  const large = dir.write('large.yaml', '');
  truncateSync(large, 17 * 1024 * 1024);
  expect(messageOf(large)).toBe(`Failed to read config file: ${17 * 1024 * 1024} bytes, expected at most ${16 * 1024 * 1024} (${large})`);
  const secret = dir.write('secret.yaml', 'version: "1"');
  chmodSync(secret, 0);
  // Root reads everything.
  if (process.geteuid?.() !== 0) expect(messageOf(secret)).toBe(`Failed to read config file: Permission denied (os error 13) (${secret})`);
});

test('bytes that are no UTF-8 are refused with their line', () => {
  const path = configDir().write('sysg.yaml', Buffer.from('version: "1"\nservices:\n  web: {command: caf\xe9}\n', 'latin1'));
  const result = loadConfig(path, { env: {}, identify });
  expect(result.ok ? [] : result.problems).toMatchObject([{ line: 3, message: 'expected UTF-8 text, got bytes of another encoding' }]);
});

test('deep nesting is refused before the parser recurses', () => {
  expect(refusals(`services: ${'['.repeat(50_000)}`)).toEqual(['sysg.yaml:1:75: nested more than 64 levels deep']);
});

test('a syntax error hides its consequences, not what stands before it', () => {
  const yaml = 'version: "1"\nservices:\n  web: {command: sleep 5, depends_on: [db], stop_timeout: 5x}\n  db: {command: "x\n';
  const problems = refusals(yaml);
  expect(problems).toContain('sysg.yaml:3:59: services.web.stop_timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "5x"');
  expect(problems.join('\n')).toContain('sysg.yaml:4:17: a quote " is opened here and not closed');
  expect(problems.join('\n')).not.toContain('unknown dependency');
});

test.each([
  ['exec: sleep 100', 'write [sleep, 100]'], ['exec: greet "a b" c', 'write [greet, "a b", c]'], ['exec: "a; b"', 'write command: "a; b", which a shell reads'],
  ['command: [a, b]', "a list of words belongs to 'exec'"], ['command: *x', "a text that begins with '*' needs quotes"], ['command: @x', "a text that begins with '@' needs quotes"],
  ['command: "echo" a', 'needs quotes around the whole'], ['command: echo a: b', "a text with ': ' in it needs quotes"], ['command: {a}', "a text that begins with '{' or has ': ' in it needs quotes"],
  ['cron: */5 * * * *', "a text that begins with '*' needs quotes"], ['cron: * * * * *', "a text that begins with '*' needs quotes"], ['command: %x', "a text that begins with '%' needs quotes"],
  ['command: > out', "a text that begins with '|' or '>' needs quotes"], ['command: ]x', "nothing is open that ']' would close, and a text that begins with it needs quotes"], ['command: #x', "a text that begins with '#' or '&' needs quotes"],
  ['command: {a: b}}', "nothing is open that '}' would close"], ['command: &x', "a text that begins with '#' or '&' needs quotes"],
  ['depends_on: {db: {condition: service_healthy}}', 'write [{service: db, condition: healthy}]'], ['depends_on: {db: , web: started}', 'write [db, {service: web, condition: started}]'],
  ['depends_on: a, b', 'write [a, b]'], ['http: x', "did you mean 'health_check: {url: …}'?"], ['health_check: {http: x}', "did you mean 'url'?"], ['autorestart: true', "did you mean 'restart_policy: always'?"],
  ['startsecs: 3', "did you mean 'stable_after'?"], ['restart_delay: 3', "did you mean 'backoff'?"], ['max_memory_restart: 300M', "did you mean 'limits: {cgroup: {memory_max: …}}'?"],
  ['livenessProbe: {httpGet: {path: /}}', "did you mean 'health_check'?"], ['ExecStart: /bin/x', "did you mean 'command'?"], ['autostart: false', "did you mean 'profiles'?"],
  ['nice: 5', "did you mean 'limits: {nice: …}'?"], ['MemoryMax: 1G', "did you mean 'limits: {cgroup: {memory_max: …}}'?"], ['disabled: true', "did you mean 'profiles'?"],
  ['replicas: 2', "unknown key 'replicas': each instance is a service of its own here"], ['image: nginx', 'services are programs of this machine here'],
  ['limits: {memory: 256Mi}', "did you mean 'cgroup: {memory_max: …}'?"], ['limits: {cgroup: {memory_max: 256Mi}}', "got \"256Mi\", did you mean '256M'?"],
  ['limits: {cgroup: {cpu_max: 50%}}', "did you mean '50000 100000'?"], ['limits: {cgroup: {cpu_max: 1500m}}', "did you mean '150000 100000'?"],
  ['limits: {cgroup: {cpu_max: 0.5}}', "did you mean '50000 100000'?"], ['logs: {rotate: {size: 10MiB}}', "did you mean '10MB'?"],
  ['command: x\n    health_check: {url: "http://a/{slot}"}\n    deployment: {blue_green: {slots: [1, 2], switch_command: x}}', "this one has a deployment.blue_green without effect, which needs 'strategy: rolling'"],
  ['command: x\n    health_check: {url: "http://a/{slot}"}', 'this one has no deployment.blue_green'],
])('%s is answered with what to write', (line, hint) => {
  expect(refusals(`version: "1"\nservices:\n  web:\n    ${line}\n`).join('\n')).toContain(hint);
});

test('a blue-green block with a mistake is one mistake, not two', () => {
  const service = 'command: x\n    health_check: {url: "http://a/{slot}"}\n    deployment: {strategy: rolling, blue_green: {switch_command: x}}';
  expect(refusals(`version: "1"\nservices:\n  web:\n    ${service}\n`)).toEqual(['sysg.yaml:6:37: services.web.deployment.blue_green: missing field `slots`']);
});

test('a text that YAML takes for a map is one mistake, not two', () => {
  expect(refusals('version: "1"\nservices:\n  web:\n    command: echo a: b\n')).toEqual([
    "sysg.yaml:4:14: Nested mappings are not allowed in compact mappings; a text with ': ' in it needs quotes",
  ]);
});
