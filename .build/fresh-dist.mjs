// Builds dist/ when a source is newer than what was built from it:  node .build/fresh-dist.mjs
// Projects whose tests run the built program name this file as their global setup.
import { spawnSync } from 'node:child_process';
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const sources = ['src', 'machines', '.build', 'package.json', 'package-lock.json'];
const products = ['sysg', 'sysg-main.js', 'daemon.js', 'daemon-main.js', 'client.mjs', 'machines.mjs'].map((name) => join(root, 'dist', name));

export default function freshDist() {
  const built = Math.min(...products.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
  if (newest(sources.map((name) => join(root, name))) <= built) return;
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const { status, stderr } = spawnSync(process.execPath, ['.build/bundle.mjs'], { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`dist/ could not be built:\n${stderr}`);
}

/** Directories too: a file that was removed has changed its own. */
function newest(paths) {
  return Math.max(0, ...paths.map((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return 0;
    return found.isDirectory() ? Math.max(found.mtimeMs, newest(readdirSync(path).map((name) => join(path, name)))) : found.mtimeMs;
  }));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === import.meta.filename) {
  try {
    freshDist();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
