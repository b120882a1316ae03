#!/usr/bin/env node
// Known weaknesses of what is bundled, which npm counts among the devDependencies. Some mirrors of the registry do not answer this question.
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--json'], { encoding: 'utf8' });
const { metadata, message, error } = JSON.parse(stdout || '{}');
if (metadata === undefined) process.stdout.write(`the registry does not say: ${message ?? error?.summary ?? 'no answer'}\n`);
else {
  const { high, critical, total } = metadata.vulnerabilities;
  process.stdout.write(`${total} known weaknesses, ${high} of them high and ${critical} critical\n`);
  process.exitCode = high + critical > 0 ? 1 : 0;
}
