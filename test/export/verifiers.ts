import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

// Development tools that say what the engines say. They are fetched once, into node_modules; a test that cannot have one is skipped.

const cache = resolve(import.meta.dirname, '../../node_modules/.cache/sysg-verifiers');
const source = resolve(import.meta.dirname, '../fixtures/verifiers');
const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;

export type Verifier = { readonly ok: true; run(...words: readonly string[]): Verdict } | { readonly ok: false; readonly why: string };

export interface Verdict {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, words: readonly string[], options: { readonly cwd?: string; readonly limitMs?: number } = {}): Verdict {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    cwd: options.cwd,
    env,
    encoding: 'utf8',
    timeout: options.limitMs ?? 60_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return { code: status, stdout: stdout ?? '', stderr: error === undefined ? stderr : `${error.message}\n${stderr ?? ''}` };
}

const missing = (what: string, { stderr }: Verdict): Verifier => ({
  ok: false,
  why: `${what} cannot be had: ${stderr.trim().split('\n').at(-1) ?? ''}`,
});

/** systemd-analyze(1) of the package systemd. */
export function systemdAnalyze(): Verifier {
  const found = run('systemd-analyze', ['--version']);
  return found.code === 0 ? { ok: true, run: (...words) => run('systemd-analyze', words) } : missing('systemd-analyze', found);
}

/** kubernetes-validate of PyPI, with the schemas of the API. */
export function kubernetesValidate(): Verifier {
  const program = join(cache, 'python/bin/kubernetes-validate');
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true });
    const made = run('python3', ['-m', 'venv', join(cache, 'python')], { limitMs: 120_000 });
    const fetched =
      made.code === 0
        ? run(join(cache, 'python/bin/pip'), ['install', '--quiet', '--disable-pip-version-check', 'kubernetes-validate==1.37.0'], {
            limitMs: 180_000,
          })
        : made;
    if (fetched.code !== 0) return missing('kubernetes-validate', fetched);
  }
  return { ok: true, run: (...words) => run(program, words) };
}

/** The loader of compose, and the types of Nomad's API, decoded strictly: a program of Go in test/fixtures/verifiers. */
export function engineTypes(): Verifier {
  const program = join(cache, 'engines');
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true });
    const built = run('go', ['build', '-o', program, '.'], { cwd: source, limitMs: 280_000 });
    if (built.code !== 0) return missing('compose-go and nomad/api', built);
  }
  return { ok: true, run: (...words) => run(program, words) };
}
