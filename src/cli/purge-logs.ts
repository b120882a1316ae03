import { existsSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findLogFile, logStreams } from '../logs/names.ts';

/** The two log files of a unit, whether they exist or not. */
export function logFilesOf(logDir: string, unit: string): readonly string[] {
  return logStreams.map((stream) => findLogFile(logDir, unit, stream));
}

/** Empties the log files of a unit and makes those that are missing; archives go. Throws what the file system says. */
export function purgeUnitLogs(logDir: string, unit: string): void {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  const archives = readdirSync(logDir);
  for (const file of logFilesOf(logDir, unit)) {
    if (existsSync(file)) truncateSync(file);
    else writeFileSync(file, '', { mode: 0o640 });
    for (const name of archives) if (isArchiveOf(join(logDir, name), file)) rmSync(join(logDir, name), { force: true });
  }
}

/** As above for all units and the supervisor; what is in directories below stays, as in systemg 0.33.0. */
export function purgeAllLogs(logDir: string): void {
  mkdirSync(logDir, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(logDir)) {
    if (/^supervisor\.log$|_(stdout|stderr)\.log$/.test(name)) truncateSync(join(logDir, name));
    else if (/^supervisor\.log\.[0-9]+(\.gz)?$|_(stdout|stderr)\.log\.[0-9]+(\.gz)?$/.test(name)) rmSync(join(logDir, name), { force: true });
  }
}

function isArchiveOf(path: string, file: string): boolean {
  return path.startsWith(`${file}.`) && /^[0-9]+(\.gz)?$/.test(path.slice(file.length + 1));
}
