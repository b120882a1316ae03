import { expect, test } from 'vitest';
import { edited, openKeyReader } from '../../../src/cli/screen/keys.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test.each([
  ['jk', ['j', 'k']], ['\u001b[A\u001b[B', ['up', 'down']], ['\u001bOA\u001b[Z\t', ['up', 'shift-tab', 'tab']], ['\u001b[5~\u001b[6~', ['page-up', 'page-down']],
  ['\r\u007f\u0003', ['enter', 'backspace', 'ctrl-c']], ['é😀', ['é', '😀']], ['\u001b[200~sy\n\u001b[201~q', ['pasted:sy\n', 'q']], ['\u001b[200~sy\u0003q', ['ctrl-c', 'q']], ['\u001b[<0;3;4M', []], ['\u001bq', ['escape', 'q']],
])('%j is %j', (text, keys) => {
  expect(openKeyReader().push(bytes(text))).toEqual(keys);
});

test('a sequence or a character that comes in parts is one key', () => {
  const reader = openKeyReader();
  const [first, second] = [bytes('é').subarray(0, 1), bytes('é').subarray(1)];
  expect([...reader.push(bytes('\u001b')), ...reader.push(bytes('[')), ...reader.push(bytes('A')), ...reader.push(first), ...reader.push(second)]).toEqual(['up', 'é']);
});

test('an escape after which nothing comes is the key of that name', () => {
  const reader = openKeyReader();
  expect(reader.push(bytes('\u001b'))).toEqual([]);
  expect(reader.pending).toBe(true);
  expect(reader.flush()).toEqual(['escape']);
  expect(reader.pending).toBe(false);
});

test('what is pasted is one key, however it comes, and goes where text is typed', () => {
  const reader = openKeyReader();
  const parts = ['\u001b[20', '0~one\ntw', 'o\n\u001b[2', '01~q'].flatMap((part) => reader.push(bytes(part)));
  expect(parts).toEqual(['pasted:one\ntwo\n', 'q']);
  expect(parts.reduce(edited, 'x')).toBe('xone twoq');
  expect(edited('', `pasted:${'é'.repeat(1000)}`)).toBe('é'.repeat(200));
});
