#!/usr/bin/env node
// Whether what is given on is what was looked at, and has no known weakness: the packages that esbuild takes into dist/, which npm counts among the devDependencies,
// and those that are installed beside it.
//   .ci/audit.mjs [--write]
// Exits with 0 where the registry was asked and knows of nothing high or critical, with 1 where it does or where a package is not the one that bundled.json names, and
// with 2 where nobody could be asked: some mirrors of the registry do not answer this question. `--write` makes the list anew.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { common, root } from '../.build/chunks.mjs';

const listPath = join(root, '.ci/bundled.json');
const read = (path) => JSON.parse(readFileSync(path, 'utf8'));
const locked = read(join(root, 'package-lock.json')).packages;
const say = (line) => void process.stdout.write(`${line}\n`);

const paths = await pathsGivenOn();
const list = Object.fromEntries(paths.map((path) => [path, { version: locked[path].version, integrity: locked[path].integrity, license: locked[path].license }]));
if (process.argv.includes('--write')) writeFileSync(listPath, `${JSON.stringify(list, null, 1)}\n`);
process.exitCode = judge();

function judge() {
  const pinned = read(listPath);
  const others = [...new Set([...Object.keys(pinned), ...paths])].filter((path) => JSON.stringify(pinned[path]) !== JSON.stringify(list[path]));
  for (const path of others) say(`${path}: ${list[path]?.version ?? 'nothing'} is given on, ${pinned[path]?.version ?? 'nothing'} is listed; look at it, then run: .ci/audit.mjs --write`);
  if (others.length > 0) return end(1, `failed: ${others.length} of the packages that are given on are not those of .ci/bundled.json`);
  say(`${paths.length} packages are given on, with the versions, digests and licences of .ci/bundled.json`);
  const { metadata, vulnerabilities, message, error } = ask();
  if (metadata === undefined) return end(2, `not asked: the registry does not say whether they have known weaknesses (${message ?? error?.summary ?? 'no answer'})`);
  const { high, critical, total } = metadata.vulnerabilities;
  for (const { name, severity, range } of Object.values(vulnerabilities)) say(`${name} ${range}: ${severity}`);
  return high + critical > 0 ? end(1, `failed: ${high} high and ${critical} critical known weaknesses`) : end(0, `passed: ${total} known weaknesses, none of them high or critical`);
}

function end(code, line) {
  say(line);
  return code;
}

/** Asks about these packages alone, by a lock file that has no others. */
function ask() {
  const directory = mkdtempSync(join(tmpdir(), 'sysg-audit-'));
  try {
    const direct = paths.filter((path) => path.lastIndexOf('node_modules/') === 0).map((path) => [path.slice('node_modules/'.length), locked[path].version]);
    const project = { name: 'given-on', version: '0.0.0', dependencies: Object.fromEntries(direct) };
    const packages = Object.fromEntries(paths.map((path) => [path, { ...list[path], resolved: locked[path].resolved }]));
    writeFileSync(join(directory, 'package.json'), JSON.stringify(project));
    writeFileSync(join(directory, 'package-lock.json'), JSON.stringify({ ...project, lockfileVersion: 3, requires: true, packages: { '': project, ...packages } }));
    const { stdout } = spawnSync('npm', ['audit', '--json', '--package-lock-only', '--fetch-retries=1'], { cwd: directory, encoding: 'utf8' });
    return JSON.parse(stdout || '{}');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** As package-lock.json names them. */
async function pathsGivenOn() {
  const node = await build({ ...common, format: 'esm', entryPoints: ['src/cli/main.ts', 'src/daemon.ts', '.build/entries/client.ts', '.build/entries/machines.ts'], external: ['koffi'], outdir: 'dist', metafile: true });
  const page = await build({
    bundle: true, write: false, absWorkingDir: root, entryPoints: ['src/web/page/main.tsx', 'src/web/page/page.css'], jsx: 'automatic', jsxImportSource: 'preact', outdir: 'dist',
    tsconfig: join(root, 'src/web/page/tsconfig.json'), metafile: true, logLevel: 'warning',
  });
  const inputs = [node, page].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const bundled = inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  const beside = Object.keys(locked[''].optionalDependencies ?? {}).concat(Object.keys(locked[''].dependencies ?? {})).map((name) => `node_modules/${name}`);
  const withTheirs = beside.flatMap((path) => [path, ...Object.keys(locked[path].optionalDependencies ?? {}).map((name) => `node_modules/${name}`).filter((one) => one in locked)]);
  return [...new Set([...bundled, ...withTheirs])].sort();
}
