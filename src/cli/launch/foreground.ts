import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { shellWord } from '../../words.ts';
import { attempt, refusals } from '../../errors.ts';
import { interpreter } from '../../interpreter.ts';
import { closeInheritable } from '../../process/descriptors.ts';
import { watchTerminal } from '../../process/hangup.ts';
import { ignoresHangup } from '../../surroundings.ts';
import type { Call } from '../call.ts';
import { daemonCommand, daemonEnvironment } from './daemon-command.ts';

/** Becomes the supervisor, or stands for it until it ends. Gives its exit code. */
export async function runInForeground(call: Call, configPath: string, names: readonly string[] | null): Promise<number> {
  const command = daemonCommand(call, configPath, { names, foreground: true });
  const execFd = process.env['SYSG_EXEC_FD'];
  if (execFd !== undefined && /^[0-9]{1,4}$/.test(execFd)) {
    // The shell that started this puts the supervisor in its own place: one process less for as long as it runs.
    const hangup = ignoresHangup(process.ppid) ? ['export SYSG_NOHUP=1'] : [];
    // EPIPE: that shell was ended meanwhile.
    attempt(() => writeSync(Number(execFd), [`state=${shellWord(call.paths.stateDir)}`, ...hangup, `set -- ${command.map(shellWord).join(' ')}`, ''].join('\n')), 0, 'EPIPE');
    return 0;
  }
  // A supervisor that takes the place of this process has the environment that the launcher would give.
  const keeper = process.env['SYSG_KEEPER'];
  interpreter.become?.(command, call.paths.stateDir, {
    ...daemonEnvironment(call), ...(keeper !== undefined && { SYSG_KEEPER: keeper }), ...(ignoresHangup(process.pid) && { SYSG_NOHUP: '1' }),
  });
  return standFor(call, command);
}

/**
 * The supervisor gets a session of its own, so that Ctrl-C comes here alone and is handed on once. Descriptor 3 is its
 * lifeline: when this process is killed, the descriptor closes, and the supervisor ends in order.
 */
function standFor(call: Call, command: readonly string[]): Promise<number> {
  closeInheritable([]);
  const [program = process.execPath, ...args] = command;
  const env = { ...daemonEnvironment(call), SYSG_LIFELINE_FD: '3' };
  const handOn = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  // Before there is a supervisor: one that runs on another processor may have done much by the time that `spawn` returns here, and a signal would simply kill until then.
  process.on('SIGINT', handOn).on('SIGTERM', handOn).on('SIGUSR1', handOn);
  // To the supervisor, which has no terminal, HUP is a reload. The end of ours is the end.
  const terminalIsGone = watchTerminal();
  process.on('SIGHUP', () => child.kill(terminalIsGone() ? 'SIGTERM' : 'SIGHUP'));
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'], detached: true, env });
  // The end of the lifeline on this side is no news: the exit of the supervisor is.
  child.stdio[3]?.on('error', () => undefined);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(call.terminal.refuse(refusals.died(`the supervisor could not be started: ${error.message}`))));
    child.once('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]));
  });
}
