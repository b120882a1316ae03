import { describe, expect, test } from 'vitest';
import { interpolate } from '../../src/config/interpolate.ts';
import { loaded, service } from './config-dir.ts';

const variables = new Map([['A', 'alpha'], ['EMPTY', ''], ['DOLLAR', '$A']]);
const scope = (name: string): string | undefined => variables.get(name);

describe('in texts', () => {
  test.each([
    ['$A-${A}', 'alpha-alpha'], ['${A:-x}', 'alpha'], ['${NONE:-x y}', 'x y'], ['${EMPTY:-x}', 'x'], ['${NONE:-}', ''], ['$$A', '$A'], ['$$$A', '$alpha'],
    ['$DOLLAR', '$A'], ['$1 $( $? $', '$1 $( $? $'], ['$A_', null], ['$NONE', null], ['${NONE}', null], ['${A', null], ['${}', null], ['${A-x}', null],
    ['${A:-${B}}', 'alpha'], ['${NONE:-${A}}', 'alpha'], ['${NONE:-${NONE:-${A}-x}}', 'alpha-x'], ['${NONE:-$A$$}', 'alpha$'], ['${NONE:-{"a": {}}}', '{"a": {}}'],
    ['${A:-x}}', 'alpha}'], ['{${A}', '{alpha'], ['$${A}', '${A}'], ['$$${A}', '$alpha'], ['$${NONE:-${A}}', '${NONE:-alpha}'],
    ['${A:-${B}', null], ['${A:-{}', null], ['${NONE:-$NONE}', null],
  ])('%s becomes %s', (written, expected) => {
    const { text, problems } = interpolate(written, scope, 'text');
    expect(problems.length === 0 ? text : null).toBe(expected);
  });
});

describe('in commands', () => {
  test.each([
    ['echo ${A} $A $$', 'echo alpha $A $$'], ['echo ${NONE} ${NONE:-x}', 'echo ${NONE} ${NONE:-x}'], ['echo ${EMPTY:-x}', 'echo x'],
    ['echo $${A} $$', 'echo ${A} $$'], ['$$${A}', '$$alpha'], ['${A:-${B}} }', 'alpha }'], ['${NONE:-${A}}', '${NONE:-${A}}'], ['${EMPTY:-${A}}', 'alpha'],
    [`\${EMPTY:-"}"}`, `\${EMPTY:-"}"}`], ['${EMPTY:-$(echo })}', '${EMPTY:-$(echo })}'], ['${NONE:-x', '${NONE:-x'], ['{ echo ${A:-{}; }', '{ echo alpha; }'], ['for i in ${A#al} ${#A}; do :; done', 'for i in ${A#al} ${#A}; do :; done'],
  ])('%s becomes %s', (written, expected) => {
    expect(interpolate(written, scope, 'script')).toEqual({ text: expected, problems: [] });
  });
});

test.each([['${A:-x', 'text'], ['${A:-${B}', 'script'], ['${A:-{}', 'word']] as const)('the brace of %s is never closed', (written, reader) => {
  expect(interpolate(written, scope, reader).problems).toEqual(['the brace of ${A:- is never closed']);
});

test('in words that no shell reads, braces are in pairs and quotes mean nothing', () => {
  expect(interpolate(`\${EMPTY:-{"a": '\${A}'}} $\${A} $A`, scope, 'word')).toEqual({ text: `{"a": 'alpha'} \${A} $A`, problems: [] });
});

test('references that stand in each other without end are refused', () => {
  expect(interpolate(`${'${NONE:-'.repeat(10_000)}x${'}'.repeat(10_000)}`, scope, 'text').problems).toEqual(['references stand in each other more than 100 deep']);
});

test('every command-like key keeps what is the shell’s, every other is replaced', () => {
  const reference = '"$A ${A} $i"';
  const spec = service(`command: ${reference}
skip: ${reference}
deployment: {strategy: rolling, pre_start: ${reference}, blue_green: {slots: [$A, b], switch_command: ${reference}}}
hooks: {on_start: {success: {command: ${reference}}}}
health_check: {command: ${reference}}
logs: {logger: ${reference}}
user: $A
env: {V: $A}`, { env: { A: 'x' } });
  const kept = '$A x $i';
  expect([spec.command, spec.skip, spec.preStart, spec.deployment.blueGreen?.switchCommand, spec.hooks[0]?.command, spec.logs.logger]).toEqual(Array(6).fill(kept));
  expect(spec.check?.probe).toEqual({ kind: 'command', command: kept });
  expect([spec.privileges.user, spec.env['V'], spec.deployment.blueGreen?.slots[0]]).toEqual(['x', 'x', 'x']);
  expect(service('exec: [echo, "${A}", "$A"]', { env: { A: 'x y' } }).launch).toEqual({ kind: 'exec', argv: ['echo', 'x y', '$A'] });
});

test('a literal reference can be written in exec, without a note', () => {
  const { services, notes } = loaded('version: "1"\nservices: {web: {exec: [echo, "$${HOME}", "${NOWHERE}"]}}\n');
  expect(services[0]?.launch).toEqual({ kind: 'exec', argv: ['echo', '${HOME}', '${NOWHERE}'] });
  expect(notes.map(({ column, message }) => `${column} ${message}`)).toContain('43 no shell reads this: a reference to an unknown variable reaches the program as it is');
  expect(notes.filter(({ message }) => message.startsWith('no shell reads this'))).toHaveLength(1);
});

test('comments are not looked at', () => {
  expect(service('command: a # $NOWHERE').command).toBe('a');
});

test('nothing is said about 0.33.0 in a file that it could not read', () => {
  expect(loaded('version: "1"\nservices: {a: {command: "echo $HOME", oneshot: true}}\n').notes).toEqual([]);
  expect(loaded('version: "1"\ndefaults: {user: x}\nservices: {a: {command: "echo $HOME"}}\n').notes).toEqual([]);
});

test('notes say what 0.33.0 would have read otherwise', () => {
  const { notes, warnings } = loaded('version: "1"\nservices:\n  a: {command: "echo $HOME"}\n  b: {command: "echo $i"}\n  c: {command: "echo ${HOME}", user: "$HOME"}\n  d: {command: a, user: "/$$HOME"}\n');
  expect(warnings).toEqual([]);
  expect(notes.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
    '3:16 systemg 0.33.0 replaces $HOME here when it reads the file; sysg leaves it to the shell',
    '4:16 systemg 0.33.0 refuses this: $i is not set; sysg leaves it to the shell',
    '6:25 systemg 0.33.0 replaces $HOME here when it reads the file; the rules for references are others now',
  ]);
});
