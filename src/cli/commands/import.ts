import { existsSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { ConfigProblem } from '../../config/problem.ts';
import { importKinds } from '../../engines.ts';
import { refusals, textOf } from '../../errors.ts';
import { replaceFile } from '../../files.ts';
import { importFile } from '../../import/import.ts';
import type { Remark } from '../../import/remarks.ts';
import { counted } from '../../words.ts';
import { legible } from '../../width.ts';
import type { Call } from '../call.ts';
import { loadConfigFor } from '../load-config.ts';
import { options } from '../options.ts';
import { refuse } from '../report.ts';

const DEFAULT_NAME = 'sysg.config.yaml';

/** Makes a configuration of the file of another supervisor. What is refused has written nothing. */
export async function importCommand(call: Call): Promise<number> {
  const { flags, terminal, cwd, env, operands: [file = ''] } = call;
  const wanted = flags.text(options.output) ?? DEFAULT_NAME;
  const toStdout = wanted === '-';
  const output = resolve(cwd, toStdout ? DEFAULT_NAME : wanted);
  const path = resolve(cwd, file);
  if (!toStdout && path === output) return refuse(call, refusals.runtime(`${output} is the file to be read: expected another name with -o`));
  if (!toStdout && existsSync(output) && !flags.has(options.force)) return refuse(call, refusals.runtime(`${output} exists: expected another name with -o, or --force to replace it`));
  const target = dirname(output);
  if (!existsSync(target)) return refuse(call, refusals.runtime(`${target} does not exist: expected a directory for ${basename(output)}`));
  try {
    const kind = importKinds.find((known) => known === flags.text(options.from)) ?? null;
    const imported = await importFile({ path, kind, target, cwd, env, envName: flags.text(options.envName), check: (text) => problemsOf(call, text, target) });
    if (!imported.ok) return refuse(call, refusals.runtime(imported.reason));
    const { text, remarks, notes, services } = imported;
    if (toStdout) {
      await terminal.write(text);
      return 0;
    }
    replaceFile(output, text, { durable: false });
    const shown = relative(cwd, output).startsWith('..') ? output : relative(cwd, output);
    if (flags.has(options.json)) {
      terminal.print(JSON.stringify({ ok: true, path: output, kind: imported.kind, services, notes, remarks }, null, 2));
      return 0;
    }
    for (const note of notes) terminal.print(legible(note));
    for (const remark of remarks) terminal.print(legible(lineOf(remark, cwd)));
    const lost = remarks.filter((remark) => remark.kind === 'lost').length;
    terminal.print(`${shown}: ${counted(services, 'service')} from ${file} (${imported.kind}); ${lost} lost, ${remarks.length - lost} changed`);
    return 0;
  } catch (error) {
    return refuse(call, refusals.runtime(`${output} could not be written: ${textOf(error)}`));
  }
}

/** `compose.yaml:7: lost: services.web.ports: …` */
function lineOf({ file, line, kind, key, text }: Remark, cwd: string): string {
  const short = relative(cwd, file);
  return [`${short.startsWith('..') ? file : short}:${line}`, kind, key, text].filter((part) => part !== '').join(': ');
}

/** As `validate` would find it beside its env files; the file is there only for that. */
function problemsOf(call: Call, text: string, target: string): readonly ConfigProblem[] {
  const path = join(target, `.sysg-import-${process.pid}.yaml`);
  try {
    replaceFile(path, text, { durable: false });
    const loaded = loadConfigFor(call, path);
    return loaded.ok ? [] : loaded.problems;
  } finally {
    rmSync(path, { force: true });
  }
}
