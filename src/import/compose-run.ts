import { existsSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import type { Sourced } from '../yaml-text.ts';
import { asMap } from './compose-file.ts';
import { envBlock, put, rebased, type DraftBlock } from './draft.ts';
import { usableEnvFile, type UsableEnvFile } from './env-files.ts';
import { isEmpty, shown, type Reader } from './reader.ts';
import { noImages } from './reasons.ts';
import type { Remarks } from './remarks.ts';
import { asCommandLine, asText, escaped, isLiteral, literal, literalLine, namesIn, parseComposeText, resolved, splitWords, type Template } from './references.ts';
import type { Source } from './source.ts';

export interface ComposeAround {
  readonly source: Source;
  readonly remarks: Remarks;
  /** The names of all services. */
  readonly names: ReadonlySet<string>;
  /** Of a network of their own. */
  readonly namesAreHosts: boolean;
  /** The variables that compose would put in. */
  readonly lookup: (name: string) => string | undefined;
  /** Where it is not that of compose. */
  readonly parse?: typeof parseComposeText;
  /** What paths in the file of a place are relative to. */
  readonly directoryOf: (place: Pick<Sourced, 'file'>) => string;
}

/** A text with its variables. What is no text is named as lost, and empty. */
export function templateOf(node: Sourced, key: string, { remarks, parse = parseComposeText }: ComposeAround): Template {
  if (node.value === null) remarks.lost(node, key, `expected a text, got ${shown(node)}`);
  return parse(String(node.value ?? ''), (text) => remarks.changed(node, key, text));
}

/** The words of a command; none where one of them is no text, which is named. */
export function templatesOf(words: readonly Sourced[], key: string, around: ComposeAround): readonly Template[] {
  const templates = words.map((word) => templateOf(word, key, around));
  return words.some(({ value }) => value === null) ? [] : templates;
}

/** A text that has to be known now, such as the name of a signal. */
export function settled(read: Reader, key: string, around: ComposeAround): { readonly text: string; readonly from: Sourced } | null {
  const from = read.take(key);
  return from === null ? null : settledText(from, read.at(key), around);
}

export function settledText(from: Sourced, key: string, around: ComposeAround): { readonly text: string; readonly from: Sourced } | null {
  const template = templateOf(from, key, around);
  if (from.value === null) return null;
  const text = resolved(template, around.lookup);
  if (!isLiteral(template)) around.remarks.changed(from, key, `it is ${JSON.stringify(text)}, by the variables as they are now`);
  return { text, from };
}

/** Entrypoint and command, one argument vector. Where the image says what is run, nothing can be run. */
export function composeCommand(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const [entrypoint, command] = [read.take('entrypoint'), read.take('command')];
  const image = read.take('image');
  read.lose('image', noImages);
  const words = [...wordsOf(entrypoint, read.at('entrypoint'), around), ...wordsOf(command, read.at('command'), around)];
  const from = command ?? entrypoint;
  if (words.length > 0) {
    put(block, 'command', asCommandLine(words), from);
    if (entrypoint === null && image !== null) read.change('command', 'it is run as it stands, without what the entrypoint of the image does');
    return;
  }
  const what = image === null ? 'its build' : `the image ${String(image.value)}`;
  put(block, 'command', literalLine(['sh', '-c', `echo "say here what runs in the place of ${what.replaceAll(/["\\`$]/g, '')}" >&2; exit 1`]), image);
  put(block, 'skip', true);
  const place = image ?? read.take('build') ?? read.node;
  around.remarks.changed(place, read.at('command'), `what runs is said by ${what} alone: the service is skipped until it has a command`);
}

function wordsOf(node: Sourced | null, key: string, around: ComposeAround): readonly Template[] {
  if (node === null) return [];
  if (node.items !== null) return templatesOf(node.items, key, around);
  const words = splitWords(templateOf(node, key, around), around.lookup);
  if (words === null) around.remarks.lost(node, key, 'a quote in it is never closed');
  return words ?? [];
}

/** A directory of the container is that of this machine which is mounted there. */
export function composeWorkingDir(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const { source: { target }, directoryOf } = around;
  const putPath = (path: string, from: Sourced | null): void => {
    if (path !== '.' || from !== null) put(block, 'working_dir', asText(literal(path)), from);
  };
  const whole = rebased('.', directoryOf(read.node), target);
  const written = settled(read, 'working_dir', around);
  if (written === null) return putPath(whole, null);
  const { text, from } = written;
  const mount = mountsOf(read.node, around).find(({ inside }) => text === inside || text.startsWith(`${inside}/`));
  if (mount !== undefined) {
    const path = posix.join(mount.outside, posix.relative(mount.inside, text));
    read.change('working_dir', `${text} in the container is ${path === '.' ? 'the directory of the configuration' : path} here`);
    return putPath(path, path === '.' ? null : from);
  }
  const directory = directoryOf(from);
  if (existsSync(resolve(directory, text))) return putPath(rebased(text, directory, target), from);
  read.lose('working_dir', `there is no directory ${text} on this machine; the service runs in the directory of the configuration`);
  putPath(whole, null);
}

interface Mount {
  readonly outside: string;
  readonly inside: string;
}

/** Directories of this machine that are mounted, the deepest first. */
function mountsOf(node: Sourced, around: ComposeAround): readonly Mount[] {
  const found = (node.entries?.get('volumes')?.items ?? []).flatMap((item): Mount[] => {
    const textIn = (inner: Sourced | undefined): string =>
      inner === undefined ? '' : resolved(unremarked(inner, around), around.lookup);
    const [outside, inside] = item.entries === null ? textIn(item).split(':') : [textIn(item.entries.get('source')), textIn(item.entries.get('target'))];
    if (outside === undefined || inside === undefined || !/^[./~]/.test(outside) || !inside.startsWith('/')) return [];
    return [{ outside: rebased(outside, around.directoryOf(item), around.source.target), inside: inside.replace(/(?<=.)\/$/, '') }];
  });
  return found.toSorted((left, right) => right.inside.length - left.inside.length);
}

const silent: Remarks = { lost: () => {}, changed: () => {}, all: () => [] };
const unremarked = (node: Sourced, around: ComposeAround): Template => templateOf(node, '', { ...around, remarks: silent });

/** `environment` and `env_file`. Of several files one can be named; what is in the others stands in `vars`. */
export function composeEnvironment(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const { remarks, source: { target } } = around;
  const variables: DraftBlock = new Map();
  const listed = read.take('env_file');
  const files = (listed?.items ?? (listed === null ? [] : [listed])).flatMap((item): UsableEnvFile[] => {
    const inner = item.entries?.get('path') ?? item;
    if (inner.value === null) {
      remarks.lost(inner, read.at('env_file'), `expected a path, got ${shown(inner)}`);
      return [];
    }
    const isOptional = item.entries?.get('required')?.value === false;
    const path = resolved(templateOf(inner, read.at('env_file'), around), around.lookup);
    const directory = around.directoryOf(inner);
    if (isOptional && !existsSync(resolve(directory, path))) return [];
    const usable = usableEnvFile(path, inner, read.at('env_file'), { directory, target, remarks, replaces: true });
    return usable === null ? [] : [usable];
  });
  const [first, ...others] = files;
  for (const { path, variables: further } of others) {
    for (const [name, value] of further) put(variables, name, asText(literal(value)));
    read.change('env_file', `a service has one env file: the variables of ${path} stand here as they are now`);
  }
  const environment = read.take('environment');
  const inner = new Map(files.flatMap((file) => [...file.variables]));
  const named = variablesIn(environment, read.at('environment'), around);
  for (const [name, node] of named) inner.set(name, resolved(unremarked(node, around), around.lookup));
  for (const key of ['entrypoint', 'command']) {
    const node = read.node.entries?.get(key);
    for (const item of node?.items ?? (node === undefined ? [] : [node])) remarkOwnFirst(item, read.at(key), inner, around);
  }
  for (const [name, node] of named) {
    const [key, text] = [read.at(`environment.${name}`), String(node.value)];
    variables.delete(name);
    put(variables, name, asText(templateOf(node, key, around)), node);
    remarkOwnFirst(node, key, inner, around, name);
    const host = !around.namesAreHosts || !/[:/@]/.test(text) ? undefined : [...around.names].find((other) => (
      /^[a-z]/i.test(other) && new RegExp(`(?:^|[@/,])${escaped(other)}(?::\\d+|/|,|$)`).test(text)
    ));
    if (host !== undefined) remarks.changed(node, key, `'${host}' is the name of a container, which means nothing here: services reach each other on localhost`);
  }
  put(block, 'env', envBlock(variables, first === undefined ? null : { path: first.path, from: listed }), environment ?? listed);
}

/** Those that `environment` gives a value. Without one a variable is that of the caller, which services have anyway. */
export function variablesIn(environment: Sourced | null, key: string, { remarks }: Pick<ComposeAround, 'remarks'>): readonly (readonly [name: string, node: Sourced])[] {
  if (environment === null) return [];
  const lose = (node: Sourced, of = key): void => remarks.lost(node, of, `expected ${of === key ? 'NAME=VALUE' : 'a text'}, got ${shown(node)}`);
  if (environment.items === null && environment.entries === null) lose(environment);
  for (const item of environment.items ?? []) if (!isEmpty(item) && !/^[^=]/.test(String(item.value ?? ''))) lose(item);
  return [...asMap(environment).entries ?? []].filter(([name, node]) => {
    if (node.value === null && !isEmpty(node) && name !== '') lose(node, `${key}.${name}`);
    return node.value !== null && name !== '';
  });
}

/** What stands for a variable in a text is the caller's there, and here the service's own where it has one. */
function remarkOwnFirst(node: Sourced, key: string, inner: ReadonlyMap<string, string>, around: ComposeAround, self?: string): void {
  const template = unremarked(node, around);
  const whole = resolved(template, around.lookup);
  const other = namesIn(template).find((name) => name !== self && resolved(template, (each) => (each === name ? inner.get(name) : undefined) ?? around.lookup(each)) !== whole);
  if (other !== undefined) around.remarks.changed(node, key, `${other} in it is that of the service here, which is not yours`);
}
