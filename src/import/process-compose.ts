import { refuse } from '../errors.ts';
import { readYaml, type Sourced } from '../yaml-text.ts';
import { composeEnvironment, templateOf, templatesOf, variablesIn, type ComposeAround } from './compose-run.ts';
import { completedServices, composeDependencies, withoutBlindWaits } from './compose-rules.ts';
import { askedProcesses, envBlock, plainBlock, put, rebased, startedByName, type DraftBlock } from './draft.ts';
import { dotEnvBeside } from './env-files.ts';
import { availability, health, rotation, schedule, shutdown } from './process-compose-rules.ts';
import { openReader, truth, type Reader } from './reader.ts';
import { processComposeFile, processComposeProcess } from './reasons.ts';
import { asCommandLine, asScript, asText, isLiteral, literal, parseExpanded, resolved } from './references.ts';
import type { Importer } from './source.ts';

const conditions: Readonly<Record<string, string>> = {
  process_started: 'started',
  process_healthy: 'healthy',
  process_log_ready: 'healthy',
  process_completed_successfully: 'completed',
  process_completed: 'completed',
};

/** What bash has and a shell of POSIX has not. */
const BASH = /\[\[|\(\(|[<>]\(|&>|<<<|\$'|\bsource\s|\bpipefail\b|\w+=\(/;

interface Around extends ComposeAround {
  /** What runs a command; null: bash. */
  readonly shell: readonly string[] | null;
}

/** A file of process-compose. */
export const importProcessCompose: Importer = (source, draft) => {
  const { path, text, directory, env: caller } = source;
  const read = readYaml(text, path);
  if (!read.ok) return read;
  const { root } = read;
  draft.comments.set(path, read.comments);
  const processes = root.entries?.get('processes')?.entries ?? new Map<string, Sourced>();
  if (processes.size === 0) return refuse(`${path}:${root.line}: expected processes, found none`);
  const top = openReader(root, '', draft.remarks);
  for (const key of ['version', 'is_strict', 'processes']) top.take(key);
  const dotEnv = dotEnvBeside(source, draft.remarks, false);
  const shell = top.take('shell')?.entries;
  const words = ['shell_command', 'shell_argument'].map((key) => String(shell?.get(key)?.value ?? '')).filter((word) => word !== '');
  const isLiteralFile = top.flag('disable_env_expansion') === true;
  const own = top.take('vars')?.entries ?? new Map<string, Sourced>();
  const parse = (vars: ReadonlyMap<string, string>): ComposeAround['parse'] => (written, remark) => {
    const filled = written.replaceAll(/\{\{-?\s*\.(\w+)\s*-?\}\}/g, (whole, name: string) => vars.get(name) ?? whole);
    if (/\{\{/.test(filled)) remark('of the templates of Go only {{.NAME}} is filled in, from vars');
    return isLiteralFile ? literal(filled) : parseExpanded(filled);
  };
  const around = (vars: ReadonlyMap<string, string>): Around => ({
    source, remarks: draft.remarks, names: new Set(processes.keys()), namesAreHosts: false, directoryOf: () => directory, parse: parse(vars),
    lookup: (name) => (Object.hasOwn(caller, name) ? caller[name] : dotEnv?.variables.get(name)),
    shell: words.length === 0 || (/^(?:\/bin\/)?(?:ba)?sh$/.test(words[0] ?? '') && words[1] === '-c') ? null : words,
  });
  const variables: DraftBlock = new Map();
  const ofAll = top.take('environment');
  for (const [name, node] of variablesIn(ofAll, 'environment', draft)) put(variables, name, asText(templateOf(node, 'environment', around(new Map()))), node);
  put(draft.root, 'env', envBlock(variables, dotEnv === null ? null : { path: dotEnv.path, from: null }), ofAll);
  // Without a growing pause, as there.
  put(draft.root, 'defaults', plainBlock({ backoff: '1s' }));
  top.rest(processComposeFile);
  const needed = completedServices([...processes.values()], conditions);
  const replicas = new Map<string, readonly string[]>();
  for (const [name, node] of processes) {
    const clean = name.replaceAll(/[/\p{Cc}]/gu, '-');
    const { count, made } = askedProcesses(openReader(node, name, draft.remarks), 'replicas', draft);
    const width = String(count).length;
    const names = Array.from({ length: made }, (_, index) => (count === 1 ? clean : `${clean}-${String(index).padStart(width, '0')}`));
    replicas.set(name, names);
    for (const [index, service] of names.entries()) {
      if (draft.services.some((other) => other.name === service)) {
        draft.remarks.lost(node, name, `there is a service ${service} before it`);
        continue;
      }
      const vars = new Map([...own, ...(node.entries?.get('vars')?.entries ?? [])].map(([key, { value }]) => [key, String(value)] as const)).set('PC_REPLICA_NUM', String(index));
      const block = processBlock(openReader(node, name, draft.remarks), around(vars), { name: clean, number: count > 1 ? index : null, isNeeded: needed.has(name) });
      draft.services.push({ name: service, origin: name, from: node, block });
    }
  }
  for (const { block } of draft.services) {
    const edges = block.get('depends_on');
    if (edges !== undefined) edges.value = (edges.value as readonly { readonly service: string }[]).flatMap((edge) => (replicas.get(edge.service) ?? []).map((service) => ({ ...edge, service })));
  }
  withoutBlindWaits(draft);
  return null;
};

/** `number`: of one of several. `isNeeded`: another one waits for its end. */
function processBlock(read: Reader, around: Around, { name, number, isNeeded }: { readonly name: string; readonly number: number | null; readonly isNeeded: boolean }): DraftBlock {
  const { directory: from, target } = around.source;
  const block: DraftBlock = new Map();
  for (const key of ['replicas', 'vars']) read.take(key);
  if (read.text('namespace') !== 'default') read.lose('namespace', 'there are no namespaces; commands take patterns of names');
  command(read, block, around);
  const directory = read.take('working_dir');
  if (directory !== null) {
    const written = templateOf(directory, read.at('working_dir'), around);
    const isOwn = isLiteral(written) || (typeof written[0] === 'string' && !written[0].startsWith('/'));
    put(block, 'working_dir', isOwn ? asText(literal(rebased(resolved(written, around.lookup), from, target))) : asText(written), directory);
  } else {
    const whole = rebased('.', from, target);
    if (whole !== '.') put(block, 'working_dir', asText(literal(whole)));
  }
  composeEnvironment(read, block, around);
  if (number !== null) numbered(block, number);
  availability(read, block, isNeeded);
  shutdown(read, block, around);
  health(read, block, around);
  composeDependencies(read, block, around, conditions);
  for (const [edge, inner] of read.take('depends_on')?.entries ?? [])
    if (inner.entries?.get('condition')?.value === 'process_completed')
      read.remarks.changed(inner, read.at(`depends_on.${edge}`), `'${edge}' has to end with 0 here, or with another of its success_exit_codes`);
  schedule(read, block, name);
  rotation(read, block);
  for (const key of ['disabled', 'is_foreground']) {
    const place = read.take(key);
    if (truth(String(place?.value)) === true) startedByName(read, block, key, name);
  }
  for (const key of ['is_tty', 'is_daemon', 'is_elevated', 'is_interactive', 'disable_ansi_colors', 'is_dotenv_disabled']) if (read.flag(key) === true) read.lose(key, processComposeProcess[key] ?? '');
  read.rest(processComposeProcess);
  return block;
}

/** What runs as one of several knows its number. */
function numbered(block: DraftBlock, number: number): void {
  const env = block.get('env')?.value;
  const inner = env instanceof Map ? ((env as DraftBlock).get('vars')?.value ?? ((env as DraftBlock).has('file') ? undefined : env)) : undefined;
  const variables: DraftBlock = inner instanceof Map ? (inner as DraftBlock) : new Map();
  put(variables, 'PC_REPLICA_NUM', String(number));
  if (env instanceof Map && inner === undefined) put(env as DraftBlock, 'vars', variables);
  else if (!(env instanceof Map)) put(block, 'env', variables);
}

function command(read: Reader, block: DraftBlock, around: Around): void {
  const [from, entrypoint] = [read.take('command'), read.take('entrypoint')];
  if (from !== null && from.value !== null) {
    if (entrypoint !== null) read.lose('entrypoint', 'command comes first');
    const script = templateOf(from, read.at('command'), around);
    const shell = around.shell ?? (BASH.test(resolved(script, around.lookup)) ? ['bash', '-c'] : null);
    return put(block, 'command', shell === null ? asScript(script) : asCommandLine([...shell.map(literal), script]), from);
  }
  if (from !== null) read.text('command');
  const templates = templatesOf(entrypoint === null ? [] : (entrypoint.items ?? [entrypoint]), read.at('entrypoint'), around);
  if (templates.length > 0) return put(block, 'command', asCommandLine(templates), entrypoint);
  put(block, 'command', 'exit 1');
  put(block, 'skip', true);
  read.remarks.changed(from ?? entrypoint ?? { file: around.source.path, line: 1 }, read.at('command'), 'there is none: the service is skipped until it has a command');
}
