import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { openTamer, tamed } from '../../src/logs/taming.ts';

const whole = '\u001b[31mred\n\u001b]0;title\u0007\u001b[2Jplain\u0008 \u001b[1;32mgreen\u001b[0m\tend\u001b[H\r\n';

/** The text handed over in pieces of these lengths. */
function inPieces(text: string, lengths: readonly number[]): string {
  const tamer = openTamer({ colors: true });
  let out = '';
  let rest = text;
  for (const length of lengths) {
    out += tamer.push(rest.slice(0, length));
    rest = rest.slice(length);
  }
  return out + tamer.push(rest) + tamer.end();
}

describe('the text of a program', () => {
  test('keeps its colours, which end with their line, and nothing that moves the cursor, clears the screen or sets a title', () => {
    expect(inPieces(whole, [])).toBe('\u001b[31mred\u001b[0m\nplain \u001b[1;32mgreen\u001b[0m\tend\n');
  });

  test('loses its colours too where they are not wanted', () => {
    const tamer = openTamer({ colors: false });
    expect(tamer.push(whole) + tamer.end()).toBe('red\nplain green\tend\n');
    expect(tamed('\u001b[31mred', false)).toBe('red');
  });

  test('is the same wherever it is divided', () => {
    fc.assert(fc.property(fc.array(fc.nat(12)), (lengths) => {
      expect(inPieces(whole, lengths)).toBe(inPieces(whole, []));
    }));
  });

  test('is shown at once where no sequence has begun, and a sequence without an end is not waited for', () => {
    const tamer = openTamer({ colors: true });
    expect(tamer.push('Password: ')).toBe('Password: ');
    expect(tamer.push('\u001b]0;')).toBe('');
    expect(tamer.push('x'.repeat(5000)) + tamer.push('after')).toMatch(/after$/);
  });
});
