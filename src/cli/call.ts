import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { refusals, type Result } from '../errors.ts';
import { projectOf } from '../config/project.ts';
import type { LogLevel } from '../log-level.ts';
import { runtimePaths, wrongProject, type RuntimePaths } from '../runtime-paths.ts';
import { noSecrets, openSecrets, type Secrets } from '../secrets.ts';
import { parseStreamDuration } from '../words.ts';
import type { ParsedCall } from './arguments.ts';
import { globals, options, parseLogLevel } from './options.ts';
import type { Look } from './print/palette.ts';
import { speaker, type Speaker, type Terminal } from './terminal.ts';

/** The process that the command line runs in. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The effective user; null on a platform without users. */
  readonly uid: number | null;
  readonly terminal: Terminal;
  /** Where system mode keeps its state, which shows what mode is meant. */
  readonly systemStateDir: string;
}

/** Everything that a command is given. */
export interface Call extends Pick<ParsedCall, 'flags' | 'operands' | 'command'>, Pick<Surroundings, 'env' | 'cwd'> {
  readonly system: boolean;
  readonly dropPrivileges: boolean;
  /** As given; null lets the supervisor decide. */
  readonly logLevel: LogLevel | null;
  readonly paths: RuntimePaths;
  /** The machine of the supervisor, as ssh knows it; null: this one. */
  readonly host: string | null;
  readonly terminal: Speaker;
  /** What the configuration that this command reads makes known, to be shown masked only. */
  readonly secrets: Secrets;
}

/** Decides whose supervisor is meant, with systemg 0.33.0's warnings and refusals about root. */
export function openCall(parsed: ParsedCall, surroundings: Surroundings): Result<{ readonly call: Call }> {
  const { flags, verb, operands, command } = parsed;
  const text = flags.text(globals.logLevel);
  const level = text === null ? null : parseLogLevel(text);
  const logLevel = level?.ok ? level.level : null;
  const terminal = speaker(surroundings.terminal, logLevel ?? 'info');
  const isRoot = surroundings.uid === 0;
  const system = flags.has(globals.sys);
  if (system && !isRoot) return { ok: false, refusal: refusals.needsRoot() };
  // A completion script, loaded at the start of a shell, touches no state.
  if (isRoot && !system && verb.name !== 'completions') {
    if (verb.name === 'start') terminal.warn('Running as root without --sys; state will be stored in userspace paths');
    const { systemStateDir } = surroundings;
    if (['sysg.pid', 'control.sock'].some((name) => existsSync(join(systemStateDir, name)))) {
      return { ok: false, refusal: refusals.otherMode(systemStateDir) };
    }
  }
  const dropPrivileges = flags.has(globals.dropPrivileges);
  if (dropPrivileges && verb.name !== 'start' && verb.name !== 'restart') {
    terminal.warn('--drop-privileges only applies when spawning child services during start/restart; this command will ignore it');
  } else if (dropPrivileges && !isRoot) {
    terminal.warn('--drop-privileges has no effect when not running as root');
  }
  const chosen = flags.text(globals.project) ?? (surroundings.env['SYSG_PROJECT'] || null);
  const wrong = chosen === null || chosen === '' ? null : wrongProject(chosen);
  if (wrong !== null) return { ok: false, refusal: refusals.usage(`SYSG_PROJECT: ${wrong}`) };
  const paths = pathsFor(parsed, surroundings, { system, chosen });
  const secrets = flags.has(options.showSecrets) ? noSecrets : openSecrets();
  const { env, cwd } = surroundings;
  return { ok: true, call: { flags, operands, command, system, dropPrivileges, logLevel, paths, host: null, env, cwd, terminal, secrets } };
}

/** Of the project that was chosen (`''`: none), else of the one that the configuration names. */
function pathsFor({ flags }: ParsedCall, { env, cwd }: Surroundings, { system, chosen }: { readonly system: boolean; readonly chosen: string | null }): RuntimePaths {
  const nameless = runtimePaths({ system, env });
  const named = flags.texts(globals.config);
  const files = named.length === 0 ? [null] : named.toReversed();
  const project = chosen ?? files.map((explicit) => projectOf({ cwd, configDir: nameless.configDir, explicit })).find((name) => name !== null) ?? null;
  // The command that reads the file complains about a name that cannot be one.
  return project === null || project === '' || wrongProject(project) !== null ? nameless : runtimePaths({ system, env, project });
}

/** How often `--stream` shows the output of its command again; null: once. */
export function streamOf({ flags }: Call): Result<{ readonly everyMs: number | null }> {
  const text = flags.text(options.stream);
  const parsed = text === null ? null : parseStreamDuration(text);
  return parsed?.ok === false ? { ok: false, refusal: refusals.runtime(parsed.problem) } : { ok: true, everyMs: parsed?.ms ?? null };
}

/** How a report is printed for this call: to a pipe or a file as wide as it takes, without marks and colours. */
export function lookOf({ flags, terminal }: Call): Look {
  return { width: terminal.columns, color: terminal.color && !flags.has(options.noColor), glyphs: terminal.columns !== null };
}
