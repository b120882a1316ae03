import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const directory = new Map<string, string>();

/** The path of a configuration with this text; the same directory all through a test, since it is part of what a unit is. */
export function configDir(yaml: string): string {
  const dir = directory.get('dir') ?? mkdtempSync(join(tmpdir(), 'sysg-plan-'));
  if (!directory.has('dir')) {
    directory.set('dir', dir);
    onTestFinished(() => {
      directory.delete('dir');
      rmSync(dir, { recursive: true, force: true });
    });
  }
  const path = join(dir, 'sysg.yaml');
  writeFileSync(path, yaml);
  return path;
}
