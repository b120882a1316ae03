import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { signalNamed } from '../signals.ts';
import type { Sourced } from '../yaml-text.ts';
import { envBlock, put, rebased, startedByName, type Draft, type DraftBlock } from './draft.ts';
import { countIn, exitCodesIn, openReader, truth, type Reader } from './reader.ts';
import { supervisordProgram } from './reasons.ts';
import type { Remarks } from './remarks.ts';
import { asCommandLine, asText, isLiteral, namesIn, resolved, splitWords, type Piece, type Template } from './references.ts';
import type { Source } from './source.ts';

export type Expand = (node: Sourced) => Template;

/** A program of supervisord as a service. */
export function programBlock(node: Sourced, name: string, expand: Expand, source: Source, draft: Draft): DraftBlock {
  const read = openReader(node, name, draft.remarks);
  for (const key of ['numprocs', 'numprocs_start', 'process_name']) read.take(key);
  const block: DraftBlock = new Map();
  const line = read.take('command');
  const umask = read.parsed('umask', 'an octal number such as 022', octalIn);
  if (line !== null) {
    // What is not set keeps supervisord from a start.
    const words = splitWords(expand(line), (variable) => source.env[variable] ?? variable);
    if (words === null) read.change('command', 'a quote in it is never closed; it is left to a shell as it stands');
    const command = words === null ? String(line.value) : asCommandLine(words);
    put(block, 'command', umask === null ? command : `umask ${umask.value}; ${/^(?:set -f; )?exec /.test(command) ? '' : 'exec '}${command}`, line);
  }
  const directory = read.take('directory');
  const written = directory === null ? null : expand(directory);
  const isElsewhere = written !== null && (/^[/~]/.test(String(written[0])) || !isLiteral(written));
  if (written !== null) put(block, 'working_dir', isElsewhere ? asText(written) : rebased(written.join(''), source.directory, source.target), directory);
  put(block, 'env', envBlock(environmentOf(read, expand), null), read.take('environment'));
  const user = read.take('user');
  if (user !== null) put(block, 'user', asText(expand(user)), user);
  restarts(read, block);
  stopping(read, block);
  logs(read, block);
  if (read.flag('autostart') === false) startedByName(read, block, 'autostart', name);
  read.rest(supervisordProgram);
  return block;
}

/** `%(program_name)s`, `%(process_num)02d`, `%(ENV_NAME)s`, `%%`, and `%(here)s`, the directory of the file that says so. A name that is none of those is left as it stands, and named. */
export function expanding(values: Readonly<Record<string, string | number>>, remarks: Remarks, section: string): Expand {
  return (node) => {
    const { file, value } = node;
    const known: Readonly<Record<string, string | number>> = { here: dirname(file), host_node_name: hostname(), ...values };
    const pieces: Piece[] = [];
    let end = 0;
    const text = String(value ?? '');
    for (const { 0: whole, 1: name = '', 2: zero = '', 3: width = '', index } of text.matchAll(/%\((\w+)\)(0?)(\d{0,3})[sd]|%%/g)) {
      pieces.push(text.slice(end, index));
      end = index + whole.length;
      if (whole === '%%') pieces.push('%');
      else if (name.startsWith('ENV_')) pieces.push({ name: name.slice(4), fallback: null });
      else if (known[name] !== undefined) pieces.push(String(known[name]).padStart(Number(width || 0), zero === '' ? ' ' : '0'));
      else {
        remarks.lost(node, section, `supervisord puts in nothing for ${whole}, which stands here as it is`);
        pieces.push(whole);
      }
    }
    pieces.push(text.slice(end));
    return pieces.filter((piece) => piece !== '');
  };
}

const known = `numprocs numprocs_start autostart autorestart startsecs startretries exitcodes stopsignal stopwaitsecs stopasgroup killasgroup umask stdout_logfile_maxbytes
  stdout_logfile_backups`.split(/\s+/);

/** The section with what has to be known now, such as a number, by the variables as they are now. */
export function settled(node: Sourced, program: string, expand: Expand, { env }: Source, remarks: Remarks): Sourced {
  const entries = new Map(node.entries);
  for (const key of known) {
    const written = entries.get(key);
    const template = written === undefined ? [] : expand(written);
    const value = resolved(template, (name) => env[name]);
    // What is not set keeps supervisord from a start, and is named by what the key expects.
    if (written === undefined || value === '' || namesIn(template).some((name) => env[name] === undefined)) continue;
    if (!isLiteral(template)) remarks.changed(written, `${program}.${key}`, `it is ${JSON.stringify(value)}, by the variables as they are now`);
    entries.set(key, { ...written, value });
  }
  return { ...node, entries };
}

function octalIn(text: string): string | null {
  return /^\s*[0-7]{1,4}\s*$/.test(text) ? text.trim() : null;
}

function restarts(read: Reader, block: DraftBlock): void {
  const autorestart = read.parsed('autorestart', 'true, false or unexpected', (text) => (/^\s*unexpected\s*$/i.test(text) ? 'unexpected' : truth(text)));
  if (autorestart !== null && autorestart.value !== 'unexpected') put(block, 'restart_policy', autorestart.value ? 'always' : 'never', autorestart.from);
  const startsecs = read.parsed('startsecs', SECONDS, countIn);
  if (startsecs !== null) put(block, 'stable_after', `${startsecs.value}s`, startsecs.from);
  const retries = read.parsed('startretries', 'a number, 0 or more', countIn);
  if (retries !== null) put(block, 'max_restarts', Math.round(retries.value), retries.from);
  const isOneAttempt = startsecs?.value === 0 || retries?.value === 0;
  if (autorestart?.value === false && !isOneAttempt) read.change('autorestart', 'there is one attempt here; supervisord makes startretries more where it ends within startsecs');
  const codes = read.take('exitcodes');
  if (codes !== null) put(block, 'success_exit_codes', exitCodesIn(read, 'exitcodes', String(codes.value).split(/[\s,]+/).filter((code) => code !== '')), codes);
}

function stopping(read: Reader, block: DraftBlock): void {
  const signal = read.parsed('stopsignal', 'a signal', signalNamed);
  if (signal !== null) put(block, 'stop_signal', signal.value, signal.from);
  const wait = read.parsed('stopwaitsecs', SECONDS, countIn);
  if (wait !== null) put(block, 'stop_timeout', `${wait.value}s`, wait.from);
  if (read.flag('stopasgroup') === true) put(block, 'kill_mode', 'group', read.take('stopasgroup'));
  if (read.flag('killasgroup') === false) read.change('killasgroup', 'SIGKILL always goes to all that is left of the service');
}

const SECONDS = 'a number of seconds, 0 or more';

function logs(read: Reader, block: DraftBlock): void {
  const size = read.parsed('stdout_logfile_maxbytes', 'a size such as 50MB', (text) => /^\s*\d+\s*[KMG]?B?\s*$/i.test(text) ? text.trim().toUpperCase() : null);
  const keep = read.parsed('stdout_logfile_backups', 'a number, 0 or more', countIn);
  if (size?.value === '0') read.change('stdout_logfile_maxbytes', 'a log is rotated at 10M; there is no log without rotation');
  const rotate = {
    ...(size !== null && size.value !== '0' && { size: size.value }),
    ...(keep !== null && { keep: Math.round(keep.value) }),
  };
  if (Object.keys(rotate).length > 0) put(block, 'logs', { rotate }, (size ?? keep)?.from);
}

/** `A="x",B='y',C=z`: supervisord's list of variables, over several lines too. */
export function environmentOf(read: Reader, expand: Expand): DraftBlock {
  const variables: DraftBlock = new Map();
  const found = read.take('environment');
  if (found === null) return variables;
  const text = String(found.value);
  let end = 0;
  for (const match of text.matchAll(/\s*([A-Za-z_][\w.-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^,\n]*))\s*(?:,|\n|$)\s*/gy)) {
    const [whole, name = '', double, single, bare] = match;
    end = match.index + whole.length;
    const value = (double ?? single)?.replaceAll(/\\(["'\\])/g, '$1') ?? (bare ?? '').trim();
    put(variables, name, asText(expand({ ...found, value })), found);
  }
  if (end < text.length) read.lose('environment', `expected NAME="value" parted by commas, got ${JSON.stringify(text.slice(end, end + 40))}`);
  return variables;
}
