import { counted } from '../words.ts';
import { agrees, disagrees, entryOf, liveUnits, octal, type Facts, type Finding, type OutputFact } from './facts.ts';

/** FIFOs and log files of every unit, and the supervisor's own log. */
export function checkOutputs(facts: Facts): readonly Finding[] {
  const { outputs } = facts;
  if (outputs.length === 0) return [];
  const live = new Set(liveUnits(facts).map(({ name }) => name));
  const fifos = outputs.filter(({ unit }) => live.has(unit)).flatMap((output) => fifoProblem(facts, output));
  const logs = logProblems(facts, [...outputs.map(({ file }) => file), facts.paths.supervisorLog]);
  const written = outputs.filter(({ file }) => entryOf(facts, file).kind === 'file').length;
  return [
    ...(live.size === 0 || fifos.length > 0 ? fifos : [agrees('FIFOs', `${counted(live.size * 2, 'FIFO')}, all read by the supervisor`)]),
    ...(logs.length > 0 ? logs : [agrees('log files', written === 0 ? `none in ${facts.paths.logDir} yet` : `${counted(written, 'file')} in ${facts.paths.logDir}`)]),
  ];
}

function fifoProblem(facts: Facts, { unit, stream, fifo, writesTo }: OutputFact): readonly Finding[] {
  const { kind, mode, uid, identity } = entryOf(facts, fifo);
  const spec = facts.config.kind === 'loaded' ? facts.config.specs.find(({ name }) => name === unit) : undefined;
  // FIFOs of a unit with a user are that user's; those of a unit that writes its files itself are not read.
  const mayBeOthers = spec === undefined || spec.privileges.user !== null || facts.uid === 0;
  const remedy = `${stream} of ${unit} may be lost: restart it with ${facts.command}restart -s ${unit}, which makes it anew.`;
  const say = (found: string, expected: string, order = remedy): readonly Finding[] => [disagrees('FIFOs', found, expected, order)];
  if (spec?.logs.via === 'file') return [];
  if (kind !== 'fifo') return say(kind === 'missing' ? `no ${fifo}` : `${fifo} is a ${kind}`, 'the FIFO that its output goes through');
  if ((mode & 0o777) !== 0o600 || (!mayBeOthers && uid !== facts.uid)) {
    return say(`${fifo} of uid ${uid} with mode ${octal(mode)}`, 'mode 0600, and the user that the service runs as', `chmod 600 ${fifo}`);
  }
  const open = facts.owner?.open ?? null;
  // A process that came from elsewhere, or sent its output elsewhere, writes to another pipe: those have no name.
  if (open === null || writesTo === null || (open.has(writesTo) && writesTo === identity) || isElsewhere(writesTo, identity)) return [];
  return say(
    writesTo === identity ? `${fifo} that the supervisor does not read` : `${unit} writing to a FIFO that is no longer at ${fifo}`,
    'the same FIFO to be written by the service and read by the supervisor',
  );
}

/** On another device: an anonymous pipe. */
function isElsewhere(one: string, other: string): boolean {
  return one.split(':')[0] !== other.split(':')[0];
}

/** What is in a directory that others may not enter is nobody else's to see: 0.33.0 leaves its files with mode 0644. */
function logProblems(facts: Facts, files: readonly string[]): readonly Finding[] {
  const { logDir } = facts.paths;
  const found = files.map((file) => entryOf(facts, file)).filter(({ kind }) => kind !== 'missing' && kind !== 'link');
  const odd = found.filter(({ kind }) => kind !== 'file').map(({ path, kind }) => (
    disagrees('log files', `${path} is a ${kind}`, 'a log file', 'Move it away: its output is dropped until then.')));
  const isOpen = (entryOf(facts, logDir).mode & 0o001) !== 0;
  const [first, ...others] = isOpen ? found.filter(({ kind, mode }) => kind === 'file' && (mode & 0o007) !== 0) : [];
  if (first === undefined) return odd;
  const named = `${first.path}${others.length === 0 ? '' : ` and ${others.length} more`}`;
  return [...odd, disagrees(
    'log files', `${named} with mode ${octal(first.mode)} in a directory that everybody may enter`, 'mode 0640', `chmod 700 ${logDir}; chmod 640 ${logDir}/*.log`,
  )];
}
