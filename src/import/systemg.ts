import { refuse } from '../errors.ts';
import { formatSize } from '../words.ts';
import { readYaml, type Plain, type Sourced } from '../yaml-text.ts';
import { put, type Draft, type DraftBlock } from './draft.ts';
import { openReader, shown, textsOf } from './reader.ts';
import type { Importer } from './source.ts';

/** A file of systemg, of version 1 or 2: what sysg knows by the same name stays as it is, with its comments. */
export const importSystemg: Importer = ({ path, text }, draft) => {
  const read = readYaml(text, path);
  if (!read.ok) return Promise.resolve(refuse(`${path}:${read.line}: ${read.message}`));
  draft.comments.set(path, read.comments);
  const { root } = read;
  const { remarks } = draft;
  const top = openReader(root, '', remarks);
  for (const key of ['version', 'services', 'projects', 'project_dir']) top.take(key);
  for (const key of ['env', 'metrics', 'defaults']) {
    const found = top.take(key);
    if (found !== null) put(draft.root, key, asDraft(found), found);
  }
  const logs = top.take('logs');
  if (logs !== null) put(draft.root, 'defaults', new Map([...defaultsIn(draft), ['logs', { value: logsOf(logs, 'logs', draft) ?? {}, from: logs }]]));
  for (const [key, node] of root.entries ?? []) {
    if (['version', 'services', 'projects', 'project_dir', 'env', 'metrics', 'defaults', 'logs'].includes(key) || key.startsWith('x-')) continue;
    remarks.lost(node, key, reasons[key] ?? 'sysg has no such key');
  }
  takeServices(root, null, draft);
  const projects = root.entries?.get('projects');
  if (projects !== undefined && projects.entries === null)
    return Promise.resolve(refuse(`${path}:${projects.line}: projects: expected a map of projects, got ${shown(projects)}`));
  const taken = namesTwice(root);
  for (const [project, node] of projects?.entries ?? []) {
    for (const [key, inner] of node.entries ?? [])
      if (key !== 'services')
        remarks.lost(
          inner,
          `projects.${project}.${key}`,
          key === 'name' ? 'a supervisor is not named by its file' : 'sysg has no such key for a part of a file',
        );
    takeServices(node, { project, taken }, draft);
    draft.notes.push(`The services of the project ${project} are services of this one file.`);
  }
  return Promise.resolve(draft.services.length === 0 ? refuse(`${path}:${root.line}: expected services, found none`) : null);
};

const reasons: Readonly<Record<string, string>> = {
  status: 'what status shows is measured when it is asked for',
  project: 'the supervisor is not named by its file',
};

function defaultsIn({ root }: Draft): DraftBlock {
  const found = root.get('defaults')?.value;
  return found instanceof Map ? (found as DraftBlock) : new Map();
}

/** The names that more than one project has. */
function namesTwice(root: Sourced): ReadonlySet<string> {
  const all = [
    ...(root.entries?.get('services')?.entries?.keys() ?? []),
    ...[...(root.entries?.get('projects')?.entries?.values() ?? [])].flatMap((node) => [...(node.entries?.get('services')?.entries?.keys() ?? [])]),
  ];
  return new Set(all.filter((name, index) => all.indexOf(name) !== index));
}

function takeServices(node: Sourced, within: { readonly project: string; readonly taken: ReadonlySet<string> } | null, draft: Draft): void {
  for (const [name, service] of node.entries?.get('services')?.entries ?? []) {
    const own = within !== null && within.taken.has(name) ? `${within.project}.${name}` : name;
    if (own !== name) draft.remarks.changed(service, name, `named ${own}, since another project has a service of that name`);
    const block: DraftBlock = new Map();
    for (const [key, inner] of service.entries ?? []) {
      if (key.startsWith('x-')) continue;
      if (key === 'logs') put(block, key, logsOf(inner, `${own}.logs`, draft), inner);
      else if (key === 'depends_on' && within !== null) put(block, key, renamed(inner, within), inner);
      else put(block, key, asDraft(inner), inner);
    }
    draft.services.push({ name: own, from: service, block });
  }
}

/** Services of a project name each other without it. */
function renamed(node: Sourced, { project, taken }: { readonly project: string; readonly taken: ReadonlySet<string> }): Plain {
  const ours = (name: string): string =>
    taken.has(name) ? `${project}.${name}` : name.startsWith(`${project}/`) ? name.slice(project.length + 1) : name;
  if (node.items === null) return textsOf(node).map(ours);
  return node.items.map((item) => {
    if (item.entries === null) return ours(String(item.value));
    const plain = plainOf(item) as { readonly [key: string]: Plain };
    return typeof plain['service'] === 'string' ? { ...plain, service: ours(plain['service']) } : plain;
  });
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

function plainOf({ value, items, entries }: Sourced): Plain {
  if (items !== null) return items.map(plainOf);
  return entries === null ? value : Object.fromEntries([...entries].map(([key, inner]) => [key, plainOf(inner)]));
}
