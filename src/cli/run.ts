import { parsePlain, type ParsedCall } from './arguments.ts';
import { openCall, type Surroundings } from './call.ts';
import { speaker } from './terminal.ts';
import { version } from './version.ts';

/** Runs one command line and answers with its exit code. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    terminal.print(`sysg ${version}`);
    return 0;
  }
  const plain = parsePlain(argv);
  if (plain !== null) return call(plain, surroundings);
  const { explain } = await import('./explain.ts');
  const explained = await explain(argv, Math.min(terminal.columns ?? 100, 110));
  switch (explained.kind) {
    case 'call': return call(explained.parsed, surroundings);
    case 'refused': return speaker(terminal, 'info').refuse(explained.refusal);
    case 'text':
      if (explained.asked) terminal.print(explained.text);
      else terminal.complain(explained.text);
      return explained.asked ? 0 : 2;
  }
}

async function call(parsed: ParsedCall, surroundings: Surroundings): Promise<number> {
  const opened = openCall(parsed, surroundings);
  if (!opened.ok) return speaker(surroundings.terminal, 'info').refuse(opened.refusal);
  const command = await parsed.verb.load();
  return command(opened.call);
}
