import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { tempDir } from '../temp-dir.ts';

const directory = new Map<string, string>();

/** The path of a configuration with this text; the same directory all through a test, since it is part of what a unit is. */
export function configDir(yaml: string): string {
  const dir = directory.get('dir') ?? tempDir();
  if (!directory.has('dir')) {
    directory.set('dir', dir);
    onTestFinished(() => void directory.delete('dir'));
  }
  const path = join(dir, 'sysg.yaml');
  writeFileSync(path, yaml);
  return path;
}
