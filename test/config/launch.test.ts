import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classify, quoteArgv } from '../../src/config/launch.ts';

describe('nothing but words and quotes is executed directly', () => {
  test.each([
    ['sleep 5', ['sleep', '5']],
    ['  sleep\t5 \n', ['sleep', '5']],
    ['python3 -u web.py --port=80 a#b x:y ^ ] % @ , +', ['python3', '-u', 'web.py', '--port=80', 'a#b', 'x:y', '^', ']', '%', '@', ',', '+']],
    [`node -e 'console.log("$HOME;*")'`, ['node', '-e', 'console.log("$HOME;*")']],
    [`run "a \\"b\\" \\n" 'c'd"" ''`, ['run', 'a "b" \\n', 'cd', '']],
    [`'my program' a`, ['my program', 'a']],
    ['/usr/bin/env A=b cmd', ['/usr/bin/env', 'A=b', 'cmd']],
    ['café --naïve', ['café', '--naïve']],
  ])('%s', (command, argv) => {
    expect(classify(command)).toEqual({ kind: 'exec', argv });
  });
});

describe('anything that a shell could read otherwise is left to it, unchanged', () => {
  test.each([
    'a | b', 'a && b', 'a; b', 'a &', 'a > f', 'a < f', '(a)', '{ a; }', 'a {b,c}', 'a $B', 'a "$B"', 'a `b`', 'a "`b`"', 'a *', 'a ?', 'a [b]', 'a ~', 'a ~/b', 'A=b cmd', 'A=b',
    'a # comment', '# comment', 'a\nb', 'a \\ b', 'a "b', "a 'b", 'echo a', 'exec a', 'cd /', 'true', '! a', 'if a', '"" a', "'echo' a", '. ./env', '[ -e a ]', 'a\rb', 'a $',
  ])('%s', (command) => {
    expect(classify(command)).toEqual({ kind: 'shell', script: command });
  });
});

test('what is executed directly is what a shell would have executed', () => {
  const part = fc.constantFrom('a', 'b c', '\t', ' ', '=', '#', 'x#', "'", '"', '\\', '%', ':', ',', '^', ']', '!', 'é', '\n', '-');
  fc.assert(fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
    const command = `/usr/bin/printf '%s\\0' ${parts.join('')}`;
    const launch = classify(command);
    if (launch.kind === 'shell') return;
    const run = (file: string, args: readonly string[]): string => execFileSync(file, args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' } });
    expect(run(launch.argv[0] ?? '', launch.argv.slice(1))).toBe(run('/bin/sh', ['-c', command]));
  }), { numRuns: 60 });
});

test('a quoted argument vector is read back as it was', () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')), { minLength: 1 }), (argv) => {
    const launch = classify(`prog ${quoteArgv(argv)}`);
    expect(launch).toEqual({ kind: 'exec', argv: ['prog', ...argv] });
  }));
  expect(quoteArgv(['sh', '-c', "it's", ''])).toBe(`sh -c 'it'"'"'s' ''`);
});
