import { refuse } from '../errors.ts';
import type { SourceComment, Sourced } from '../yaml-text.ts';
import { plainBlock, put, rebased, type DraftBlock } from './draft.ts';
import { dotEnvBeside } from './env-files.ts';
import { keptFromUs } from './references.ts';
import type { Importer } from './source.ts';

/** foreman's, of the first process and between processes. */
const [FIRST_PORT, PORT_STEP] = [5000, 100];

/** A Procfile, with the `.env` beside it. Processes are restarted as a platform does it; foreman ends all when one ends. */
export const importProcfile: Importer = (source, { services, root, remarks, comments, notes }) => {
  const { path, text, directory, target } = source;
  const found: SourceComment[] = [];
  const processes = new Map<string, { readonly place: Sourced; readonly command: string }>();
  for (const [index, written] of text.split(/\r?\n/).entries()) {
    const place: Sourced = { file: path, line: index + 1, endLine: index + 1, value: written, entries: null, items: null };
    const [, name, command] = /^\s*([A-Za-z0-9_-]+):\s*(\S.*?)\s*$/.exec(written) ?? [];
    if (/^\s*#/.test(written)) found.push({ line: index + 1, text: written.trim().slice(1), alone: true });
    else if (name !== undefined && command !== undefined) {
      const earlier = processes.get(name);
      if (earlier !== undefined) remarks.lost(earlier.place, name, `${name} is given again in line ${index + 1}, which counts`);
      processes.set(name, { place, command });
    } else if (written.trim() !== '') remarks.lost(place, '', `no process line such as "web: node server.js": ${JSON.stringify(written.trim().slice(0, 60))}`);
  }
  comments.set(path, found);
  const [first] = processes.values();
  if (first === undefined) return refuse(`${path}:1: expected lines such as "web: node server.js", found none`);

  const envFile = dotEnvBeside(source, remarks, false);
  if (envFile !== null) put(root, 'env', plainBlock({ file: envFile.path }));
  const base = Number(envFile?.variables.get('PORT')) || FIRST_PORT;
  put(root, 'defaults', plainBlock({ restart_policy: 'always', stop_timeout: '5s' }));
  notes.push(
    'foreman ends all processes when one of them ends; here the process is restarted, as on a platform that reads Procfiles.',
    `Each process has a PORT of its own, as foreman gives it: ${base}, ${base + PORT_STEP} and so on.`,
  );

  const directoryOfAll = rebased('.', directory, target);
  for (const [index, [name, { place, command }]] of [...processes].entries()) {
    const block: DraftBlock = new Map();
    put(block, 'command', keptFromUs(command));
    if (directoryOfAll !== '.') put(block, 'working_dir', directoryOfAll);
    put(block, 'env', plainBlock({ PORT: String(base + index * PORT_STEP) }));
    if (name === 'release') {
      put(block, 'oneshot', true);
      put(block, 'restart_policy', 'never');
      remarks.changed(place, name, 'runs once, beside the others as under foreman; a platform runs it first, which "depends_on: [release]" in the others would say');
    }
    services.push({ name, from: place, block });
  }
  return null;
};
