import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEnvFile } from '../../src/config/env-file.ts';
import { configDir, refusals, service } from './config-dir.ts';

const valuesOf = (text: string): Record<string, string> => Object.fromEntries(parseEnvFile(text).variables);
const problemsOf = (text: string): readonly string[] => parseEnvFile(text).problems.map(({ line, message }) => `${line}: ${message}`);

test.each([
  [String.raw`A="x\"y"`, 'x"y'], ['A=x#y', 'x#y'], ['A=#fff', '#fff'], ['A=x # a comment', 'x'], ['A= # a comment', ''], ['A=', ''], [' A = x y ', 'x y'],
  ['export A=x', 'x'], ["A='x # y'", 'x # y'], ["A='x' # a comment", 'x'], [String.raw`A='\n\"'`, String.raw`\n\"`], [String.raw`A="a\nb\\n\$c\d"`, String.raw`a
b\n$c\d`],
  ['A="two\nlines"', 'two\nlines'], ['A="two\r\nlines"\r\n', 'two\nlines'], ["A=it's", "it's"], ['A=5" disk', '5" disk'], [String.raw`A=C:\new`, String.raw`C:\new`], ['A=a=b', 'a=b'],
  ['A=$HOME', '$HOME'], ['A=x\nA=y', 'y'], ['# A=0\n\n  # no\nA=1', '1'], ['A="x"', 'x'], ['A=""', ''],
])('%j gives %j', (text, expected) => {
  expect(parseEnvFile(text).problems).toEqual([]);
  expect(valuesOf(text)).toEqual({ A: expected });
});

test.each([
  ['B=1\nA="x\nC=2\n', ['2: the quote before the value of A is never closed']],
  ["A='x\nB=1\n", ['1: the quote before the value of A is never closed']],
  ['A="x\nB="y"\n', ['1: expected the end of the line behind the quoted value of A, which is closed in line 1 below']],
  ['A="x" y\nB=1\n=z\n', ['1: expected the end of the line behind the quoted value of A', '3: expected NAME=value, got no name']],
  ["A='it''s'\n", ['1: expected the end of the line behind the quoted value of A']],
  ['A="x"#y\n', ['1: expected the end of the line behind the quoted value of A']],
  ['A=`date`\n', ['1: the value of A begins with a backquote, which is no quote here; put the value in single quotes']],
  ['A B=1\n', ['1: expected NAME=value, got a name with blanks, quotes, \'#\' or control characters']],
  ['A=x\0y\n', ['1: the value of A contains a NUL character, which no program can be given']],
])('%j is refused with the line', (text, expected) => {
  expect(problemsOf(text)).toEqual(expected);
});

test('what stands below a refused line is read', () => {
  expect(valuesOf('A="x\nB=1\nC="y" z\nD=2\n')).toEqual({ A: '', B: '1', C: '', D: '2' });
});

test('a value that systemg 0.33.0 reads otherwise gets a note', () => {
  expect(parseEnvFile('A="x"\nB=x#y\nC=x # y\nD="a\\nb"\n').notes.map(({ line }) => line)).toEqual([3, 4]);
});

test('each mistake of each file is reported, with the name of the file and the line', () => {
  const dir = configDir();
  dir.write('one.env', 'A="x\n\nB=`b`\n');
  dir.write('two.env', 'C=1\nD="x" y\n');
  expect(refusals(`version: "1"
services:
  a: {command: x, env: {file: none.env}}
  b: {command: x, env: {file: one.env, vars: {E: $A}}}
  c: {command: x, env: {file: two.env}, max_restarts: x}
`, { dir })).toEqual([
    'sysg.yaml:3:31: services.a.env.file: Failed to read env file: No such file or directory (os error 2) (none.env)',
    'sysg.yaml:4:31: services.b.env.file: one.env:1: the quote before the value of A is never closed',
    'sysg.yaml:4:31: services.b.env.file: one.env:3: the value of B begins with a backquote, which is no quote here; put the value in single quotes',
    'sysg.yaml:5:31: services.c.env.file: two.env:2: expected the end of the line behind the quoted value of D',
    'sysg.yaml:5:55: services.c.max_restarts: expected a whole number ≥ 0, got "x"',
  ]);
});

test('a variable may be called __proto__, in a file and among vars', () => {
  const dir = configDir();
  dir.write('.env', '__proto__=x\n');
  expect(Object.entries(service('command: a\nenv: {file: .env, vars: {A: $__proto__}}', { dir }).env)).toEqual([['__proto__', 'x'], ['A', 'x']]);
  expect(Object.entries(service('command: a\nenv: {__proto__: y}').env)).toEqual([['__proto__', 'y']]);
});

/** How a person who knows the rules writes a value. */
const writers: readonly ((value: string) => string | null)[] = [
  (value) => (value === value.trim() && !/[\n\r\0]|^['"`]|\s#|^#/.test(value) ? value : null),
  (value) => (/['\r\0]/.test(value) ? null : `'${value}'`),
  (value) => (/[\r\0]/.test(value) ? null : `"${value.replaceAll(/[\\"]/g, String.raw`\$&`)}"`),
  (value) => (/[\r\0]/.test(value) ? null : `"${value.replaceAll(/[\\"$`]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`),
];
const characters = fc.oneof(fc.constantFrom(...'ab"\'\\#$`= \t\n{}'.split('')), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
const values = fc.array(characters, { maxLength: 12 }).map((parts) => parts.join(''));
const names = fc.oneof(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/), fc.constantFrom('__proto__', 'constructor', 'export'));
const entries = fc.record({
  name: names, value: values, writer: fc.nat(writers.length - 1), before: fc.constantFrom('', ' ', 'export ', '# note\n', '\n'), around: fc.constantFrom('', ' '),
  after: fc.constantFrom('', ' ', ' # a "comment\''),
});

test('what is written by the rules is read as it was meant', () => {
  fc.assert(fc.property(fc.array(entries, { maxLength: 6 }), fc.constantFrom('\n', '\r\n'), (all, lineBreak) => {
    const meant = new Map<string, string>();
    const lines = all.flatMap(({ name, value, writer, before, around, after }) => {
      const written = writers[writer]?.(value) ?? null;
      if (written === null) return [];
      meant.set(name, value);
      return [`${before}${name}${around}=${around}${written}${after}`];
    });
    const { variables, problems } = parseEnvFile(lines.join('\n').replaceAll('\n', lineBreak));
    expect(problems).toEqual([]);
    expect([...variables].sort()).toEqual([...meant].sort());
  }), { numRuns: 500 });
});

test('any text is read or refused, with lines that exist', () => {
  fc.assert(fc.property(values, values, (one, other) => {
    const text = `A=${one}\n${other}`;
    const { problems, warnings } = parseEnvFile(text);
    for (const { line } of [...problems, ...warnings]) expect(line).toBeLessThanOrEqual(text.split('\n').length);
  }));
});
