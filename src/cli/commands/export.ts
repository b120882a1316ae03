import { existsSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { configPaths } from '../../config-path.ts';
import { exportKinds } from '../../engines.ts';
import { refusals, textOf } from '../../errors.ts';
import { exportServices } from '../../export/export.ts';
import { makeDirectories, replaceFile } from '../../files.ts';
import { counted } from '../../words.ts';
import type { Call } from '../call.ts';
import { chooseConfigToRead } from '../config-choice.ts';
import { loadOrRefuse } from '../load-config.ts';
import { options } from '../options.ts';

/** Writes the services for another engine: files into a directory, else everything to stdout. What has no match is named on stderr. */
export async function exportCommand(call: Call): Promise<number> {
  const { flags, terminal, cwd, env, operands: [word] } = call;
  const engine = exportKinds.find((known) => known === word);
  if (engine === undefined) return terminal.refuse(refusals.usage(`expected ${exportKinds.join(', ')}, got "${word ?? ''}"`));
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return terminal.refuse(chosen.refusal);
  const loaded = loadOrRefuse(call, chosen.path);
  if (!loaded.ok) return terminal.refuse(loaded.refusal);
  const images = new Map(flags.texts(options.image).map((text): [string, string] => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
  const { path, included, projectDir, services, profiles } = loaded.config;
  const directory = flags.text(options.output);
  const toStdout = directory === null || directory === '-';
  const target = toStdout ? projectDir : resolve(cwd, directory);
  const exported = exportServices({ path, included: Object.keys(included), projectDir, target, services, profiles, engine, images, searchPath: env['PATH'], mask: call.secrets.mask });
  if (!exported.ok) return terminal.refuse(refusals.runtime(exported.reason));
  const shown = (file: string): string => (relative(cwd, file).startsWith('..') ? file : relative(cwd, file));
  for (const { file, line, kind, key, text } of exported.losses) terminal.complain(`${shown(file)}:${line}: ${kind}: ${key}: ${text}`);
  const lost = exported.losses.filter(({ kind }) => kind === 'lost').length;
  if (lost > 0 && flags.has(options.strict))
    return terminal.refuse(refusals.runtime(`${counted(lost, 'key')} of ${configPaths(path).map(shown).join(' + ')} would be lost, and --strict is given: nothing is written`));
  if (toStdout) {
    const printed = exported.files.filter(({ isSecret }) => isSecret !== true);
    const texts = printed.map(({ name, text }) => (engine === 'kubernetes' || printed.length === 1 ? text : `# ${name}\n${text}`));
    await terminal.write(texts.join(engine === 'kubernetes' ? '---\n' : '\n'));
    return 0;
  }
  const paths = exported.files.map(({ name, text }) => ({ path: join(target, name), text }));
  const present = paths.find((file) => existsSync(file.path));
  if (present !== undefined && !flags.has(options.force))
    return terminal.refuse(refusals.runtime(`${present.path} exists: expected another directory with -o, or --force to replace it`));
  const written: string[] = [];
  try {
    makeDirectories(target, 0o755);
    for (const file of paths) {
      const isNew = !existsSync(file.path);
      replaceFile(file.path, file.text, { durable: false });
      if (isNew) written.push(file.path);
    }
  } catch (error) {
    for (const file of written) rmSync(file, { force: true });
    return terminal.refuse(refusals.runtime(`${target} could not be written: ${textOf(error)}`));
  }
  terminal.print(`${counted(paths.length, 'file')} for ${engine} in ${target}; ${lost} lost, ${exported.losses.length - lost} changed`);
  return 0;
}
