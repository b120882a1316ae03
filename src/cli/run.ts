import { parsePlain, type ParsedCall } from './arguments.ts';
import { openCall, type Call, type Surroundings } from './call.ts';
import type { Result } from '../errors.ts';
import type { Explained } from './explain.ts';
import { globals } from './options.ts';
import { speaker } from './terminal.ts';
import type { VerbName } from './verbs.ts';
import { version } from '../../package.json';

/** A command answers with the exit code. */
type Command = (call: Call) => Promise<number>;

/** Runs one command line and answers with its exit code. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    terminal.print(`sysg ${version}`);
    return 0;
  }
  const plain = parsePlain(argv);
  if (plain !== null && !plain.isBare) return call(plain, surroundings);
  const { explain } = await import('./explain.ts');
  const columns = Math.min(terminal.columns ?? 100, 110);
  const first: Explained = plain === null ? await explain(argv, columns) : { kind: 'call', parsed: plain };
  const isBare = first.kind === 'call' && first.parsed.isBare;
  const explained = isBare ? await (await import('./bare-words.ts')).meaningOf(first.parsed, { argv, columns, surroundings }) : first;
  switch (explained.kind) {
    case 'call': return call(explained.parsed, surroundings);
    case 'refused':
      if (explained.asJson === true) terminal.print(JSON.stringify({ ok: false, message: explained.refusal.message, units: [] }, null, 2));
      return speaker(terminal, 'info').refuse(explained.refusal);
    case 'text':
      if (explained.asked) terminal.print(explained.text);
      else speaker(terminal, 'info').complain(explained.text);
      return explained.asked ? 0 : 2;
  }
}

async function call(parsed: ParsedCall, surroundings: Surroundings): Promise<number> {
  const host = parsed.flags.text(globals.host);
  const opened: Result<{ readonly call: Call; close?(): void }> = host === null ? openCall(parsed, surroundings)
    : await (await import('./remote.ts')).callOn(host, parsed, surroundings, true);
  if (!opened.ok) return speaker(surroundings.terminal, 'info').refuse(opened.refusal);
  try {
    const command = await commands[parsed.verb.name]();
    return await command(opened.call);
  } finally {
    opened.close?.();
  }
}

/** Only the command that is called is loaded. */
const commands: Readonly<Record<VerbName, () => Promise<Command>>> = {
  start: async () => (await import('./commands/start.ts')).start,
  stop: async () => (await import('./commands/stop.ts')).stop,
  restart: async () => (await import('./commands/restart.ts')).restart,
  status: async () => (await import('./commands/status.ts')).status,
  ps: async () => (await import('./commands/ps.ts')).ps,
  inspect: async () => (await import('./commands/inspect.ts')).inspect,
  logs: async () => (await import('./commands/logs.ts')).logs,
  validate: async () => (await import('./commands/validate.ts')).validate,
  plan: async () => (await import('./commands/reload.ts')).plan,
  reload: async () => (await import('./commands/reload.ts')).reload,
  why: async () => (await import('./commands/why.ts')).why,
  events: async () => (await import('./commands/events.ts')).events,
  wait: async () => (await import('./commands/wait.ts')).wait,
  signal: async () => (await import('./commands/signal.ts')).signal,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  chart: async () => (await import('./commands/chart.ts')).chart,
  simulate: async () => (await import('./commands/simulate.ts')).simulate,
  import: async () => (await import('./commands/import.ts')).importCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  boot: async () => (await import('./commands/boot.ts')).boot,
  web: async () => (await import('./commands/web.ts')).web,
  metrics: async () => (await import('./commands/metrics.ts')).metrics,
  purge: async () => (await import('./commands/purge.ts')).purge,
  completions: async () => (await import('./commands/completions.ts')).completions,
  spawn: async () => (await import('./commands/spawn.ts')).spawn,
};
