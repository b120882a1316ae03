import type { ServiceSpec } from '../../../machines/types.ts';
import { shownConfigPath } from '../../config-path.ts';
import { classify } from '../../config/launch.ts';
import type { ConfigResult } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { loadTrusted } from '../../config/trust.ts';
import { refusals } from '../../errors.ts';
import { masked } from '../../masked.ts';
import { findGroup, findUser } from '../../process/accounts.ts';
import { checkWorkingDir, resolveProgram } from '../../process/program.ts';
import { counted } from '../../words.ts';
import type { Call } from '../call.ts';
import { chooseConfigToRead } from '../config-choice.ts';
import { loadConfigFor } from '../load-config.ts';
import { options } from '../options.ts';
import { explainProblem } from '../print/problem.ts';

/** Checks a configuration: exit code 0, or 1 with everything that is wrong with it. */
export async function validate(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const chosen = chooseConfigToRead(call);
  const asJson = flags.has(options.json);
  if (!chosen.ok) {
    if (asJson) terminal.print(json({ errors: [{ file: '', line: 0, column: 0, path: '', message: chosen.refusal.message, excerpt: '' }], warnings: [], notes: [] }));
    return terminal.refuse(chosen.refusal);
  }
  const load = (): ConfigResult => loadConfigFor(call, chosen.path);
  const loaded = call.system ? loadTrusted(chosen.path, load) : load();
  const { warnings: written, notes } = loaded.ok ? loaded.config : { warnings: [], notes: [] };
  const missing = !loaded.ok ? [] : loaded.config.services.flatMap((spec) => (
    missingFor(spec, call.env).flatMap(([keys, message]) => loaded.sayOf(spec.name, keys, message) ?? [])));
  const warnings = [...written, ...masked(missing, call.secrets.mask)];
  const errors = loaded.ok ? [] : loaded.problems;
  if (asJson) {
    terminal.print(json({ errors, warnings, notes }));
    return loaded.ok ? 0 : 1;
  }
  for (const problem of errors) terminal.complain(explainProblem(problem));
  for (const problem of warnings) terminal.warn(explainProblem(problem));
  for (const problem of notes) terminal.print(`note: ${explainProblem(problem)}`);
  if (!loaded.ok) return terminal.refuse(refusals.config(`${counted(errors.length, 'error')} in ${shownConfigPath(chosen.path)}`));
  const services = loaded.config.services.length;
  const remarks = [[warnings.length, 'warning'], [notes.length, 'note']] as const;
  const said = remarks.filter(([count]) => count > 0).map(([count, word]) => `, ${counted(count, word)}`).join('');
  terminal.print(`${shownConfigPath(chosen.path)}: valid, ${counted(services, 'service')}${said}`);
  return 0;
}

interface Findings {
  readonly errors: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
  readonly notes: readonly ConfigProblem[];
}

function json({ errors, warnings, notes }: Findings): string {
  const plain = ({ file, line, column, path, message }: ConfigProblem): object => ({ file, line, column, path, message });
  return JSON.stringify({ ok: errors.length === 0, errors: errors.map(plain), warnings: warnings.map(plain), notes: notes.map(plain) }, null, 2);
}

/** `keys`: any of these says what is missing. */
type Missing = readonly [keys: readonly string[], message: string];
/** A program, and the keys of which any names it. */
type Needed = readonly [keys: readonly string[], name: string];

/** What a service needs and this machine does not have at present; another service may still bring it about before this one starts. */
function missingFor(spec: ServiceSpec, env: NodeJS.ProcessEnv): readonly Missing[] {
  const { workingDir, launch, privileges, env: own } = spec;
  const found: Missing[] = [];
  const { user, group, supplementaryGroups } = privileges;
  if (user !== null && findUser(user) === null) found.push([['user'], `there is no user '${user}' here`]);
  if (group !== null && findGroup(group) === null) found.push([['group'], `there is no group '${group}' here`]);
  for (const name of supplementaryGroups ?? []) {
    if (findGroup(name) === null) found.push([['supplementary_groups'], `there is no group '${name}' here`]);
  }
  const chosen = user !== null ? 'user' : group !== null ? 'group' : supplementaryGroups !== null ? 'supplementary_groups' : null;
  if (chosen !== null && found.length === 0 && process.getuid?.() !== 0) found.push([[chosen], 'only a supervisor of root starts a service with other rights than its own, as sysg --sys start does']);
  const obstacle = checkWorkingDir(workingDir);
  if (obstacle !== null) return [...found, [['working_dir'], obstacle]];
  const searchPath = Object.hasOwn(own, 'PATH') ? own['PATH'] : env['PATH'];
  const programs: readonly Needed[] = [...(launch.kind === 'exec' ? [[['exec', 'command'], launch.argv[0] ?? ''] as const] : []), ...programsBeside(spec)];
  return [...found, ...programs.flatMap(([keys, name]): readonly Missing[] => {
    const program = resolveProgram(name, searchPath, workingDir);
    return program.ok ? [] : [[keys, program.reason]];
  })];
}

/** The programs of its other commands that PATH has to have. A shell runs them, in directories of their own: of more than a plain command nothing is known here. */
function programsBeside({ stopCommand, skip, preStart, check, hooks }: ServiceSpec): readonly Needed[] {
  const commands: readonly (readonly [key: string, command: unknown])[] = [
    ['stop_command', stopCommand], ['skip', skip], ['deployment', preStart], ['health_check', check?.probe.kind === 'command' ? check.probe.command : null],
    ...hooks.map(({ command }) => ['hooks', command] as const),
  ];
  return commands.flatMap(([key, command]): readonly Needed[] => {
    const plain = typeof command === 'string' ? classify(command) : null;
    const name = plain?.kind === 'exec' ? (plain.argv[0] ?? '') : '';
    return name === '' || name.includes('/') ? [] : [[[key], name]];
  });
}
