import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { findParent } from '../../src/daemon/parent.ts';
import { attempt } from '../../src/errors.ts';
import { tempDir } from '../temp-dir.ts';

const never = (): never => expect.fail('was asked');

/** A descriptor of a file, and what was written to it. */
function pipe(): { readonly descriptor: number; readonly text: () => string } {
  const path = join(tempDir(), 'pipe');
  const descriptor = openSync(path, 'w');
  onTestFinished(() => attempt(() => closeSync(descriptor), undefined));
  return { descriptor, text: () => readFileSync(path, 'utf8') };
}

test('what the parent left in the environment is taken out of it, and nothing else', () => {
  const environment = { SYSG_AGAIN: '1', SYSG_ASKED: 'TERM', SYSG_READY_FD: '1', SYSG_LIFELINE_FD: 'x', SYSG_GUARDIAN: '', SYSG_KEEPER: '1', SYSG_OTHER: 'kept' };
  findParent(environment, () => false);
  expect(environment).toEqual({ SYSG_OTHER: 'kept' });
});

test.each([['TERM', 'SIGTERM'], ['INT', 'SIGTERM'], ['HUP', 'SIGHUP'], ['USR1', null], [undefined, null]])('a guardian that was sent %s has its daemon obey %s', (SYSG_ASKED, asked) => {
  expect(findParent({ SYSG_ASKED }, never).asked).toBe(asked);
});

test('a guardian says that a start is one after a death; an init system does not, and the last daemon is looked for', () => {
  expect(findParent({ SYSG_AGAIN: '1' }, never).again).toBe(true);
  expect(findParent({ SYSG_AGAIN: '0' }, never).again).toBe(false);
  expect(findParent({ SYSG_KEEPER: 'systemd' }, () => true).again).toBe(true);
  expect(findParent({ SYSG_KEEPER: 'systemd' }, () => false).again).toBe(false);
});

test('who starts the daemon again: its parent of that pid, the init system, or nobody', () => {
  const guardian = (pid: number): string => join(tempDir(), `code-${pid}`);
  expect(findParent({ SYSG_GUARDIAN: guardian(process.ppid) }, never).guardian()).toBe('lives');
  expect(findParent({ SYSG_GUARDIAN: guardian(process.pid) }, never).guardian()).toBe('gone');
  expect(findParent({ SYSG_GUARDIAN: guardian(process.pid), SYSG_KEEPER: '1' }, () => false).guardian()).toBe('lives');
  expect(findParent({}, never).guardian()).toBe('none');
});

test('an exit code is noted for a guardian that lives, and for nobody else', () => {
  const directory = tempDir();
  // The guardian here is what runs the tests: it does not heed SIGURG.
  const living = join(directory, `code-${process.ppid}`);
  findParent({ SYSG_GUARDIAN: living }, never).noteEnd(3);
  expect(readFileSync(living, 'utf8')).toBe('3');
  expect(() => findParent({ SYSG_GUARDIAN: join(directory, 'gone', `code-${process.ppid}`) }, never).noteEnd(3)).not.toThrow();
  const gone = join(directory, `code-${process.pid}`);
  findParent({ SYSG_GUARDIAN: gone }, never).noteEnd(3);
  findParent({}, never).noteEnd(3);
  expect(existsSync(gone)).toBe(false);
});

test('a command that waits gets the reports, one a line, until it is hung up on', () => {
  const { descriptor, text } = pipe();
  const parent = findParent({ SYSG_READY_FD: String(descriptor) }, never);
  expect(parent.descriptors).toEqual([descriptor]);
  expect(parent.report({ event: 'listening', pid: 7 })).toBe(true);
  expect(parent.report({ event: 'listening', pid: 8 })).toBe(true);
  parent.hangUp();
  parent.hangUp();
  expect(parent.report({ event: 'listening', pid: 9 })).toBe(false);
  expect(text()).toBe('{"event":"listening","pid":7}\n{"event":"listening","pid":8}\n');
});

test('a command that no longer reads is gone: it is told nothing more', () => {
  const full = openSync('/dev/full', 'w');
  const parent = findParent({ SYSG_READY_FD: String(full) }, never);
  expect([1, 2].map((pid) => parent.report({ event: 'listening', pid }))).toEqual([false, false]);
  expect(attempt(() => void closeSync(full), 'closed')).toBe('closed');
});

test.each(['1', '2', '2.5', '1e9', 'x', ''])('what %j names is no descriptor of a parent', (SYSG_READY_FD) => {
  const parent = findParent({ SYSG_READY_FD, SYSG_LIFELINE_FD: SYSG_READY_FD }, never);
  expect([parent.descriptors, parent.report({ event: 'listening', pid: 7 })]).toEqual([[], false]);
});

