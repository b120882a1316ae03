import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { refusals, type Result } from '../errors.ts';
import { runtimePaths } from '../runtime-paths.ts';
import type { ParsedCall } from './arguments.ts';
import { openCall, type Call, type Surroundings } from './call.ts';
import { connectTo } from './launch/ssh.ts';
import { options } from './options.ts';
import type { VerbName } from './verbs.ts';

/** What a supervisor answers over its socket. Everything else works on the files of the machine that it is called on. */
const overSocket: readonly VerbName[] = ['start', 'stop', 'restart', 'reload', 'plan', 'status', 'ps', 'inspect', 'logs', 'events', 'why', 'wait', 'signal', 'metrics'];

/** Options that need the files there. */
const local = [options.every, options.supervisor, options.purge, options.child, options.parentPid, options.ttl, options.since, options.until, options.grep, options.timestamps];

/** A call whose supervisor is that of another machine, over a control socket that ssh forwards. `asks`: a person may be asked for a password. */
export async function callOn(host: string, parsed: ParsedCall, surroundings: Surroundings, asks: boolean): Promise<Result<{ readonly call: Call; close(): void }>> {
  const { verb, flags } = parsed;
  const there = `run it there: ssh ${host} sysg ${verb.name}`;
  if (!overSocket.includes(verb.name)) return { ok: false, refusal: refusals.usage(`${verb.name} works on the files of its own machine: ${there}`) };
  const unfit = local.find((option) => flags.has(option) && !(verb.name === 'events' && option === options.since));
  if (unfit !== undefined) return { ok: false, refusal: refusals.usage(`--${unfit.name} works on the machine itself: ${there} --${unfit.name}`) };
  if (verb.name === 'start' && parsed.operands.length === 0 && flags.texts(options.service).length === 0 && parsed.command === null) {
    return { ok: false, refusal: refusals.usage(`with --host, start expects the names of services in the supervisor that runs there; to start a supervisor: ssh ${host} sysg start --daemonize`) };
  }
  // The uid here says nothing about the rights there.
  const opened = openCall(parsed, { ...surroundings, uid: flags.has(options.sys) ? 0 : 1, systemStateDir: '/nonexistent' });
  if (!opened.ok) return opened;
  const connected = await connectTo(host, surroundings.env, asks);
  if (!connected.ok) return { ok: false, refusal: refusals.runtime(connected.reason) };
  const { connection } = connected;
  const close = connection.close;
  const { project } = opened.call.paths;
  const found = await connection.run(look(opened.call.system, project));
  const [stateDir = '', isThere, pid = '', ...hint] = found.ok ? found.output.split('\n') : [];
  const paths = runtimePaths({ system: false, env: { HOME: connection.directory }, project });
  if (!found.ok || isThere !== 'socket') {
    close();
    return { ok: false, refusal: found.ok ? refusals.noSupervisor(`${stateDir} on ${host}`, `; start one with: ssh ${host} sysg start --daemonize`) : refusals.runtime(found.reason) };
  }
  mkdirSync(paths.stateDir, { recursive: true, mode: 0o700 });
  const failure = await connection.forward(paths.socket, `${stateDir}/control.sock`);
  if (failure !== null) {
    close();
    return { ok: false, refusal: refusals.runtime(failure.reason) };
  }
  writeFileSync(paths.pidFile, pid);
  writeFileSync(paths.configHint, hint.join('\n').trim());
  return { ok: true, call: { ...opened.call, host, paths, cwd: dirname(hint[0] ?? '/') }, close };
}

/** Says where the state is, whether a supervisor serves there, its pid, and its configuration. */
function look(system: boolean, project: string | null): string {
  const below = project === null ? '' : `/projects/${project}`;
  return [
    `state=${system ? '/var/lib/systemg' : '"$HOME/.local/share/systemg"'}${below}`, 'echo "$state"',
    'pid=$(cat "$state/sysg.pid" 2>/dev/null)', 'if [ -S "$state/control.sock" ] && kill -0 "$pid" 2>/dev/null; then echo socket; else echo nothing; fi',
    'echo "$pid"', 'cat "$state/config_hint" 2>/dev/null || :',
  ].join('; ');
}
