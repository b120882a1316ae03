import { constants, existsSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { isAccessible, isDirectory } from '../files.ts';
import { refuse, type Refused } from '../errors.ts';
import { findGroup, groupName, userName } from '../process/accounts.ts';
import { plainOf, readYaml, type Sourced } from '../yaml-text.ts';
import { envBlock, plainBlock, put, rebased, startedByName, type Draft, type DraftBlock } from './draft.ts';
import { usableEnvFile } from './env-files.ts';
import { restarts, stopping } from './pm2-restarts.ts';
import { openReader, shown, textsOf, type Reader } from './reader.ts';
import { pm2App } from './reasons.ts';
import { asText, keptFromUs, literal, literalLine } from './references.ts';
import { readScript } from './script.ts';
import type { Importer, Source } from './source.ts';

/** What pm2 does where an app says nothing. */
const defaults = { restart_policy: 'always', backoff: '0s', max_restarts: 16, stable_after: '1s', stop_signal: 'SIGINT', stop_timeout: '1600ms' };

/** Of no effect on how the app runs. */
const silent = 'exec_mode source_map_support vizion pmx automation trace disable_trace disable_source_map_support force windows_hide'.split(' ');

/** An ecosystem file of pm2: JavaScript, JSON or YAML. */
export const importPm2: Importer = async (source, draft) => {
  const root = await readEcosystem(source, draft);
  if ('reason' in root) return root;
  const apps = appsOf(root);
  if (apps === null || apps.length === 0) return refuse(`${source.path}:${root.line}: expected apps, a list of maps with a script; got ${shown(root)}`);
  const top = openReader(root, '', draft.remarks);
  if (top.take('apps') !== null) top.rest(pm2App);
  put(draft.root, 'defaults', plainBlock(defaults));
  for (const app of apps) importApp(app, source, draft);
  return draft.services.length > 0 ? null : refuse(`${source.path}:${root.line}: expected apps with a script, found none`);
};

async function readEcosystem({ path, text, env }: Source, { comments, notes }: Draft): Promise<Sourced | Refused> {
  const extension = extname(path).toLowerCase();
  if (/^\.ya?ml$/.test(extension)) {
    const read = readYaml(text, path);
    if (!read.ok) return read;
    comments.set(path, read.comments);
    return read.root;
  }
  const read = await readScript(text, path, { env, isExpression: !/^\.[cm]?js$/.test(extension) });
  if (!read.ok) return refuse(`${path}: cannot be evaluated: ${read.reason}`);
  comments.set(path, read.comments);
  if (read.evaluated)
    notes.push(`${basename(path)} was evaluated by Node.js, in a process of its own without the descriptors of this command; the result has what it evaluated to at that moment.`);
  return read.root;
}

function appsOf(root: Sourced): readonly Sourced[] | null {
  if (root.items !== null) return root.items;
  const apps = root.entries?.get('apps') ?? root.entries?.get('pm2');
  if (apps !== undefined) return apps.items ?? (apps.entries === null ? null : [apps]);
  return root.entries?.has('script') === true ? [root] : null;
}

/** pm2 takes each of its keys in camel case too, where the other form is not given. `spelt`: how such a key was written, by its plain form. */
function withPlainKeys(app: Sourced): { readonly app: Sourced; readonly spelt: ReadonlyMap<string, string> } {
  const entries = new Map(app.entries);
  const spelt = new Map<string, string>();
  for (const [key, node] of app.entries ?? []) {
    if (!isCamel(key)) continue;
    const plain = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    entries.delete(key);
    if (entries.has(plain)) continue;
    entries.set(plain, node);
    spelt.set(plain, key);
  }
  return { app: app.entries === null ? app : { ...app, entries }, spelt };
}

function isCamel(key: string): boolean {
  return /[A-Z]/.test(key) && !key.startsWith('env_');
}

function importApp(written: Sourced, source: Source, { services, remarks }: Draft): void {
  const { app, spelt } = withPlainKeys(written);
  const script = app.entries?.get('script') ?? app.entries?.get('exec') ?? app.entries?.get('path');
  if (script?.value == null) return remarks.lost(app, 'apps', `expected a script, ${script === undefined && app.entries !== null ? 'found none' : `got ${shown(script ?? app)}`}`);
  const named = app.entries?.get('name')?.value;
  const wanted = String(named ?? basename(String(script.value), extname(String(script.value)))).replaceAll(/[/\p{Cc}]/gu, '-').replace(/^-+/, '') || 'app';
  const taken = new Set(services.map(({ name }) => name));
  let name = wanted;
  for (let number = 2; taken.has(name); number += 1) name = `${wanted}-${number}`;
  const read = openReader(app, name, remarks, spelt);
  if (name !== String(named ?? name)) remarks.changed(app, `${name}.name`, `named ${name} here`);
  read.text('name');
  for (const key of silent) read.take(key);
  const block: DraftBlock = new Map();
  command(read, block, source);
  environment(read, block, source);
  restarts(read, block, name);
  stopping(read, block);
  account(read, block);
  modes(read);
  if (read.flag('autostart') === false) startedByName(read, block, 'autostart', name);
  read.rest(pm2App);
  services.push({ name, from: app, block });
}

function command(read: Reader, block: DraftBlock, { directory, target }: Source): void {
  const from = read.take('script') ?? read.take('exec') ?? read.take('path');
  const script = String(from?.value ?? '');
  const cwdNode = read.scalar('cwd', 'exec_cwd');
  const cwd = cwdNode === null ? '.' : String(cwdNode.value);
  const interpreterNode = read.scalar('exec_interpreter', 'interpreter');
  const interpreterArgs = words(read, 'node_args', 'interpreter_args');
  const args = words(read, 'args');
  const workingDir = rebased(cwd, directory, target);
  const place = resolve(directory, cwd);
  const asked = String(interpreterNode?.value ?? '');
  const isLine = /\s/.test(script.trim()) && asked === '' && !existsSync(join(place, script));
  if (isLine) put(block, 'command', [keptFromUs(script), ...(args.length === 0 ? [] : [literalLine(args)])].join(' '), from);
  else {
    const chosen = asked === '' ? interpreterOf(script, place) : asked.replace(/^node@.*/, 'node');
    const interpreter = chosen === 'none' ? null : chosen;
    if (interpreterNode !== null && asked.startsWith('node@')) read.remarks.changed(interpreterNode, read.at('interpreter'), 'is the node on PATH; pm2 has nvm choose that version');
    const isHere = !script.includes('/') && existsSync(join(place, script));
    const program = interpreter === null ? [isHere ? `./${script}` : script] : [interpreter, ...interpreterArgs, script];
    put(block, 'command', literalLine([...program, ...args]), from);
    if (interpreter === 'ts-node') read.remarks.changed(read.node, read.at('script'), 'is run by ts-node, which has to be on PATH');
  }
  if (workingDir !== '.') put(block, 'working_dir', asText(literal(workingDir)), cwdNode);
}

/** Without an interpreter, by the ending, as pm2 chooses; a program on PATH or one that can be executed runs as it is. */
function interpreterOf(script: string, place: string): string | null {
  const known = interpreters[extname(script).toLowerCase()];
  if (known !== undefined) return known;
  const path = resolve(place, script);
  // What may not be executed is text that is no program of its own; a directory is a package.
  return !existsSync(path) || (isAccessible(path, constants.X_OK) && !isDirectory(path)) ? null : 'node';
}

const interpreters: Readonly<Record<string, string>> = {
  '.js': 'node', '.cjs': 'node', '.mjs': 'node', '.ts': 'ts-node', '.py': 'python3', '.sh': 'bash', '.rb': 'ruby', '.pl': 'perl', '.php': 'php', '.coffee': 'coffee', '.ls': 'lsc',
};

/** Arguments: a list, or a line that pm2 parts at blanks outside of quotes. The quotes of `--name="a b"` stay, a backslash is one. */
function words(read: Reader, ...keys: readonly string[]): readonly string[] {
  const key = keys.find((each) => read.take(each) !== null);
  const found = key === undefined ? null : read.take(key);
  if (key === undefined || found === null) return [];
  for (const item of [found, ...found.items ?? []]) if (item.entries !== null || (item !== found && item.value === null)) read.lose(key, `expected a text, got ${shown(item)}`);
  if (found.items !== null) return textsOf(found);
  return String(found.value ?? '').split(/([\w-]+=(?:"[^"]*"|'[^']*'))|"([^"]*)"|'([^']*)'|\s/).filter((word) => word !== undefined && word.trim() !== '');
}

function environment(read: Reader, block: DraftBlock, { envName, directory, target }: Source): void {
  const variables: DraftBlock = new Map();
  const add = (node: Sourced | null): void => {
    for (const [name, found] of node?.entries ?? []) {
      const value = found.entries !== null || found.items !== null ? JSON.stringify(plainOf(found)) : found.value;
      variables.delete(name);
      put(variables, name, asText(literal(String(value))), found);
    }
  };
  const env = read.take('env');
  add(env);
  for (const [key, node] of read.node.entries ?? []) {
    if (!/^env_[A-Za-z0-9]/.test(key) || key === 'env_file' || node.entries === null) continue;
    read.take(key);
    if (key === `env_${envName ?? ''}`) add(node);
    else read.lose(key, `used by pm2 with --env ${key.slice(4)} alone; "sysg import --env ${key.slice(4)}" lays it over env`);
  }
  const port = read.scalar('port');
  if (port !== null) add({ ...port, value: null, entries: new Map([['PORT', port]]) });
  const file = read.scalar('env_file');
  const path = file === null ? '' : String(file.value ?? '');
  const usable = file === null ? null : usableEnvFile(path, file, read.at('env_file'), { directory, target, remarks: read.remarks, replaces: false });
  put(block, 'env', envBlock(variables, usable === null ? null : { path: usable.path, from: file }), env);
}

function account(read: Reader, block: DraftBlock): void {
  const user = read.scalar('uid', 'user');
  if (user !== null) put(block, 'user', /^\d+$/.test(String(user.value)) ? userName(Number(user.value)) : String(user.value), user);
  const owner = read.scalar('gid');
  const group = /^\d+$/.test(String(owner?.value)) ? groupName(Number(owner?.value)) : String(owner?.value);
  if (owner !== null && /^\d+$/.test(group) && findGroup(group) === null) read.lose('gid', `there is no group ${group} on this machine`);
  else if (owner !== null) put(block, 'group', group, owner);
}

function modes(read: Reader): void {
  const { entries } = read.node;
  const instances = read.scalar('instances');
  const count = instances === null ? '1' : String(instances.value);
  if (count !== '1') read.lose('instances', `one process is run instead of ${count}; sysg has no instances, and NODE_APP_INSTANCE is not set`);
  else if (String(entries?.get('exec_mode')?.value).startsWith('cluster')) read.change('exec_mode', 'runs as a process of its own, without the cluster module');
  if (entries?.get('watch')?.value === false) read.take('watch');
}
