import { bytes } from '../words.ts';
import { entryOf, isSupervised, octal, type Facts, type VolumeFact } from './facts.ts';
import { agrees, disagrees, type Finding } from './finding.ts';

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

/** Where there is no room nothing can be written down. */
export function checkSpace({ volumes }: Pick<Facts, 'volumes'>): readonly Finding[] {
  return volumes.map((volume, index) => {
    const check = index === 0 ? 'disk space' : 'disk space for logs';
    const files = volume.files === 0 ? '' : ` and room for ${volume.freeFiles} files`;
    const problem = shortage(volume);
    return problem === null ? agrees(check, `${bytes(volume.freeBytes, 'iec')} free${files} at ${volume.path}`) : disagrees(check, problem);
  });
}

/** A service writes its log at this rate in seconds; and ledger and journal need a few MiB for themselves. */
const LEAST_BYTES = 64 * 1024 * 1024;
const LEAST_FILES = 1000;

function shortage({ path, freeBytes, freeFiles, files, writable }: VolumeFact): { found: string; expected: string; remedy: string } | null {
  if (!writable) return { found: `${path} cannot be written`, expected: 'a directory that this user may write', remedy: 'See whether the disk is mounted read-only, and whose the directory is.' };
  if (freeBytes < LEAST_BYTES) return { found: `${bytes(freeBytes, 'iec')} free at ${path}`, expected: `at least ${bytes(LEAST_BYTES, 'iec')}`, remedy: 'Free space: output and records that the disk does not take are dropped.' };
  if (files > 0 && freeFiles < LEAST_FILES) return { found: `room for ${freeFiles} more files at ${path}`, expected: `at least ${LEAST_FILES}`, remedy: 'Remove files, however small: the file system is out of inodes.' };
  return null;
}

function directory(facts: Facts, check: string, path: string, mustExist: boolean): Finding | null {
  const found = entryOf(facts, path);
  const tidy = { expected: 'a directory of this user with mode 0700' };
  if (found.kind === 'missing') {
    return mustExist ? disagrees(check, { ...tidy, found: `no ${path}`, remedy: 'Restart the supervisor, which makes it: sysg restart --daemonize, or sysg start.' }) : null;
  }
  // A log directory may be a link to a bigger disk.
  if (found.kind !== 'directory' && found.kind !== 'link') return disagrees(check, { ...tidy, found: `${path} is a ${found.kind}`, remedy: 'Move it away: no supervisor starts over it.' });
  if (found.uid !== facts.uid) return disagrees(check, { ...tidy, found: `${path} belongs to uid ${found.uid}, and this is uid ${facts.uid}`, remedy: `Run as uid ${found.uid}, or give it back: chown -R ${facts.uid} ${path}` });
  if (found.kind === 'directory' && (found.mode & 0o077) !== 0) {
    return disagrees(check, { ...tidy, found: `${path} with mode ${octal(found.mode)}: others may look into it`, remedy: `chmod 700 ${path} (the next supervisor does so by itself).` });
  }
  return agrees(check, `${path}, mode ${octal(found.mode)}`);
}

function file(facts: Facts, check: string, path: string): Finding | null {
  const found = entryOf(facts, path);
  if (found.kind === 'missing') return null;
  const expected = 'a file of this user with mode 0600';
  if (found.kind !== 'file') return disagrees(check, { expected, found: `${path} is a ${found.kind}`, remedy: 'Move it away while no supervisor runs.' });
  if (found.uid === facts.uid && (found.mode & 0o077) === 0) return null;
  return disagrees(check, { expected, found: `${path} of uid ${found.uid} with mode ${octal(found.mode)}`, remedy: `chown ${facts.uid} ${path}; chmod 600 ${path}` });
}
