import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { attempt, refuse, type Refused } from '../errors.ts';
import { globbed } from '../words.ts';
import type { Plain } from '../yaml-text.ts';
import { envBlock, MOST_PROCESSES, put, type Draft } from './draft.ts';
import { readIni, type IniSection } from './ini.ts';
import { openReader } from './reader.ts';
import { resolved } from './references.ts';
import { readFurther, type Importer, type Source } from './source.ts';
import { environmentOf, expanding, programBlock } from './supervisord-program.ts';

/** What supervisord does where a program says nothing. */
const defaults: readonly (readonly [string, Plain])[] = [
  ['restart_policy', 'on-failure'],
  ['backoff', '1s'],
  ['max_restarts', 3],
  ['stable_after', '1s'],
  ['kill_mode', 'mixed'],
];

const sectionReasons: readonly (readonly [RegExp, string])[] = [
  [
    /^eventlistener:/,
    'there are no event listeners; hooks run a command at a start, a stop and a restart, and "sysg events --follow --json" prints what happens',
  ],
  [/^fcgi-program:/, 'sysg opens no socket for a FastCGI program'],
  [/^(unix_http_server|inet_http_server|supervisorctl)$/, 'sysg has a control socket of its own'],
  [/^rpcinterface:/, 'there are no RPC interfaces'],
];

/** A configuration of supervisord, with the files that it includes. */
export const importSupervisord: Importer = (source, draft) => {
  const read = readAll(source.path, source.text, draft, new Set());
  if (!Array.isArray(read)) return Promise.resolve(read as Refused);
  const all = merged(read as readonly IniSection[], draft);
  const own = all.filter(({ name }) => name.startsWith('program:'));
  if (own.length === 0) return Promise.resolve(refuse(`${source.path}:1: expected sections such as [program:web], found none`));
  put(draft.root, 'defaults', new Map(defaults.map(([key, value]) => [key, { value, from: null }])));
  const groups = groupsOf(all);
  for (const section of all) {
    const { name, node } = section;
    if (name === 'supervisord') importDaemon(section, draft);
    else if (name.startsWith('group:')) draft.remarks.lost(node, name, 'there are no groups; each program is a service under its own name');
    else if (name === 'include' || name.startsWith('program:')) continue;
    else draft.remarks.lost(node, name, sectionReasons.find(([pattern]) => pattern.test(name))?.[1] ?? 'sysg has no such section');
  }
  for (const section of own) importProgram(section, source, draft, groups);
  return Promise.resolve(null);
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

function readAll(path: string, text: string, draft: Draft, open: Set<string>): readonly IniSection[] | Refused {
  open.add(path);
  const read = readIni(text, path);
  if (!read.ok) return refuse(`${path}:${read.line}: ${read.message}`);
  draft.comments.set(path, read.comments);
  const here = dirname(path);
  const sections = [...read.sections];
  for (const { name, node } of read.sections) {
    const files = name === 'include' ? node.entries?.get('files') : undefined;
    if (files === undefined) continue;
    for (const pattern of String(files.value)
      .split(/\s+/)
      .filter((word) => word !== '')) {
      const found = matching(resolve(here, pattern.replaceAll('%(here)s', () => here).replaceAll('%(host_node_name)s', () => hostname())));
      if (found.length === 0) draft.remarks.lost(files, 'include.files', `${pattern} matches no file`);
      for (const included of found.filter((other) => !open.has(other))) {
        const further = readFurther(included);
        const inner = further.ok ? readAll(included, further.text, draft, open) : further;
        if (!Array.isArray(inner)) return inner as Refused;
        sections.push(...(inner as readonly IniSection[]));
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
  return new Map(
    sections
      .filter(({ name }) => name.startsWith('group:'))
      .flatMap(({ name, node }) =>
        String(node.entries?.get('programs')?.value ?? '')
          .split(/[\s,]+/)
          .filter((word) => word !== '')
          .map((program): [string, string] => [program, name.slice('group:'.length)]),
      ),
  );
}

function importDaemon({ name, node }: IniSection, { root, remarks }: Draft): void {
  const read = openReader(node, name, remarks);
  const variables = environmentOf(read, expanding({}));
  put(root, 'env', envBlock(variables, null), node.entries?.get('environment') ?? null);
  for (const key of [
    'nodaemon',
    'silent',
    'childlogdir',
    'pidfile',
    'logfile',
    'loglevel',
    'logfile_maxbytes',
    'logfile_backups',
    'strip_ansi',
    'nocleanup',
    'identifier',
  ])
    read.lose(key, 'it is about supervisord itself');
  read.rest({
    user: 'sysg runs as the user that starts it; a program has a user of its own',
    directory: 'a service runs in the directory of the configuration, or in its working_dir',
    minfds: 'limits: {nofile} of a service, or of "defaults", says how many files may be open',
    minprocs: 'limits: {nproc} of a service, or of "defaults", says how many processes there may be',
    umask: 'services have the umask of sysg; a program may have one of its own',
  });
}

function importProgram({ name: section, node }: IniSection, source: Source, draft: Draft, groups: ReadonlyMap<string, string>): void {
  const program = section.slice('program:'.length).trim();
  const { services, remarks } = draft;
  const first = openReader(node, program, remarks);
  const count = Math.max(1, first.number('numprocs') ?? 1);
  const start = first.number('numprocs_start') ?? 0;
  const pattern = first.take('process_name');
  if (node.entries?.get('command') === undefined) return remarks.lost(node, section, 'expected a command, found none');
  if (count > MOST_PROCESSES) remarks.lost(node.entries?.get('numprocs') ?? node, `${program}.numprocs`, `${MOST_PROCESSES} of ${count} are made, the first ones`);
  for (let index = 0; index < Math.min(count, MOST_PROCESSES); index += 1) {
    const number = start + index;
    const expand = expanding({ program_name: program, process_num: number, numprocs: count, group_name: groups.get(program) ?? program });
    const wanted = pattern === null ? program : resolved(expand(pattern), (name) => source.env[name]);
    const name = count > 1 && !/process_num/.test(String(pattern?.value)) ? `${wanted}_${number}` : wanted;
    const clean = name.replaceAll(/[/\p{Cc}]/gu, '-');
    const earlier = services.find((other) => other.name === clean);
    if (earlier !== undefined) {
      remarks.lost(earlier.from, clean, 'the program is given again further on, which counts');
      services.splice(services.indexOf(earlier), 1);
    }
    services.push({ name: clean, from: node, block: programBlock(node, program, expand, source, draft) });
  }
  if (count > 1) remarks.changed(node.entries?.get('numprocs') ?? node, `${program}.numprocs`, `${Math.min(count, MOST_PROCESSES)} services, each with its number`);
}
