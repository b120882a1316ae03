import { entryOf, octal, type Facts, type OutputFact } from './facts.ts';
import { agrees, counted, disagrees, type Disagreement, type Finding } from './finding.ts';
import { liveUnits } from './records.ts';

/** FIFOs and log files of every unit, and the supervisor's own log. */
export function checkOutputs(facts: Facts): readonly Finding[] {
  const { outputs } = facts;
  if (outputs.length === 0) return [];
  const live = new Set(liveUnits(facts).map(({ name }) => name));
  const fifos = outputs.filter(({ unit }) => live.has(unit)).flatMap((output) => fifoProblem(facts, output));
  const logs = [...outputs.map(({ file }) => file), facts.paths.supervisorLog].flatMap((file) => logProblem(facts, file));
  const written = outputs.filter(({ file }) => entryOf(facts, file).kind === 'file').length;
  return [
    ...(live.size === 0 ? [] : listed('FIFOs', fifos, `${counted(live.size * 2, 'FIFO')}, all read by the supervisor`)),
    ...listed('log files', logs, written === 0 ? `none in ${facts.paths.logDir} yet` : `${counted(written, 'file')} in ${facts.paths.logDir}`),
  ];
}

function listed(check: string, problems: readonly Disagreement[], fine: string): readonly Finding[] {
  return problems.length === 0 ? [agrees(check, fine)] : problems.map((problem) => disagrees(check, problem));
}

function fifoProblem(facts: Facts, { unit, stream, fifo }: OutputFact): readonly Disagreement[] {
  const found = entryOf(facts, fifo);
  const spec = facts.config.kind === 'loaded' ? facts.config.specs.find(({ name }) => name === unit) : undefined;
  // FIFOs of a unit with a user are that user's; those of a unit that writes its files itself are not read.
  const mayBeOthers = spec === undefined || spec.privileges.user !== null || facts.uid === 0;
  const remedy = `${stream} of ${unit} may be lost: restart it with sysg restart -s ${unit}, which makes it anew.`;
  if (spec?.logs.via === 'file') return [];
  if (found.kind !== 'fifo') return [{ found: found.kind === 'missing' ? `no ${fifo}` : `${fifo} is a ${found.kind}`, expected: 'the FIFO that its output goes through', remedy }];
  if ((found.mode & 0o777) !== 0o600 || (!mayBeOthers && found.uid !== facts.uid)) {
    return [{ found: `${fifo} of uid ${found.uid} with mode ${octal(found.mode)}`, expected: 'mode 0600, and the user that the service runs as', remedy: `chmod 600 ${fifo}` }];
  }
  const open = facts.owner?.open ?? null;
  return open === null || open.has(found.identity) ? [] : [{ found: `${fifo} that the supervisor does not read`, expected: 'it to be open in the supervisor', remedy }];
}

function logProblem(facts: Facts, file: string): readonly Disagreement[] {
  const found = entryOf(facts, file);
  if (found.kind === 'missing' || found.kind === 'link') return [];
  if (found.kind !== 'file') return [{ found: `${file} is a ${found.kind}`, expected: 'a log file', remedy: 'Move it away: its output is dropped until then.' }];
  if ((found.mode & 0o007) === 0) return [];
  return [{ found: `${file} with mode ${octal(found.mode)}: everybody may look into it`, expected: 'mode 0640', remedy: `chmod 640 ${file}` }];
}
