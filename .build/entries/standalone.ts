import { writeSync } from 'node:fs';
import { version } from '../../package.json';
import { takeSignals } from '../../src/inherited-signals.ts';
import { supervisorWord } from '../../src/supervisor-word.ts';
import { isOurs, noteEnvironment } from '../../src/surroundings.ts';

/** What is the caller's, who may be an init system. */
const kept: ReadonlySet<string> = new Set(['SYSG_NOFILE', 'SYSG_KEEPER']);

/** The whole program in one file: the command line, and the supervisor that it starts. */
function begin(words: readonly string[]): void {
  takeSignals();
  if (words[0] === supervisorWord) {
    process.argv.splice(2, 1);
    void import('../../src/daemon.ts');
    return;
  }
  // What the launcher's shell unsets before Node starts.
  for (const name of Object.keys(process.env)) if (isOurs(name) && !kept.has(name)) delete process.env[name];
  // Bun takes NODE_CHANNEL_FD for itself.
  if (words.some((word) => word === 'start' || word === 'restart' || word === 'up')) noteEnvironment(process.env);
  void import('../../src/cli/main.ts');
}

/** Without the command line, whose loading takes longer than this. */
function saidVersion(words: readonly string[]): boolean {
  if (words.length !== 1 || (words[0] !== '--version' && words[0] !== '-V')) return false;
  try {
    writeSync(1, `sysg ${version}\n`);
    return true;
  } catch {
    // A pipe that is full or left: the command line knows what that means.
    return false;
  }
}

const words = process.argv.slice(2);
if (!saidVersion(words)) begin(words);
