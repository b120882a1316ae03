import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parsePlain, withoutAlias, wrongOperands } from '../src/cli/arguments.ts';
import { sysg } from './cli/rig.ts';
import { tempDir } from './temp-dir.ts';

const root = resolve(import.meta.dirname, '..');
const pages = ['README.md', ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => join('docs', name))];

interface Block {
  readonly page: string;
  readonly line: number;
  /** What stands behind the fence: the language, and what kind of it. */
  readonly kind: string;
  readonly text: string;
}

const blocks = pages.flatMap((page): readonly Block[] => {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(/^ *```(\S[^\n]*)\n(.*?)^ *```$/gms)].map(({ 1: kind = '', 2: body = '', index }) => ({ page, line: text.slice(0, index).split('\n').length + 1, kind, text: body }));
});

const place = ({ page, line }: Block): string => `${page}:${line}`;
const isWhole = ({ kind, text }: Block): boolean => kind === 'yaml' && /^version: "1"$/m.test(text) && /^services:$/m.test(text);

describe('configurations', () => {
  const whole = blocks.filter(isWhole);

  test('pages for beginners show whole files only', () => {
    const begun = blocks.filter(({ page, kind }) => kind === 'yaml' && /(?:tutorial|cookbook|coming-from-[\w-]+)\.md$/.test(page));
    expect(begun.length).toBeGreaterThan(15);
    expect(begun.filter((block) => !isWhole(block)).map(place)).toEqual([]);
  });

  test.each(whole.map((block) => [place(block), block] as const))('%s is accepted', async (_, { text }) => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'sysg.yaml'), text);
    for (const [, file = ''] of text.matchAll(/\bfile: ([\w.-]+)/g)) {
      mkdirSync(dirname(join(cwd, file)), { recursive: true });
      writeFileSync(join(cwd, file), 'A=b\n');
    }
    const { exitCode, stdout, stderr } = await sysg(['validate', '--json'], { cwd, uid: 0 });
    expect({ exitCode, stderr, ...(JSON.parse(stdout) as object) }).toMatchObject({ exitCode: 0, stderr: '', errors: [] });
  });
});

/** Every command line of ours in a block or between backquotes. */
function commandsIn(page: string): readonly string[] {
  const inBlocks = blocks.filter((block) => block.page === page && /^(?:sh|bash)$/.test(block.kind)).flatMap(({ text }) => text.split('\n'));
  const inline = [...readFileSync(join(root, page), 'utf8').replace(/^ *```.*?^ *```$/gms, '').matchAll(/`(sysg [^`]+)`/g)].map(([, text = '']) => text);
  return [...inBlocks, ...inline].flatMap((line) => {
    const [, command] = /^(?:docker exec \S+ )?(?:dist\/)?(sysg .*)$/.exec(line.replace(/ {2,}#.*$|;.*$| \|.*$| && .*$/g, '').trim()) ?? [];
    // What stands for a word of the reader's is none of ours.
    return command === undefined || command.includes('<') ? [] : [command];
  });
}

test.each(['README.md', 'docs/tutorial.md', 'docs/cookbook.md', ...pages.filter((page) => page.includes('coming-from'))])('every command in %s is one of ours, with its flags', (page) => {
  const commands = commandsIn(page);
  expect(commands.length).toBeGreaterThan(5);
  for (const command of commands) {
    const argv = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? '').slice(1);
    const parsed = parsePlain(withoutAlias(argv), 'names');
    expect([command, parsed === null ? 'not understood' : wrongOperands(parsed.verb, parsed.operands, parsed.flags)]).toEqual([command, null]);
  }
});

test('every variable of ours that a page names is set or read by the program', () => {
  const named = pages.flatMap((page) => [...readFileSync(join(root, page), 'utf8').matchAll(/\bSYSG_[A-Z_]*[A-Z]\b/g)].map(([name]) => name));
  const sources = ['machines', 'src', 'test', '.build'].flatMap((room) => readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(root, room, name)));
  const text = sources.filter((path) => /\.(?:ts|mjs|cjs|sh)$/.test(path) && path !== import.meta.filename).map((path) => readFileSync(path, 'utf8')).join('\n');
  expect(new Set(named).size).toBeGreaterThan(10);
  expect([...new Set(named)].filter((name) => !text.includes(name))).toEqual([]);
});

test('every link to a page and to a heading leads somewhere', () => {
  const anchors = (page: string): readonly string[] => [...readFileSync(join(root, page), 'utf8').matchAll(/^#+ (.*)$/gm)]
    .map(([, title = '']) => title.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-'));
  const broken = pages.flatMap((page) => [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, path = '', anchor]) => {
    const target = path === '' ? page : join(dirname(page), path);
    try {
      if (!path.endsWith('/') && readFileSync(join(root, target)).length === 0) return [`${page}: ${link}`];
    } catch {
      return [`${page}: ${link}`];
    }
    return anchor === undefined || !target.endsWith('.md') || anchors(target).includes(anchor) ? [] : [`${page}: ${link}`];
  }));
  expect(broken).toEqual([]);
});

test('the simulation that docs/simulate.md shows comes to what stands there', async () => {
  const [, yaml = '', argv = '', printed = ''] = /```yaml\n(.*?)```\n\n```console\n\$ sysg (.*?)\n(.*?)```/s.exec(readFileSync(join(root, 'docs/simulate.md'), 'utf8')) ?? [];
  const cwd = tempDir();
  writeFileSync(join(cwd, 'app.yaml'), yaml);
  const words = [...argv.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  expect(await sysg(words, { cwd, env: { HOME: cwd } })).toEqual({ exitCode: 0, stdout: printed, stderr: '' });
});
