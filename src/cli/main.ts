import { run } from './run.ts';
import { processTerminal } from './terminal.ts';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`sysg: needs Node.js 20.19 or newer, found ${process.versions.node} (${process.execPath})\n`);
  process.exit(1);
}

// `sysg logs | head`: the reader has what it wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`sysg: stdout cannot be written: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

const { env } = process;
void run(process.argv.slice(2), {
  env, cwd: process.cwd(), uid: process.geteuid?.() ?? null, terminal: processTerminal(env), systemStateDir: '/var/lib/systemg',
}).then(leave, (error: unknown) => {
  process.stderr.write(`sysg: internal error: ${error instanceof Error ? error.stack : String(error)}\n`);
  leave(1);
});

/** As soon as all is written: what the supervisor still has to close takes longer than that. */
function leave(exitCode: number): void {
  process.exitCode = exitCode;
  process.stdout.write('', (error) => {
    if (error === null || error === undefined) process.stderr.write('', () => process.exit());
  });
}
