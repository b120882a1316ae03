// Gives the path of Bun, whose compiler makes the program in one file. It is 103 MB that nothing else needs, so it is no dependency: npm fetches it once into
// the caller's cache, and it is used only where it is what `bun.json` says.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const { version, integrity } = JSON.parse(await readFile(join(import.meta.dirname, 'bun.json'), 'utf8'));

export async function findBun() {
  const platform = platformHere();
  const expected = integrity[platform];
  if (expected === undefined) throw new Error(`the program in one file is built on ${Object.keys(integrity).join(', ')}; this is ${platform}`);
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'sysg-build');
  const path = join(cache, `bun-${version}-${platform}`);
  if (!existsSync(path)) await fetchInto(cache, path, { name: `@oven/bun-${platform}@${version}`, expected });
  return path;
}

async function fetchInto(cache, path, { name, expected }) {
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, '.fetch-'));
  try {
    console.error(`fetching ${name} from the registry of npm`);
    run('npm', ['pack', '--silent', name], scratch);
    const archive = (await readdir(scratch)).find((file) => file.endsWith('.tgz'));
    const found = `sha512-${createHash('sha512').update(await readFile(join(scratch, archive))).digest('base64')}`;
    if (found !== expected) throw new Error(`${name}: expected ${expected}, the registry gave ${found}`);
    run('tar', ['-xzf', archive, 'package/bin/bun'], scratch);
    // Only what is whole and right gets the name.
    await rename(join(scratch, 'package/bin/bun'), path);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function run(program, words, directory) {
  const { status, error } = spawnSync(program, words, { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
}

function platformHere() {
  const isMusl = process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
  return `${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}${isMusl ? '-musl' : ''}`;
}
