import { run } from './run.ts';
import { callersDirectory, callersEnvironment } from '../surroundings.ts';
import { processTerminal } from './terminal.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`sysg: needs Node.js 20.19 or newer, found ${process.versions.node} (${process.execPath})\n`);
  process.exit(1);
}

const env = callersEnvironment(process.env);
const terminal = processTerminal(env);
void run(process.argv.slice(2), {
  env, cwd: callersDirectory(env), uid: process.geteuid?.() ?? null, terminal, systemStateDir: '/var/lib/systemg',
}).then(leave, (error: unknown) => {
  terminal.complain(`sysg: internal error: ${error instanceof Error ? error.stack : String(error)}`);
  return leave(1);
});

/** As soon as all is written: what the supervisor still has to close takes longer than that. */
async function leave(exitCode: number): Promise<void> {
  process.exitCode = exitCode;
  await terminal.settle?.();
  process.exit();
}
