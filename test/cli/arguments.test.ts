import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { version } from '../../package.json';
import { parsePlain, type ParsedCall } from '../../src/cli/arguments.ts';
import { explain } from '../../src/cli/explain.ts';
import { globalOptions, options, parseLogLevel, spellings, type OptionSpec } from '../../src/cli/options.ts';
import { verbs } from '../../src/cli/verbs.ts';
import { sysg } from './rig.ts';

describe('what is wrong with a command line is said in one sentence, with exit code 2', () => {
  test.each([
    [['statu'], "unknown command 'statu', did you mean 'status'?"],
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['status', '--jsn'], "unknown option '--jsn', did you mean '--json'?"],
    [['logs', '--no-folow'], "unknown option '--no-folow', did you mean '--no-follow'?"],
    [['--verison'], "unknown option '--verison', did you mean '--version'?"],
    [['stop', '--lines', '3'], "unknown option '--lines'"],
    [['stop', '-x'], "unknown option '-x'"],
    [['reload', 'web'], "unexpected argument 'web'"],
    [['stop', '-s'], "option '--service' needs a value: UNIT"],
    [['stop', '--service='], "option '--service': expected UNIT, got nothing"],
    [['logs', '-n', '1', '-l', '2'], "option '--lines' was given 2 times, expected once"],
    [['logs', '-n'], "option '--lines' needs a value: N"],
    [['logs', '-nx'], '--lines: expected a whole number ≥ 0, got "x"'],
    [['stop', '-k=x'], "unknown option '--kind'"],
    [['stop', '-s='], "option '--service': expected UNIT, got nothing"],
    [['chart', 'web', 'db'], 'unexpected argument \'db\''],
    [['chart', 'web', '-s', 'db'], 'a chart is of one unit: expected web or db'],
    [['pss'], "unknown command 'pss', did you mean 'ps'?"],
    [['logs', '-l', 'many'], '--lines: expected a whole number ≥ 0, got "many"'],
    [['logs', '-k', 'stdotu'], '--kind: expected stdout, stderr, all or supervisor, got "stdotu", did you mean \'stdout\'?'],
    [['start', '--wait-timeout', 'soon'], '--wait-timeout: expected a duration such as 500ms, 5s, 2m, 1h or 1d, got "soon"'],
    [['--log-level', 'x', 'status'], "--log-level: invalid log level 'x' (expected off, error, warn, info, debug, trace or 0-5)"],
    [['--log-level', '9', 'status'], "--log-level: unsupported log level number '9' (expected 0-5)"],
    [['--log-level=', 'status'], '--log-level: log level cannot be empty'],
    [['logs', '--lines='], '--lines: expected a whole number ≥ 0, got ""'],
    [['start', '--config='], "option '--config': expected FILE, got nothing"],
    [['--daemonize', 'start'], "option '--daemonize' goes after its command, as in: sysg start --daemonize"],
    [['start', '--'], 'expected a command after --'],
    [['start', '--ttl', 'soon', '--', 'sleep', '1'], '--ttl: expected a whole number from 0 to 18446744073709551615, got "soon"'],
    [['start', '--parent-pid=4294967296', 'sleep', '1'], '--parent-pid: expected a whole number from 0 to 4294967295, got "4294967296"'],
    [['plan', '--', 'web'], "unexpected argument 'web'"],
    [['wait', '--for', 'running'], "expected UNIT...: the names of one or more units, or patterns such as 'web*'"],
    [['inspect'], "expected UNIT...: the names of one or more units, or patterns such as 'web*'"],
    [['wait', 'web'], 'wait needs a state: sysg wait web --for running|ready|stopped|failed|completed'],
    [['wait', 'web', '--for', 'runing'], '--for: expected running, ready, stopped, failed, completed, got "runing", did you mean \'running\'?'],
    [['signal', 'HUP'], 'expected UNIT... SIGNAL: the names of units, then a signal by name or number, such as HUP, SIGUSR1 or 15'],
    [['signal', '-s', 'web'], 'expected UNIT... SIGNAL: the names of units, then a signal by name or number, such as HUP, SIGUSR1 or 15'],
    [['signal', 'HUP', 'web'], 'expected a signal such as HUP, SIGUSR1 or 15, got "web"'],
    [['signal', '-s', 'web', '-s', 'db'], 'expected a signal such as HUP, SIGUSR1 or 15, got ""'],
    [['signal', '-s', 'web', 'SIGHUB'], 'expected a signal such as HUP, SIGUSR1 or 15, got "SIGHUB", did you mean \'SIGHUP\'?'],
    [['completions', 'tcsh'], 'expected bash, zsh or fish, got "tcsh"'],
    [['completions'], 'expected bash, zsh, fish: sysg completions bash|zsh|fish'],
    [['spawn', '--', 'sleep', '1'], 'spawn needs --name NAME'],
    [['help', 'frobnicate'], "unknown command 'frobnicate'"],
  ])('%j', async (argv, sentence) => {
    const { exitCode, stdout, stderr } = await sysg(argv);
    expect(stderr.split('\n')[0]).toBe(`sysg: ${sentence}`);
    expect(stderr).toMatch(/\ntry: sysg .*--help\n$/);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
  });

  test('no command at all: help on stderr', async () => {
    const { exitCode, stdout, stderr } = await sysg([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    for (const { name } of shown) expect(stderr).toContain(`sysg ${name} `);
  });
});

describe('help', () => {
  test.each([['--help'], ['-h'], ['help'], ['help help']])('%s names every command and teaches with examples', async (line) => {
    const { exitCode, stdout, stderr } = await sysg(line.split(' '));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const text = stdout.replaceAll(/\s+/g, ' ');
    for (const { name, about } of shown) {
      expect(text).toContain(`sysg ${name}`);
      expect(text).toContain(about);
    }
    expect(text).not.toContain('sysg spawn');
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain('Exit codes:');
  });

  test.each(verbs.map((verb) => [verb.name, verb] as const))('of %s lists its options and examples', async (name, verb) => {
    const { stdout } = await sysg([name, '--help'], { columns: 110 });
    expect((await sysg(['help', name], { columns: 110 })).stdout).toBe(stdout);
    for (const option of [...verb.options, ...globalOptions]) expect(stdout).toContain(`--${option.name}`);
    // A long one goes on in the next line, beside what it is about.
    for (const [command] of verb.examples) expect(stdout).toContain(command.split(' ').slice(0, 4).join(' '));
  });

  test('every example is a command line that is understood', async () => {
    const examples = verbs.flatMap((verb) => verb.examples.map(([command]) => command.split(/ [|>] /)[0] ?? ''));
    for (const example of examples) {
      const words = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '').slice(1);
      expect([example, (await explain(words, 100)).kind]).toEqual([example, 'call']);
    }
  });

  test.each([['--version'], ['-V']])('%s prints the version of the package', async (word) => {
    expect(await sysg([word])).toEqual({ exitCode: 0, stdout: `sysg ${version}\n`, stderr: '' });
  });
});

describe('the plain parser', () => {
  test('reads flags before and after the command, glued or apart', () => {
    const parsed = parsePlain(['--log-level', 'debug', 'logs', '--service=web', '-l', '5', '--no-follow']);
    expect(parsed?.verb.name).toBe('logs');
    expect(valuesOf(parsed)).toEqual({ 'log-level': 'debug', service: 'web', lines: '5', 'no-follow': true });
  });

  test.each([
    [['logs', '-sweb', '-l=5', '-kstdout'], { service: 'web', lines: '5', kind: 'stdout' }],
    [['-cx.yaml', 'stop', '-s=a=b', '-s-x'], { config: 'x.yaml', service: 'a=b+-x' }],
    [['start', '-cweb.yaml', '-sdb', '--', '-sx'], { config: 'web.yaml', service: 'db' }],
  ])('of %j reads values that are glued to a letter', async (argv, values) => {
    expect(valuesOf(parsePlain(argv))).toEqual(values);
    const explained = await explain(argv, 100);
    expect(explained.kind === 'call' ? valuesOf(explained.parsed) : explained).toEqual(values);
  });

  test.each([[['logs', '-l', 'x']], [['logs', '-lx']], [['logs', '-s=']], [['logs', '-fx']], [['logs', '--help']], [['stop', '-s']], [['stop', '-s', '-x']], [['nope']], [[]], [['plan', 'web']], [['stop', '--', 'x']], [['start', '--']], [['wait', '--for', 'ready']], [['signal', 'HUP']], [['logs', '-n', '1', '-l', '2']], [['stop', '--json=1']], [['--json', 'stop']]])(
    'leaves %j to the one that explains', (argv) => {
      expect(parsePlain(argv)).toBeNull();
    },
  );

  test.each([
    [['start', '--daemonize', '--', 'sleep', '-s', '1'], ['sleep', '-s', '1']],
    [['start', '--name', 'start', 'echo', '-n', '--', '--json'], ['echo', '-n', '--', '--json']],
    [['--log-level', 'start', 'start', '--', '--help'], null],
    [['spawn', '--name=x', 'prog', '--name', 'y'], ['prog', '--name', 'y']],
    [['start', '--daemonize'], null],
  ])('of %j the command of the user\'s is %j', async (argv, command) => {
    expect(parsePlain(argv)?.command ?? null).toEqual(command);
    const explained = await explain(argv, 100);
    expect(explained.kind === 'call' ? explained.parsed.command : null).toEqual(command);
  });

  test('keeps words besides flags, and what is given again, in their order', () => {
    expect(parsePlain(['wait', 'web', '--for', 'ready', 'db'])).toMatchObject({ operands: ['web', 'db'], command: null });
    expect(parsePlain(['stop', '-s', 'b', 'a', '--service=c'])?.flags.texts(options.service)).toEqual(['b', 'c']);
  });

  test.each([
    [['up', 'web', '-c', 'x.yaml'], ['start', '--daemonize', 'web', '-c', 'x.yaml']], [['-c', 'x.yaml', 'down', 'web'], ['-c', 'x.yaml', 'stop', 'web']],
    [['stop', 'up'], ['stop', 'up']], [['up', '--daemonize'], ['start', '--daemonize']], [['-c', 'ps', 'stop', '-s', 'ps'], ['-c', 'ps', 'stop', '-s', 'ps']],
  ])('of %j is the call %j', async (argv, meant) => {
    const shape = (parsed: ParsedCall | null): object => ({ verb: parsed?.verb.name, values: valuesOf(parsed), operands: parsed?.operands });
    expect(shape(parsePlain(argv, 'names'))).toEqual(shape(parsePlain(meant, 'names')));
    const explained = await explain(argv, 100, 'names');
    expect(shape(explained.kind === 'call' ? explained.parsed : null)).toEqual(shape(parsePlain(meant, 'names')));
  });

  test('words after start are a command, or names and flags, as the caller wants', async () => {
    const argv = ['start', 'web', '--daemonize', 'db'];
    expect(parsePlain(argv)).toMatchObject({ operands: [], command: ['web', '--daemonize', 'db'], isBare: true });
    expect(parsePlain(argv, 'names')).toMatchObject({ operands: ['web', 'db'], command: null, isBare: false });
    expect(parsePlain(['start', '--', 'web'], 'names')).toMatchObject({ operands: [], command: ['web'], isBare: false });
    expect(await explain(['start', 'web', '--help'], 100, 'names')).toMatchObject({ kind: 'text', asked: true });
  });

  test('means what the full parser means', async () => {
    await fc.assert(fc.asyncProperty(commandLines, async (argv) => {
      const plain = parsePlain(argv);
      if (plain === null) return;
      const explained = await explain(argv, 100);
      expect(explained.kind).toBe('call');
      if (explained.kind !== 'call') return;
      expect(explained.parsed.verb).toBe(plain.verb);
      expect(valuesOf(explained.parsed)).toEqual(valuesOf(plain));
      expect([explained.parsed.operands, explained.parsed.command]).toEqual([plain.operands, plain.command]);
    }), { numRuns: 150 });
  });
});

test.each([
  [['web', '--read-only=yes'], "option '--read-only' takes no value, got 'yes'"], [['--drop-privileges=1', 'start'], "option '--drop-privileges' takes no value, got '1'"],
  [['stop', '--json='], "option '--json' takes no value, got ''"],
])('%j is refused, and not read as if the flag were not there', async (argv, problem) => {
  expect(await explain(argv, 100)).toMatchObject({ kind: 'refused', refusal: { message: expect.stringContaining(problem) } });
});

test.each([
  [['nope', '--json=1'], "unknown command 'nope'"], [['status', '--purge=1'], "unknown option '--purge'"], [['stop', '--timestamps='], "unknown option '--timestamps'"],
])('%j names what is unknown, and not its value', async (argv, problem) => {
  expect(await explain(argv, 100)).toMatchObject({ kind: 'refused', refusal: { message: expect.stringContaining(problem) } });
});

test.each([
  ['warn', 'warn'], ['WARNING', 'warn'], ['err', 'error'], ['information', 'info'], ['0', 'off'], ['5', 'trace'], [' Debug ', 'debug'],
])('log level %j is %s', (text, level) => {
  expect(parseLogLevel(text)).toEqual({ ok: true, level });
});

function valuesOf(parsed: ParsedCall | null): Record<string, string | true | undefined> {
  const all: readonly OptionSpec[] = parsed === null ? [] : [...globalOptions, ...parsed.verb.options];
  return Object.fromEntries(all.filter((option) => parsed?.flags.has(option)).map((option) => [option.name, option.repeats === true ? parsed?.flags.texts(option).join('+') : parsed?.flags.text(option) ?? true]));
}

const shown = verbs.filter(({ hidden }) => hidden !== true);

const flag = fc.constantFrom(...globalOptions, ...verbs.flatMap((verb) => verb.options)).chain((option: OptionSpec) => {
  const value = option.name === 'lines' ? fc.nat(1000).map(String)
    : option.name === 'kind' ? fc.constantFrom('stdout', 'STDERR', 'supervisor')
      : option.name === 'log-level' ? fc.constantFrom('warn', '3', 'ERR')
        : ['ttl', 'parent-pid'].includes(option.name) ? fc.nat(100).map(String)
          : option.name === 'for' ? fc.constantFrom('running', 'ready')
            : option.name === 'timeout' || option.name === 'wait-timeout' ? fc.constantFrom('5', '500ms', '1h')
              : fc.constantFrom('web', 'a b', '007', 'true', 'x=y', 'ünit', '1e3', 'a.b');
  const names = spellings(option);
  if (option.value === undefined) return fc.constantFrom(...names).map((name) => [name]);
  return fc.tuple(fc.constantFrom(...names), value, fc.boolean()).map(([name, text, glued]) => (glued ? [name.startsWith('--') ? `${name}=${text}` : `${name}${text}`] : [name, text]));
});
const commandLines = fc.tuple(fc.array(flag, { maxLength: 1 }), fc.constantFrom(...verbs.map(({ name }) => name)), fc.array(flag, { maxLength: 4 }),
  fc.array(fc.constantFrom('web', 'HUP', 'bash', '--', '-x', '--json'), { maxLength: 3 }))
  .map(([before, verb, after, words]) => [...before.flat(), verb, ...after.flat(), ...words]);

test.each([
  [['stat'], "did you mean 'status'?"], [['statu'], "did you mean 'status'?"], [['strat'], "did you mean 'start'?"], [['signal', '-s', 'web', 'SIGTRM'], "did you mean 'SIGTERM'?"],
])('%j is told what was probably meant', async (argv, hint) => {
  expect((await sysg(argv)).stderr).toContain(hint);
});

test('a word that is like no signal gets no guess', async () => {
  expect((await sysg(['signal', '-s', 'web', 'FOO'])).stderr).not.toContain('did you mean');
});
