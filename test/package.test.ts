import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

interface Packed {
  readonly files: readonly { readonly path: string; readonly mode: number }[];
  readonly unpackedSize: number;
}

/** Everything that may be given on. A file of another kind is to be thought about, and then named here. */
const given = [
  /^(LICENSE|README\.md|package\.json|sysg\.config\.example\.yaml)$/,
  /^dist\/(sysg|package\.json|daemon(-main)?\.js|sysg-[a-z-]+\.js|(client|machines)\.(mjs|d\.mts))$/,
  /^dist\/types\/((\.build\/entries|machines|src|src\/(control|process|wire))\/[a-z-]+\.d\.ts|package\.json)$/,
  /^dist\/web\/[a-z-]+\.(html|css|js|svg)$/,
  /^docs\/([\w-]+\.(md|svg)|sysg\.1|Dockerfile)$/, /^docs\/charts\/[\w-]+\.(md|svg)$/, /^docs\/schema\/[\w.-]+\.json$/, /^docs\/monitoring\/[\w.-]+\.(yml|json)$/,
];

describe('the package', () => {
  let packed: Packed;

  beforeAll(() => {
    const root = resolve(import.meta.dirname, '..');
    const [found] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    packed = found;
  }, 60_000);

  test('holds what is named here and nothing else: no source, no test, no settings, no keys', () => {
    const paths = packed.files.map(({ path }) => path);
    expect(paths.filter((path) => !given.some((kind) => kind.test(path)))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'docs/security.md', 'docs/schema/sysg.schema.json']));
  });

  test('has one file that may be executed, no file that everybody may write to, and a bearable size', () => {
    expect(packed.files.filter(({ mode }) => (mode & 0o111) !== 0).map(({ path }) => path).filter((path) => path !== 'dist/sysg')).toEqual([]);
    expect(packed.files.filter(({ mode }) => (mode & 0o022) !== 0)).toEqual([]);
    expect(packed.unpackedSize).toBeLessThan(12_000_000);
  });
});
