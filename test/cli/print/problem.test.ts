import { expect, test } from 'vitest';
import { identify } from '../../../src/compat/identity.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { explainProblem } from '../../../src/cli/print/problem.ts';
import displayWidth from '../../../src/width.ts';
import { configDir } from '../../config/config-dir.ts';

function explained(yaml: string): { readonly path: string; readonly lines: readonly string[] } {
  const path = configDir().write('sysg.yaml', yaml);
  const result = loadConfig(path, { env: {}, identify });
  const [problem] = result.ok ? [] : result.problems;
  return { path, lines: problem === undefined ? [] : explainProblem(problem).split('\n') };
}

test('an explanation shows the line with a caret under the place', () => {
  const { path, lines } = explained('version: "1"\nservices:\n  web:\n    command: sleep 5\n    max_restarts: many\n');
  expect(lines).toEqual([
    `${path}:5:19: services.web.max_restarts: expected a whole number ≥ 0, got "many"`,
    '  5 |     max_restarts: many',
    '    |                   ^',
  ]);
});

test('of a long line, such as that of a generated file, an explanation shows what is around the place', () => {
  const yaml = JSON.stringify({ version: '1', services: { web: { command: 'a', env: { PADDING: 'x'.repeat(3000) }, max_restarts: 'many', essential: true } } });
  const { lines: [, excerpt = '', caret = ''] } = explained(yaml);
  expect(excerpt).toMatch(/^ {2}1 \| x+"},"max_restarts":"many"/);
  expect(excerpt.slice(caret.indexOf('^'))).toMatch(/^"many"/);
});

test.each([
  ['wide characters', '日本語のサーバー'], ['emoji, of which the cut takes no half', '🚀'.repeat(60)], ['combining marks', 'e\u0301a\u0301'], ['what steers a terminal', '\u202eabc\u200b'],
  ['tabs', 'a\tb'],
])('the caret stands under the place behind %s', (_, text) => {
  const { lines: [, excerpt = '', caret = ''] } = explained(`version: "1"\nservices: {web: {command: "${text}", max_restarts: many}}\n`);
  const place = excerpt.indexOf('many');
  expect(displayWidth(caret.slice(0, caret.indexOf('^')))).toBe(displayWidth(excerpt.slice(0, place)));
  expect(excerpt).not.toMatch(/[\p{Cs}\p{Cf}]/u);
});
