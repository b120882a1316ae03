import { shownConfigPath } from '../../config-path.ts';
import type { ConfigResult } from '../../config/load.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { loadTrusted } from '../../config/trust.ts';
import { refusals } from '../../errors.ts';
import { masked } from '../../masked.ts';
import { counted } from '../../words.ts';
import type { Call } from '../call.ts';
import { chooseConfigToRead } from '../config-choice.ts';
import { loadConfigFor } from '../load-config.ts';
import { missingHere } from '../missing-here.ts';
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
  const warnings = loaded.ok ? [...written, ...masked(missingHere(loaded, call.env), call.secrets.mask)] : written;
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
