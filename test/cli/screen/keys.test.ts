import { expect, test } from 'vitest';
import { openKeyReader } from '../../../src/cli/screen/keys.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

test.each([
  ['jk', ['j', 'k']], ['\u001b[A\u001b[B', ['up', 'down']], ['\u001bOA\u001b[Z\t', ['up', 'shift-tab', 'tab']], ['\u001b[5~\u001b[6~', ['page-up', 'page-down']],
  ['\r\u007f\u0003', ['enter', 'backspace', 'ctrl-c']], ['é😀', ['é', '😀']], ['\u001b[200~q', ['q']], ['\u001b[<0;3;4M', []], ['\u001bq', ['escape', 'q']],
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
