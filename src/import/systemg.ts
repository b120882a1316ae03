import { noProjects } from '../engines.ts';
import { refuse } from '../errors.ts';
import { formatSize } from '../words.ts';
import { plainOf, readYaml, type Plain, type Sourced } from '../yaml-text.ts';
import { put, type Draft, type DraftBlock } from './draft.ts';
import { openReader } from './reader.ts';
import { systemgFile } from './reasons.ts';
import type { Importer } from './source.ts';

/** A file of systemg, of version 1 or 2: what sysg knows by the same name stays as it is, with its comments. */
export const importSystemg: Importer = ({ path, text }, draft) => {
  const read = readYaml(text, path);
  if (!read.ok) return read;
  draft.comments.set(path, read.comments);
  const { root } = read;
  const projects = root.entries?.get('projects');
  if (projects !== undefined) return refuse(`${path}:${projects.line}: ${noProjects}`);
  const top = openReader(root, '', draft.remarks);
  for (const key of ['version', 'services', 'project_dir']) top.take(key);
  for (const key of ['env', 'metrics', 'defaults']) {
    const found = top.take(key);
    if (found !== null) put(draft.root, key, asDraft(found), found);
  }
  const logs = top.take('logs');
  const defaults = draft.root.get('defaults')?.value;
  const others = defaults instanceof Map ? (defaults as DraftBlock) : [];
  if (logs !== null) put(draft.root, 'defaults', new Map([...others, ['logs', { value: logsOf(logs, 'logs', draft) ?? {}, from: logs }]]));
  top.rest(systemgFile);
  takeServices(root, draft);
  return draft.services.length === 0 ? refuse(`${path}:${root.line}: expected services, found none`) : null;
};

function takeServices(root: Sourced, draft: Draft): void {
  for (const [name, service] of root.entries?.get('services')?.entries ?? []) {
    const block: DraftBlock = new Map();
    for (const [key, inner] of service.entries ?? []) {
      if (key.startsWith('x-')) continue;
      put(block, key, key === 'logs' ? logsOf(inner, `${name}.logs`, draft) : asDraft(inner), inner);
    }
    draft.services.push({ name, from: service, block });
  }
}

/** `{sink, max_bytes, max_files}` as sysg says it. */
function logsOf(node: Sourced, key: string, { remarks }: Draft): Plain | undefined {
  if (node.entries === null || ['via', 'rotate', 'logger'].some((known) => node.entries?.has(known))) return plainOf(node);
  const read = openReader(node, key, remarks);
  const [sink, size, keep] = [read.text('sink'), read.number('max_bytes'), read.number('max_files')];
  read.rest({});
  const rotate: Record<string, Plain> = { ...(size !== null && { size: formatSize(size) }), ...(keep !== null && { keep }) };
  const logs: Record<string, Plain> = { ...(Object.keys(rotate).length > 0 && { rotate }), ...(sink === 'none' && { logger: 'cat > /dev/null' }) };
  return Object.keys(logs).length === 0 ? undefined : logs;
}

function asDraft(node: Sourced): Plain | DraftBlock {
  if (node.entries === null) return plainOf(node);
  return new Map([...node.entries].map(([key, inner]) => [key, { value: asDraft(inner), from: inner }]));
}
