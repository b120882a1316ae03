import { describe, expect, test } from 'vitest';
import { parseSource, type Finding, type SourceNode } from '../../src/config/document.ts';

function read(text: string): unknown {
  const findings: Finding[] = [];
  const { root } = parseSource(text, findings);
  return findings.length > 0 ? findings.map(({ message }) => message) : root === null ? null : plain(root);
}

function plain(node: SourceNode): unknown {
  if (node.kind === 'map') return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  return node.kind === 'list' ? node.items.map(plain) : node.value;
}

describe('between quotes and brackets, lines begin at any column, as in 0.33.0 (libyaml)', () => {
  test.each([
    ['a quoted text that goes on at the column of its key', 'web:\n  command: "sleep\n  5"\n', { web: { command: 'sleep 5' } }],
    ['whose closing quote is there', "web:\n  command: 'sleep 5\n  '\n  x: 1\n", { web: { command: 'sleep 5 ', x: 1 } }],
    ['that goes on before it', 'web:\n  command: "sleep\n5"\nd: e\n', { web: { command: 'sleep 5' }, d: 'e' }],
    ['with a line like a comment', 'a: "b\n# c"\nd: e\n', { a: 'b # c', d: 'e' }],
    ['in a list', 'l:\n- "a\nb"\n- \'c\n\n\n d\'\n', { l: ['a b', 'c\n\nd'] }],
    ['a list that closes at the column of its key', 'web:\n  exec: [sleep,\n  "5"\n  ]\n', { web: { exec: ['sleep', '5'] } }],
    ['plain words in it that go on there', 'web:\n  exec: [sh, -c, a\n  b]\n', { web: { exec: ['sh', '-c', 'a b'] } }],
    ['a map that closes there', 'web:\n  env: {\n  A: b\n  }\n', { web: { env: { A: 'b' } } }],
    ['with the line ends of Windows', 'web:\r\n  command: "sleep\r\n  5"\r\n', { web: { command: 'sleep 5' } }],
  ])('%s', (_, text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test('plain words outside of brackets still have to go on further in, as there', () => {
    expect(read('web:\n  command: sleep\n   5\n')).toEqual({ web: { command: 'sleep 5' } });
    expect(read('web:\n  command: sleep\n  5\n')).toEqual(['Implicit map keys need to be followed by map values']);
  });

  test('a place after such a text is still found', () => {
    const findings: Finding[] = [];
    const { locate, root } = parseSource('a: "b\nc"\nd: e\n', findings);
    expect(root?.kind === 'map' && locate(root.entries[1]?.keyOffset ?? 0)).toMatchObject({ line: 3, column: 1, excerpt: 'd: e' });
  });
});
