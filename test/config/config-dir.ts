import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig, type ConfigResult, type LoadedConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { tempDir } from '../temp-dir.ts';

export interface ConfigDir {
  readonly path: string;
  write(name: string, content: string | Uint8Array): string;
}

/** A directory of the test's own. */
export function configDir(): ConfigDir {
  const path = realpathSync(tempDir());
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

export interface LoadOptions {
  readonly env?: Record<string, string>;
  readonly dir?: ConfigDir;
}

/** Loads `yaml` as `sysg.yaml`. */
export function load(yaml: string, { env = { HOME: '/root' }, dir = configDir() }: LoadOptions = {}): ConfigResult {
  return loadConfig(dir.write('sysg.yaml', yaml), { env, identify });
}

export function loaded(yaml: string, options: LoadOptions = {}): LoadedConfig {
  const result = load(yaml, options);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

/** The one service of a file whose service block is `body`. */
export function service(body: string, options: LoadOptions = {}, head = ''): ServiceSpec {
  const [spec] = loaded(`version: "1"\n${head}services:\n  web:\n${body.replaceAll(/^/gm, '    ')}\n`, options).services;
  if (spec === undefined) throw new Error('no service was loaded');
  return spec;
}

/** What is said, without the directory of the file. */
export function refusals(yaml: string, options: LoadOptions = {}): readonly string[] {
  const dir = options.dir ?? configDir();
  const result = load(yaml, { ...options, dir });
  return result.ok ? [] : result.problems.map((problem) => formatProblem(problem).replaceAll(`${dir.path}/`, ''));
}
