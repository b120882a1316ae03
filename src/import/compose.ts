import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { refuse } from '../errors.ts';
import type { Sourced } from '../yaml-text.ts';
import { plainBlock, put, type Draft, type DraftBlock } from './draft.ts';
import { readComposeFile, type ComposeService } from './compose-file.ts';
import { importHealth } from './compose-health.ts';
import { composeCommand, composeEnvironment, composeWorkingDir, type ComposeAround } from './compose-run.ts';
import { completedServices, composeDependencies, composeDeploy, composeLimits, composeRestart, composeStop, withoutBlindWaits } from './compose-rules.ts';
import { dotEnvBeside } from './env-files.ts';
import { openReader } from './reader.ts';
import { composeFile, composeService } from './reasons.ts';
import { namesIn, parseComposeText } from './references.ts';
import type { Importer } from './source.ts';

/** A compose file, with what it extends and includes. Containers become processes of this machine; what only a container has is named as lost. */
export const importCompose: Importer = (source, draft) => {
  const { directory, env: caller } = source;
  const read = readComposeFile(source.path, source.text, draft.comments);
  if (!read.ok) return read;
  const { services, roots, directoryOf } = read;
  if (services.size === 0) return refuse(`${source.path}:${roots[0]?.line ?? 1}: expected services, found none`);
  for (const root of roots) {
    loseTop(root, draft);
    const env = join(directoryOf(root), '.env');
    if (directoryOf(root) !== directory && existsSync(env)) draft.remarks.lost({ file: env, line: 1 }, 'env', 'it is not read: the variables of a configuration are the same everywhere in it');
  }
  const dotEnv = dotEnvBeside(source, draft.remarks, true);
  const around: ComposeAround = {
    source, remarks: draft.remarks, names: new Set(services.keys()), namesAreHosts: true, directoryOf,
    lookup: (name) => (Object.hasOwn(caller, name) ? caller[name] : dotEnv?.variables.get(name)),
  };
  put(draft.root, 'defaults', plainBlock({ backoff: { initial: '100ms', max: '1m', factor: 2, jitter: 0 } }));
  const completed = completedServices([...services.values()].map(({ node }) => node));
  for (const [name, service] of services) draft.services.push({ name, from: service.node, block: serviceBlock(name, service, around, completed) });
  withoutBlindWaits(draft);
  const used = new Set([...services.values()].flatMap(({ texts }) => texts.flatMap((text) => namesIn(parseComposeText(text, () => {})))));
  if (dotEnv !== null && [...used].some((name) => dotEnv.variables.has(name))) {
    put(draft.root, 'env', plainBlock({ file: dotEnv.path }));
    draft.notes.push('The variables of .env are those of every service; compose only puts them in where the file names them.');
  }
  return null;
};

/** What is beside the services of a file. */
function loseTop({ entries }: Sourced, { remarks }: Draft): void {
  for (const [key, node] of entries ?? []) {
    for (const item of key === 'include' ? (node.items ?? []) : [])
      if (item.entries?.has('env_file') === true) remarks.lost(item, 'include.env_file', 'the variables of a configuration are the same everywhere in it');
    if (['services', 'include', 'version'].includes(key) || key.startsWith('x-')) continue;
    const inner = ['volumes', 'networks', 'configs', 'secrets'].includes(key) ? node.entries : null;
    for (const [name, place] of inner ?? []) remarks.lost(place, `${key}.${name}`, composeFile[key] ?? 'sysg has no such key');
    if (inner === null) remarks.lost(node, key, composeFile[key] ?? 'sysg has no such key');
  }
}

function serviceBlock(name: string, { node }: ComposeService, around: ComposeAround, completed: ReadonlySet<string>): DraftBlock {
  const block: DraftBlock = new Map();
  const read = openReader(node, name, around.remarks);
  composeCommand(read, block, around);
  composeWorkingDir(read, block, around);
  composeEnvironment(read, block, around);
  if (completed.has(name)) put(block, 'oneshot', true);
  composeRestart(read, block, around);
  composeDeploy(read, block);
  composeStop(read, block, around);
  importHealth(read, block, around);
  composeDependencies(read, block, around);
  composeLimits(read, block, around);
  read.rest(composeService);
  return block;
}
