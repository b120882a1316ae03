import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { attempt, refuse, type Refused } from '../errors.ts';
import { globbed } from '../words.ts';
import { askedProcesses, envBlock, plainBlock, put, type Draft } from './draft.ts';
import { readIni, type IniSection } from './ini.ts';
import { openReader } from './reader.ts';
import { supervisordItself, supervisordSections } from './reasons.ts';
import { resolved } from './references.ts';
import { readFurther, type Importer, type Source } from './source.ts';
import { environmentOf, expanding, programBlock, settled } from './supervisord-program.ts';

/** What supervisord does where a program says nothing. */
const defaults = { restart_policy: 'on-failure', backoff: '1s', max_restarts: 3, stable_after: '1s', kill_mode: 'mixed' };

/** A configuration of supervisord, with the files that it includes. */
export const importSupervisord: Importer = (source, draft) => {
  const read = readAll(source.path, source.text, draft);
  if ('reason' in read) return read;
  const all = merged(read, draft);
  const own = all.filter(({ name }) => name.startsWith('program:'));
  if (own.length === 0) return refuse(`${source.path}:1: expected sections such as [program:web], found none`);
  put(draft.root, 'defaults', plainBlock(defaults));
  const groups = groupsOf(all);
  for (const section of all) {
    const { name, node } = section;
    if (name === 'supervisord') importDaemon(section, draft);
    else if (name !== 'include' && !name.startsWith('program:'))
      draft.remarks.lost(node, name, supervisordSections.find(([pattern]) => pattern.test(name))?.[1] ?? 'sysg has no such section');
  }
  for (const section of own) importProgram(section, source, draft, groups);
  return null;
};

/** Sections of one name are one, of whose keys the last ones count: an included file may say more of a program. */
function merged(sections: readonly IniSection[], { remarks }: Draft): readonly IniSection[] {
  const found = new Map<string, IniSection>();
  for (const section of sections) {
    const { name, node } = section;
    const earlier = found.get(name)?.node;
    for (const [key, { file, line }] of node.entries ?? []) {
      const other = earlier?.entries?.get(key);
      if (other !== undefined && key !== 'files') remarks.lost(other, `${name.replace(/^program:/, '')}.${key}`, `given again in ${basename(file)}:${line}, which counts`);
    }
    found.set(name, earlier === undefined ? section : { name, node: { ...earlier, entries: new Map([...earlier.entries ?? [], ...node.entries ?? []]) } });
  }
  return [...found.values()];
}

/** What the file itself includes, and none of what these would include, as supervisord does it. */
function readAll(path: string, text: string, { comments, remarks }: Draft): readonly IniSection[] | Refused {
  const files = new Map([[path, text]]);
  const sections: IniSection[] = [];
  for (const [file, written] of files) {
    const read = readIni(written, file);
    if (!read.ok) return read;
    comments.set(file, read.comments);
    sections.push(...read.sections);
    for (const { name, node } of read.sections) {
      const included = name === 'include' ? node.entries?.get('files') : undefined;
      if (included === undefined) continue;
      if (file !== path) {
        remarks.lost(included, 'include.files', 'a file that is included includes no others, under supervisord neither');
        continue;
      }
      const here = dirname(path);
      for (const pattern of String(included.value).split(/\s+/).filter((word) => word !== '')) {
        const found = matching(resolve(here, pattern.replaceAll('%(here)s', () => here).replaceAll('%(host_node_name)s', () => hostname())));
        if (found.length === 0) remarks.lost(included, 'include.files', `${pattern} matches no file`);
        for (const other of found.filter((one) => !files.has(one))) {
          const further = readFurther(other);
          if (!further.ok) return further;
          files.set(other, further.text);
        }
      }
    }
  }
  return sections;
}

/** Files that match a pattern of `*`, `?` and `[…]` (glob(7)) in any part of the path. */
function matching(pattern: string): readonly string[] {
  let found: readonly string[] = ['/'];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    if (!/[*?[]/.test(part)) {
      found = found.map((directory) => join(directory, part));
      continue;
    }
    const fits = globbed(part);
    found = found.flatMap((directory) => names(directory).filter((name) => !name.startsWith('.') && fits(name)).map((name) => join(directory, name)));
  }
  return found.filter((path) => names(dirname(path)).includes(basename(path)));
}

function names(directory: string): readonly string[] {
  // ENOENT, ENOTDIR and EACCES: nothing there matches.
  return attempt(() => readdirSync(directory).toSorted(), []);
}

function groupsOf(sections: readonly IniSection[]): ReadonlyMap<string, string> {
  return new Map(sections.filter(({ name }) => name.startsWith('group:')).flatMap(({ name, node }) => (
    String(node.entries?.get('programs')?.value ?? '').split(/[\s,]+/).filter((word) => word !== '').map((program) => [program, name.slice('group:'.length)] as const)
  )));
}

function importDaemon({ name, node }: IniSection, { root, remarks }: Draft): void {
  const read = openReader(node, name, remarks);
  const variables = environmentOf(read, expanding({}, remarks, name));
  put(root, 'env', envBlock(variables, null), read.take('environment'));
  read.rest(supervisordItself);
}

function importProgram({ name: section, node: written }: IniSection, source: Source, draft: Draft, groups: ReadonlyMap<string, string>): void {
  const program = section.slice('program:'.length).trim();
  const { services, remarks } = draft;
  if (written.entries?.get('command') === undefined) return remarks.lost(written, section, 'expected a command, found none');
  const own = { program_name: program, group_name: groups.get(program) ?? program };
  const node = settled(written, program, expanding(own, remarks, program), source, remarks);
  const first = openReader(node, program, remarks);
  const { count, made } = askedProcesses(first, 'numprocs', draft);
  const start = first.number('numprocs_start') ?? 0;
  const pattern = first.take('process_name');
  for (let index = 0; index < made; index += 1) {
    const number = start + index;
    const expand = expanding({ ...own, process_num: number, numprocs: count }, remarks, program);
    const wanted = pattern === null ? program : resolved(expand(pattern), (name) => source.env[name]);
    const name = count > 1 && !/process_num/.test(String(pattern?.value)) ? `${wanted}_${number}` : wanted;
    const clean = name.replaceAll(/[/\p{Cc}]/gu, '-');
    const earlier = services.find((other) => other.name === clean);
    if (earlier !== undefined) {
      remarks.lost(earlier.from, clean, 'the program is given again further on, which counts');
      services.splice(services.indexOf(earlier), 1);
    }
    services.push({ name: clean, origin: program, from: node, block: programBlock(node, program, expand, source, draft) });
  }
}
