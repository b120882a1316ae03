import fc from 'fast-check';
import { expect, test } from 'vitest';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import { explainProblem } from '../../src/cli/print/problem.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { configDir } from './config-dir.ts';

const words = [
  'version: "1"\n', 'services:\n', '  web:\n', '    command: ', 'sleep 5\n', '    env: ', '    depends_on: ', '    cron: ', '    backoff: ', '    limits: ', '    exec: ', '    deployment: ',
  '{', '}', '[', ']', ', ', ': ', '- ', '? ', '&a ', '*a', '!x ', '"', "'", '|\n', '>\n', '#', '---\n', '...\n', '<<: ', '~', '$', '${A', '${A:-', '\t', '\n', '    ', '\0', '\ufeff', '5s', '-1', '.inf', '.nan', '0x', '%YAML 1.1\n',
];

function load(content: string | Uint8Array): boolean {
  const path = configDir().write('sysg.yaml', content);
  const result = loadConfig(path, { env: {}, identify });
  if (result.ok) return true;
  expect(result.problems.length).toBeGreaterThan(0);
  for (const problem of result.problems) {
    expect(formatProblem(problem).startsWith(path)).toBe(true);
    expect(explainProblem(problem).length).toBeGreaterThan(0);
    expect(problem.line === 0 || problem.column >= 1).toBe(true);
  }
  return false;
}

test('any bytes are loaded or refused, never thrown at', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void load(bytes)), { numRuns: 200 });
});

test('anything made of the syntax is loaded or refused, never thrown at', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(...words), { maxLength: 30 }), (parts) => void load(parts.join(''))), { numRuns: 500 });
});

test('any value of any kind at any key is loaded or refused, never thrown at', () => {
  const keys = ['command', 'exec', 'env', 'user', 'limits', 'capabilities', 'isolation', 'backoff', 'max_restarts', 'depends_on', 'deployment', 'hooks', 'cron', 'skip', 'spawn', 'logs', 'health_check', 'success_exit_codes', 'stop_signal'];
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 })), (body) => {
    load(JSON.stringify({ version: '1', services: { web: body, __proto__: null } }));
  }), { numRuns: 300 });
});
