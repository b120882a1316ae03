import { counted } from '../words.ts';
import { entryOf, octal, type Facts, type OutputFact } from './facts.ts';
import { agrees, disagrees, type Disagreement, type Finding } from './finding.ts';
import { liveUnits } from './records.ts';

/** FIFOs and log files of every unit, and the supervisor's own log. */
export function checkOutputs(facts: Facts): readonly Finding[] {
  const { outputs } = facts;
  if (outputs.length === 0) return [];
  const live = new Set(liveUnits(facts).map(({ name }) => name));
  const fifos = outputs.filter(({ unit }) => live.has(unit)).flatMap((output) => fifoProblem(facts, output));
  const logs = logProblems(facts, [...outputs.map(({ file }) => file), facts.paths.supervisorLog]);
  const written = outputs.filter(({ file }) => entryOf(facts, file).kind === 'file').length;
  return [
    ...(live.size === 0 ? [] : listed('FIFOs', fifos, `${counted(live.size * 2, 'FIFO')}, all read by the supervisor`)),
    ...listed('log files', logs, written === 0 ? `none in ${facts.paths.logDir} yet` : `${counted(written, 'file')} in ${facts.paths.logDir}`),
  ];
}

function listed(check: string, problems: readonly Disagreement[], fine: string): readonly Finding[] {
  return problems.length === 0 ? [agrees(check, fine)] : problems.map((problem) => disagrees(check, problem));
}

function fifoProblem(facts: Facts, { unit, stream, fifo, writesTo }: OutputFact): readonly Disagreement[] {
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
  // A process that came from elsewhere, or sent its output elsewhere, writes to another pipe: those have no name.
  if (open === null || writesTo === null || (open.has(writesTo) && writesTo === found.identity) || isElsewhere(writesTo, found.identity)) return [];
  return [{
    found: writesTo === found.identity ? `${fifo} that the supervisor does not read` : `${unit} writing to a FIFO that is no longer at ${fifo}`,
    expected: 'the same FIFO to be written by the service and read by the supervisor', remedy,
  }];
}

/** On another device: an anonymous pipe. */
function isElsewhere(one: string, other: string): boolean {
  return one.split(':')[0] !== other.split(':')[0];
}

/** What is in a directory that others may not enter is nobody else's to see: 0.33.0 leaves its files with mode 0644. */
function logProblems(facts: Facts, files: readonly string[]): readonly Disagreement[] {
  const found = files.map((file) => entryOf(facts, file)).filter(({ kind }) => kind !== 'missing' && kind !== 'link');
  const odd = found.filter(({ kind }) => kind !== 'file').map(({ path, kind }): Disagreement => ({
    found: `${path} is a ${kind}`, expected: 'a log file', remedy: 'Move it away: its output is dropped until then.',
  }));
  const isOpen = (entryOf(facts, facts.paths.logDir).mode & 0o001) !== 0;
  const [first, ...others] = isOpen ? found.filter(({ kind, mode }) => kind === 'file' && (mode & 0o007) !== 0) : [];
  if (first === undefined) return odd;
  return [...odd, {
    found: `${first.path}${others.length === 0 ? '' : ` and ${others.length} more`} with mode ${octal(first.mode)} in a directory that everybody may enter`,
    expected: 'mode 0640', remedy: `chmod 700 ${facts.paths.logDir}; chmod 640 ${facts.paths.logDir}/*.log`,
  }];
}
