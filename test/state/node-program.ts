import { buildSync } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hasKoffi } from '../native/installed.ts';

/** Runs a TypeScript program of the tests in a node process of its own, ended with the test. */
export function startProgram(source: string, directory: string, args: readonly string[]): ChildProcess & { readonly output: () => string } {
  const bundle = join(directory, 'program.mjs');
  buildSync({ entryPoints: [source], bundle: true, platform: 'node', format: 'esm', outfile: bundle, logLevel: 'error', external: hasKoffi ? [] : ['koffi'] });
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const child = spawn(process.execPath, [bundle, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  child.stdout?.on('data', (text) => (output += String(text)));
  child.stderr?.on('data', (text) => (output += String(text)));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return Object.assign(child, { output: () => output });
}
