import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { distrust } from '../../src/config/trust.ts';
import { tempDir } from '../temp-dir.ts';

describe.runIf(process.getuid?.() === 0)('a file that root is to obey', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = join(tempDir(), 'etc');
    mkdirSync(directory, { mode: 0o755 });
    file = join(directory, 'sysg.yaml');
    writeFileSync(file, '', { mode: 0o644 });
  });

  test('may be read by others, and need not be there', () => {
    expect(distrust(file)).toBeNull();
    expect(distrust(join(directory, 'none.yaml'))).toBeNull();
    expect(distrust(join(file, 'below-a-file.yaml'))).toBeNull();
  });

  test.each([[0o666, 'everybody'], [0o646, 'everybody']])('may not have mode %o', (mode, who) => {
    chmodSync(file, mode);
    expect(distrust(file)).toBe(`${file}: ${who} may write to it (mode ${mode.toString(8)}), expected root alone, whose supervisor obeys it; try: chmod go-w ${file}`);
  });

  test('may not belong to somebody else, nor lie in a directory that somebody else may change', () => {
    chownSync(file, 1234, 0);
    expect(distrust(file)).toBe(`${file}: belongs to uid 1234, expected root, whose supervisor obeys it`);
    chownSync(file, 0, 0);
    chmodSync(directory, 0o775);
    expect(distrust(file)).toBeNull();
    chownSync(directory, 0, 1234);
    expect(distrust(file)).toMatch(/etc: group 1234 may write to it/);
    chmodSync(directory, 0o1777);
    expect(distrust(file)).toBeNull();
    chownSync(directory, 1234, 0);
    expect(distrust(file)).toMatch(/etc: belongs to uid 1234/);
  });

  test('may be reached by a link, of which both ends count', () => {
    const link = join(tempDir(), 'link.yaml');
    symlinkSync(file, link);
    expect(distrust(link)).toBeNull();
    chmodSync(file, 0o666);
    expect(distrust(link)).toMatch(/everybody may write/);
    chmodSync(file, 0o644);
    chmodSync(directory, 0o777);
    expect(distrust(link)).toMatch(/etc: everybody may write/);
  });
});
