import { spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { tempDir } from '../temp-dir.ts';

/** A tmpfs of so many KiB, or null where mounting is not allowed. */
export function smallDisk(kibibytes: number, directory = tempDir()): string | null {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'sysg-test', directory]);
  if (mounted.status !== 0) return null;
  onTestFinished(() => {
    spawnSync('umount', ['-l', directory]);
  });
  return directory;
}

export const canMount = process.platform === 'linux' && process.getuid?.() === 0
  && spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'sysg-test', '/mnt']).status === 0;
