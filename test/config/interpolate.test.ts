import { describe, expect, test } from 'vitest';
import { interpolateCommand, interpolateText } from '../../src/config/interpolate.ts';
import { loaded, service } from './config-dir.ts';

const variables = new Map([['A', 'alpha'], ['EMPTY', ''], ['DOLLAR', '$A']]);
const scope = (name: string): string | undefined => variables.get(name);

describe('in texts', () => {
  test.each([
    ['$A-${A}', 'alpha-alpha'], ['${A:-x}', 'alpha'], ['${NONE:-x y}', 'x y'], ['${EMPTY:-x}', 'x'], ['${NONE:-}', ''], ['$$A', '$A'], ['$$$A', '$alpha'],
    ['$DOLLAR', '$A'], ['$1 $( $? $', '$1 $( $? $'], ['$A_', null], ['$NONE', null], ['${NONE}', null], ['${A', null], ['${}', null], ['${A-x}', null],
  ])('%s becomes %s', (written, expected) => {
    const { text, problems } = interpolateText(written, scope);
    expect(problems.length === 0 ? text : null).toBe(expected);
  });
});

describe('in commands', () => {
  test.each([
    ['echo ${A} $A $$', 'echo alpha $A $$'], ['echo ${NONE} ${NONE:-x}', 'echo ${NONE} ${NONE:-x}'], ['echo ${EMPTY:-x}', 'echo x'],
    ['echo $${A}', 'echo $${A}'], ['for i in ${A#al} ${#A}; do :; done', 'for i in ${A#al} ${#A}; do :; done'],
  ])('%s becomes %s', (written, expected) => {
    expect(interpolateCommand(written, scope)).toEqual({ text: expected, problems: [] });
  });
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

test('comments are not looked at', () => {
  expect(service('command: a # $NOWHERE').command).toBe('a');
});

test('notes say what 0.33.0 would have read otherwise', () => {
  const { notes, warnings } = loaded('version: "1"\nservices:\n  a: {command: "echo $HOME"}\n  b: {command: "echo $i"}\n  c: {command: "echo ${HOME}", working_dir: "$HOME"}\n  d: {command: a, working_dir: "/$$HOME"}\n');
  expect(warnings).toEqual([]);
  expect(notes.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual([
    '3:16 systemg 0.33.0 replaces $HOME here when it reads the file; sysg leaves it to the shell',
    '4:16 systemg 0.33.0 refuses this: $i is not set; sysg leaves it to the shell',
    '6:32 systemg 0.33.0 replaces $HOME here when it reads the file; the rules for references are others now',
  ]);
});
