import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { refuse, type Refused } from '../errors.ts';
import { signalNamed } from '../signals.ts';
import type { Plain, Sourced } from '../yaml-text.ts';
import { envBlock, put, rebased, type Draft, type DraftBlock } from './draft.ts';
import { readIni, type IniSection } from './ini.ts';
import { openReader, truth, type Reader } from './reader.ts';
import { asCommandLine, asText, resolved, splitWords, type Piece, type Template } from './references.ts';
import { readFurther, type Importer, type Source } from './source.ts';

/** What supervisord does where a program says nothing. */
const defaults: readonly (readonly [string, Plain])[] = [
  ['restart_policy', 'on-failure'],
  ['backoff', '1s'],
  ['max_restarts', 3],
  ['stable_after', '1s'],
  ['kill_mode', 'mixed'],
];

const logReason = 'sysg keeps logs in its own directory; see "sysg logs"';
const reasons: Readonly<Record<string, string>> = {
  stdout_logfile: logReason,
  stderr_logfile: logReason,
  redirect_stderr: 'standard output and standard error have a log each',
  stdout_syslog: logReason,
  stderr_syslog: logReason,
  stderr_logfile_maxbytes: logReason,
  stderr_logfile_backups: logReason,
  stdout_events_enabled: 'there are no event listeners',
  stderr_events_enabled: 'there are no event listeners',
  stdout_capture_maxbytes: 'there are no event listeners',
  stderr_capture_maxbytes: 'there are no event listeners',
  priority: 'services start side by side; depends_on says what has to be there first',
  serverurl: 'there is no such server',
};

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
  const sections = readAll(source.path, source.text, draft, new Set());
  if (!Array.isArray(sections)) return Promise.resolve(sections as Refused);
  const all = sections as readonly PlacedSection[];
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

interface PlacedSection extends IniSection {
  /** `%(here)s` */
  readonly here: string;
}

function readAll(path: string, text: string, draft: Draft, open: Set<string>): readonly PlacedSection[] | Refused {
  open.add(path);
  const read = readIni(text, path);
  if (!read.ok) return refuse(`${path}:${read.line}: ${read.message}`);
  draft.comments.set(path, read.comments);
  const here = dirname(path);
  const sections: PlacedSection[] = read.sections.map((section) => ({ ...section, here }));
  for (const { name, node } of read.sections) {
    const files = name === 'include' ? node.entries?.get('files') : undefined;
    if (files === undefined) continue;
    for (const pattern of String(files.value)
      .split(/\s+/)
      .filter((word) => word !== '')) {
      const found = matching(
        resolve(
          here,
          pattern.replaceAll('%(here)s', () => here).replaceAll('%(host_node_name)s', () => hostname()),
        ),
      );
      if (found.length === 0) draft.remarks.lost(files, 'include.files', `${pattern} matches no file`);
      for (const included of found.filter((other) => !open.has(other))) {
        const further = readFurther(included);
        const inner = further.ok ? readAll(included, further.text, draft, open) : further;
        if (!Array.isArray(inner)) return inner as Refused;
        sections.push(...(inner as readonly PlacedSection[]));
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
    const regex = new RegExp(
      `^${part
        .replaceAll(/[.+^${}()|\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')
        .replaceAll('[!', '[^')}$`,
    );
    found = found.flatMap((directory) =>
      names(directory)
        .filter((name) => !name.startsWith('.') && regex.test(name))
        .map((name) => join(directory, name)),
    );
  }
  return found.filter((path) => names(dirname(path)).includes(basename(path)));
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    // ENOENT, ENOTDIR and EACCES: nothing there matches.
    return [];
  }
}

function groupsOf(sections: readonly PlacedSection[]): ReadonlyMap<string, string> {
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

function importDaemon({ name, node, here }: PlacedSection, { root, remarks }: Draft): void {
  const read = openReader(node, name, remarks);
  const variables = environmentOf(read, expanding(here, {}));
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
    umask: 'services have the umask of sysg; a program may have one of its own',
  });
}

function importProgram({ name: section, node, here }: PlacedSection, source: Source, draft: Draft, groups: ReadonlyMap<string, string>): void {
  const program = section.slice('program:'.length).trim();
  const { services, remarks } = draft;
  const first = openReader(node, program, remarks);
  const count = Math.max(1, first.number('numprocs') ?? 1);
  const start = first.number('numprocs_start') ?? 0;
  const pattern = first.take('process_name');
  if (node.entries?.get('command') === undefined) return remarks.lost(node, section, 'expected a command, found none');
  for (let index = 0; index < Math.min(count, 1000); index += 1) {
    const number = start + index;
    const expand = expanding(here, { program_name: program, process_num: number, numprocs: count, group_name: groups.get(program) ?? program });
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
  if (count > 1) remarks.changed(node.entries?.get('numprocs') ?? node, `${program}.numprocs`, `${count} services, each with its number`);
}

type Expand = (node: Sourced) => Template;

/** `%(program_name)s`, `%(process_num)02d`, `%(ENV_NAME)s`, `%(here)s`, `%%`. */
function expanding(here: string, values: Readonly<Record<string, string | number>>): Expand {
  const known: Readonly<Record<string, string | number>> = { here, host_node_name: hostname(), ...values };
  return ({ value }) => {
    const pieces: Piece[] = [];
    let end = 0;
    const text = String(value ?? '');
    for (const { 0: whole, 1: name = '', 2: zero = '', 3: width = '', index } of text.matchAll(/%\((\w+)\)(0?)(\d*)[sd]|%%/g)) {
      pieces.push(text.slice(end, index));
      end = index + whole.length;
      if (whole === '%%') pieces.push('%');
      else if (name.startsWith('ENV_')) pieces.push({ name: name.slice(4), fallback: null });
      else pieces.push(known[name] === undefined ? whole : String(known[name]).padStart(Number(width || 0), zero === '' ? ' ' : '0'));
    }
    pieces.push(text.slice(end));
    return pieces.filter((piece) => piece !== '');
  };
}

function programBlock(node: Sourced, name: string, expand: Expand, source: Source, draft: Draft): DraftBlock {
  const { remarks } = draft;
  const read = openReader(node, name, remarks);
  for (const key of ['numprocs', 'numprocs_start', 'process_name']) read.take(key);
  const block: DraftBlock = new Map();
  const line = read.take('command');
  const umask = read.text('umask');
  if (line !== null) {
    const words = splitWords(expand(line));
    if (words === null) remarks.changed(line, `${name}.command`, 'a quote in it is never closed; it is left to a shell as it stands');
    const command = words === null ? String(line.value) : asCommandLine(words);
    put(block, 'command', umask === null || umask === '' ? command : `umask ${umask}; ${command.startsWith('exec ') ? '' : 'exec '}${command}`, line);
  }
  const directory = read.take('directory');
  const written = directory === null ? null : expand(directory);
  const inPlace =
    written === null
      ? null
      : (typeof written[0] === 'string' && /^[/~]/.test(written[0])) || written.some((piece) => typeof piece !== 'string')
        ? asText(written)
        : rebased(
            resolved(written, () => ''),
            source.directory,
            source.target,
          );
  if (inPlace !== null) put(block, 'working_dir', inPlace, directory);
  put(block, 'env', envBlock(environmentOf(read, expand), null), node.entries?.get('environment') ?? null);
  const user = read.take('user');
  if (user !== null) put(block, 'user', asText(expand(user)), user);
  restarts(read, block);
  stopping(read, block);
  logs(read, block);
  const autostart = read.flag('autostart');
  if (autostart === false) {
    const from = node.entries?.get('autostart') ?? null;
    put(block, 'profiles', [name], from);
    if (from !== null) remarks.changed(from, `${name}.autostart`, `started by name, or with start --profile ${name}; until then it is not among the units`);
  }
  read.rest(reasons);
  return block;
}

function restarts(read: Reader, block: DraftBlock): void {
  const autorestart = read.take('autorestart');
  const word = String(autorestart?.value ?? 'unexpected').toLowerCase();
  const isRestarted = word === 'unexpected' ? null : truth(word);
  if (isRestarted === true) put(block, 'restart_policy', 'always', autorestart);
  else if (isRestarted === false) put(block, 'restart_policy', 'never', autorestart);
  const startsecs = read.take('startsecs');
  if (startsecs !== null) put(block, 'stable_after', `${Number(startsecs.value) || 0}s`, startsecs);
  const retries = read.take('startretries');
  if (retries !== null) put(block, 'max_restarts', Math.max(0, Math.round(Number(retries.value)) || 0), retries);
  const codes = read.take('exitcodes');
  if (codes !== null)
    put(
      block,
      'success_exit_codes',
      String(codes.value)
        .split(/[\s,]+/)
        .filter((code) => code !== '')
        .map(Number),
      codes,
    );
}

function stopping(read: Reader, block: DraftBlock): void {
  const signal = read.take('stopsignal');
  const name = signal === null ? null : signalNamed(String(signal.value));
  if (signal !== null && name !== null) put(block, 'stop_signal', name, signal);
  else if (signal !== null) read.remarks.lost(signal, `${read.path}.stopsignal`, `expected a signal, got ${JSON.stringify(signal.value)}`);
  const wait = read.take('stopwaitsecs');
  if (wait !== null) put(block, 'stop_timeout', `${Number(wait.value) || 0}s`, wait);
  const asGroup = read.take('stopasgroup');
  if (asGroup !== null && truth(String(asGroup.value)) === true) put(block, 'kill_mode', 'group', asGroup);
  const killed = read.take('killasgroup');
  if (killed !== null && truth(String(killed.value)) === false)
    read.remarks.changed(killed, `${read.path}.killasgroup`, 'SIGKILL always goes to all that is left of the service');
}

function logs(read: Reader, block: DraftBlock): void {
  const size = read.take('stdout_logfile_maxbytes');
  const keep = read.take('stdout_logfile_backups');
  const bytes = size === null ? null : String(size.value).trim().toUpperCase();
  if (size !== null && bytes === '0')
    read.remarks.changed(size, `${read.path}.stdout_logfile_maxbytes`, 'a log is rotated at 10M; there is no log without rotation');
  const rotate = {
    ...(bytes !== null && /^\d+\s*[KMG]?B?$/.test(bytes) && bytes !== '0' ? { size: bytes } : {}),
    ...(keep !== null && /^\d+$/.test(String(keep.value)) ? { keep: Number(keep.value) } : {}),
  };
  if (Object.keys(rotate).length > 0) put(block, 'logs', { rotate }, size ?? keep);
}

/** `A="x",B='y',C=z`: supervisord's list of variables, over several lines too. */
function environmentOf(read: Reader, expand: Expand): DraftBlock {
  const variables: DraftBlock = new Map();
  const found = read.take('environment');
  if (found === null) return variables;
  const text = String(found.value);
  let end = 0;
  for (const match of text.matchAll(/\s*([A-Za-z_][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^,\n]*))\s*(?:,|\n|$)\s*/gy)) {
    const [whole, name = '', double, single, bare] = match;
    end = match.index + whole.length;
    const value = double ?? single ?? (bare ?? '').trim();
    put(
      variables,
      name,
      asText(expand({ ...found, value: double === undefined && single === undefined ? value : value.replaceAll(/\\(["'\\])/g, '$1') })),
      found,
    );
  }
  if (end < text.length)
    read.remarks.lost(found, `${read.path}.environment`, `expected NAME="value" parted by commas, got ${JSON.stringify(text.slice(end, end + 40))}`);
  return variables;
}
