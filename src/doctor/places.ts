import { bytes } from '../words.ts';
import { agrees, disagrees, entryOf, isSupervised, octal, startCommand, type Facts, type Finding, type ObstacleFact, type VolumeFact } from './facts.ts';

/** Directories and runtime files: what they are, whose, and who may look into them. */
export function checkPlaces(facts: Facts): readonly Finding[] {
  const { paths, ledger, journal } = facts;
  if (entryOf(facts, paths.stateDir).kind === 'missing') return [agrees('state directory', `${paths.stateDir} does not exist: no supervisor ever ran here`)];
  const supervised = isSupervised(facts);
  return [
    directory(facts, 'state directory', paths.stateDir, true),
    directory(facts, 'log directory', paths.logDir, supervised),
    directory(facts, 'FIFO directory', paths.fifoDir, facts.lock.state === 'held'),
    ...(ledger.fresh && journal.count === 0 ? [] : [file(facts, 'ledger file', paths.ledger)]),
  ].flatMap((finding) => finding ?? []);
}

/** What is in the way of the state directory. */
export function obstructed({ path, kind }: ObstacleFact, { paths: { stateDir }, uid }: Facts): Finding {
  const say = (found: string, remedy: string): Finding => disagrees('state directory', path === stateDir ? found : `${found}, on the way to ${stateDir}`, 'a directory that this user may enter', remedy);
  if (kind === 'locked') return say(`${path}, which uid ${uid} may not enter`, `Run as its owner, or let this user in: chmod u+x ${path}`);
  if (kind === 'link') return say(`${path} is a link to what is no directory`, 'Make the directory that it names, or remove the link.');
  return say(`${path} is a ${kind}`, path === stateDir ? OVER : 'Set HOME to a directory, or move that away: no supervisor starts below it.');
}

const OVER = 'Move it away: no supervisor starts over it.';

/** Where there is no room nothing can be written down. */
export function checkSpace({ volumes }: Pick<Facts, 'volumes'>): readonly Finding[] {
  return volumes.map((volume, index) => {
    const check = index === 0 ? 'disk space' : 'disk space for logs';
    const files = volume.files === 0 ? '' : ` and room for ${volume.freeFiles} files`;
    return shortage(check, volume) ?? agrees(check, `${bytes(volume.freeBytes, 'iec')} free${files} at ${volume.path}`);
  });
}

/** A service writes its log at this rate in seconds; and ledger and journal need a few MiB for themselves. */
const LEAST_BYTES = 64 * 1024 * 1024;
const LEAST_FILES = 1000;

function shortage(check: string, { path, freeBytes, freeFiles, files, writable }: VolumeFact): Finding | null {
  if (!writable) {
    return disagrees(check, `${path} cannot be written`, 'a directory that this user may write',
      'See whether the disk is mounted read-only, and whose the directory is.');
  }
  const lacksFiles = files !== 0 && freeFiles < LEAST_FILES;
  if (freeBytes < LEAST_BYTES) {
    const [moreFiles, leastFiles] = lacksFiles ? [` and room for ${freeFiles} more files`, ` and ${LEAST_FILES} files`] : ['', ''];
    return disagrees(check, `${bytes(freeBytes, 'iec')} free${moreFiles} at ${path}`, `at least ${bytes(LEAST_BYTES, 'iec')}${leastFiles}`,
      'Free space: output and records that the disk does not take are dropped.');
  }
  if (!lacksFiles) return null;
  return disagrees(check, `room for ${freeFiles} more files at ${path}`, `at least ${LEAST_FILES}`,
    'Remove files, however small: the file system is out of inodes.');
}

function directory(facts: Facts, check: string, path: string, mustExist: boolean): Finding | null {
  const { kind, mode, uid } = entryOf(facts, path);
  const say = (found: string, remedy: string): Finding => disagrees(check, found, 'a directory of this user with mode 0700', remedy);
  if (kind === 'missing') return mustExist ? say(`no ${path}`, `Restart the supervisor, which makes it: ${facts.command}restart --supervisor; where none runs: ${startCommand(facts)}`) : null;
  // A log directory may be a link to a bigger disk.
  if (kind !== 'directory' && kind !== 'link') return say(`${path} is a ${kind}`, OVER);
  if (uid !== facts.uid) return say(`${path} belongs to uid ${uid}, and this is uid ${facts.uid}`, `Run as uid ${uid}, or give it back: chown -R ${facts.uid} ${path}`);
  if (kind === 'directory' && (mode & 0o077) !== 0) {
    return say(`${path} with mode ${octal(mode)}: others may look into it`, `chmod 700 ${path} (the next supervisor does so by itself).`);
  }
  return agrees(check, `${path}, mode ${octal(mode)}`);
}

function file(facts: Facts, check: string, path: string): Finding | null {
  const { kind, mode, uid } = entryOf(facts, path);
  const say = (found: string, remedy: string): Finding => disagrees(check, found, 'a file of this user with mode 0600', remedy);
  if (kind === 'missing' || (kind === 'file' && uid === facts.uid && (mode & 0o077) === 0)) return null;
  if (kind !== 'file') return say(`${path} is a ${kind}`, 'Move it away while no supervisor runs.');
  return say(`${path} of uid ${uid} with mode ${octal(mode)}`, `chown ${facts.uid} ${path}; chmod 600 ${path}`);
}
