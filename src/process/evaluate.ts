import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { refuse, textOf, type Refused } from '../errors.ts';
import { interpreter } from '../interpreter.ts';
import { collect } from './tools.ts';

/**
 * Takes what a module exports, or what an expression is, and writes it as JSON to the file that is named. It is a file: with -e every module would find
 * require and the modules of Node as globals.
 */
const evaluator = `const [from, to, expression] = process.argv.slice(2);
const { readFileSync, writeFileSync } = require('node:fs');
const { runInThisContext } = require('node:vm');
const { pathToFileURL } = require('node:url');
const put = async (promised) => {
  const value = await promised;
  if (typeof value === 'function') throw new Error('expected data, got a function');
  writeFileSync(to, JSON.stringify(value ?? null));
  process.exit(0);
};
const refuse = (error) => { console.error(error); process.exit(1); };
if (expression) put(runInThisContext('(' + readFileSync(from, 'utf8').replace(/^\\ufeff/, '') + '\\n)', { filename: from })).catch(refuse);
else import(pathToFileURL(from).href).then((exported) => put(exported.default ?? { ...exported })).catch(refuse);
`;

const LIMIT_MS = 15_000;
const MOST_BYTES = 16 * 1024 * 1024;

export interface EvaluateOptions {
  readonly env: NodeJS.ProcessEnv;
  /** And no module. */
  readonly isExpression: boolean;
}

/**
 * What a file of JavaScript evaluates to, as plain data. It is run by Node in a process and session of its own, with none of our descriptors: nothing to
 * read, and only its complaints are kept. After 15 s it is killed.
 */
export async function evaluate(path: string, { env, isExpression }: EvaluateOptions): Promise<{ readonly ok: true; readonly value: unknown } | Refused> {
  const directory = mkdtempSync(join(tmpdir(), 'sysg-import-'));
  const result = join(directory, 'result.json');
  try {
    const { program, env: forIt } = interpreter.evaluator;
    const own = join(directory, 'evaluator.cjs');
    writeFileSync(own, evaluator);
    const ended = await collect(program, [own, path, result, ...(isExpression ? ['expression'] : [])], {
      cwd: dirname(path), env: { ...env, ...forIt }, stdio: ['ignore', 'ignore', 'pipe'], detached: true, limitMs: LIMIT_MS,
    });
    if (ended instanceof Error) return refuse(ended.message.includes('did not end') ? `its evaluation did not end within ${LIMIT_MS / 1000} s` : textOf(ended));
    if (ended.code !== 0) return refuse(firstOf(ended.complaint) ?? `its evaluation ended with ${ended.code === null ? ended.signal : `exit code ${ended.code}`}`);
    const written = statSync(result, { throwIfNoEntry: false });
    if (written === undefined) return refuse('it ended its process before its evaluation was over, as process.exit() does');
    if (written.size > MOST_BYTES) return refuse(`expected at most ${MOST_BYTES} bytes of data`);
    const value: unknown = JSON.parse(readFileSync(result, 'utf8'));
    return { ok: true, value };
  } catch (error) {
    return refuse(`its evaluation gave nothing: ${textOf(error)}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The line of a stack trace that says what is wrong, with the place in the file. */
function firstOf(complaint: string): string | null {
  const lines = complaint.split('\n').map((line) => line.trim());
  const said = lines.find((line) => /^(?:\w*Error|Uncaught)\b/.test(line)) ?? lines.find((line) => line !== '');
  const where = lines.find((line) => /^(?:at .*|(?:file:\/\/)?\/\S*):\d+/.test(line) && !line.includes('node:') && !line.includes('evaluator.cjs'));
  const place = /([^\s(/]+):(\d+)(?::\d+)?\)?$/.exec(where ?? '');
  // What Node says of CommonJS in a package of modules.
  const [hint] = /To treat it as .*/.exec(complaint) ?? [];
  return said === undefined ? null : `${said}${place === null ? '' : ` (${place[1]}:${place[2]})`}${hint === undefined ? '' : `. ${hint}`}`;
}
