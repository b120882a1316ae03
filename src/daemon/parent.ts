import { closeSync, fstatSync, writeFileSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { watchEnd } from '../process/pipe-end.ts';
import type { LaunchReport } from '../wire/launch.ts';

/** What started the daemon: a command that waits for it, a guardian that starts it again, a foreground command. */
export type Parent = ReturnType<typeof findParent>;

/** Reads and removes what the parent left in the environment. `diedHere`: whether an earlier daemon died since the machine was booted. */
export function findParent(environment: NodeJS.ProcessEnv, diedHere: () => boolean) {
  let ready = descriptorOf(environment['SYSG_READY_FD']);
  const lifeline = descriptorOf(environment['SYSG_LIFELINE_FD']);
  // A file for our exit code, whose name ends with the guardian's pid.
  const guardian = environment['SYSG_GUARDIAN'] ?? '';
  const guardianPid = Number(/[0-9]+$/.exec(guardian)?.[0] ?? 'none');
  const guardianLives = (): boolean => process.ppid === guardianPid;
  const asked = environment['SYSG_ASKED'];
  // systemd and launchd start the same command at the boot and after a death.
  const isKept = environment['SYSG_KEEPER'] !== undefined;
  const again = environment['SYSG_AGAIN'] === '1' || (isKept && diedHere());
  for (const name of ['SYSG_AGAIN', 'SYSG_ASKED', 'SYSG_READY_FD', 'SYSG_LIFELINE_FD', 'SYSG_GUARDIAN', 'SYSG_KEEPER']) delete environment[name];

  const hangUp = (): void => {
    if (ready !== null) closeSync(ready);
    ready = null;
  };
  return {
    /** The signal that the guardian was sent while no daemon lived to get it. */
    asked: asked === 'TERM' || asked === 'INT' ? 'SIGTERM' as const : asked === 'HUP' ? 'SIGHUP' as const : null,
    /** Whether a guardian, or the init system, starts the daemon again when it ends without `noteEnd`; `gone`: there was a guardian. */
    guardian: (): 'lives' | 'gone' | 'none' => (isKept ? 'lives' : guardian === '' ? 'none' : guardianLives() ? 'lives' : 'gone'),
    /** This is such a start. */
    again,
    /** What the parent shares with us; every other inherited descriptor is a stranger's. */
    descriptors: [ready, lifeline].filter((descriptor) => descriptor !== null),
    /** False when no command waits for the report. */
    report: (event: LaunchReport): boolean => {
      if (ready === null) return false;
      try {
        writeSync(ready, `${JSON.stringify(event)}\n`);
        return true;
      } catch {
        // EPIPE: the command that waited is gone, which is its right.
        hangUp();
        return false;
      }
    },
    hangUp,
    /** To be called just before every exit in order: the guardian ends with this code too instead of starting us again. */
    noteEnd: (exitCode: number): void => {
      if (!guardianLives()) return;
      // The directory is gone, or the disk is full: the signal is enough. Or the guardian has just ended.
      attempt(() => writeFileSync(guardian, String(exitCode), { mode: 0o600 }), undefined);
      attempt(() => process.kill(guardianPid, 'SIGURG'), undefined);
    },
    /** Calls back when the foreground command is gone. */
    onGone: (leave: () => void): void => {
      if (lifeline !== null) watchEnd(lifeline, leave);
    },
  };
}

function descriptorOf(text: string | undefined): number | null {
  const descriptor = Number(text ?? 'none');
  // EBADF: the variable outlived its descriptor, as on the guardian's later starts.
  return Number.isInteger(descriptor) && descriptor > 2 && attempt(() => fstatSync(descriptor), null) !== null ? descriptor : null;
}
