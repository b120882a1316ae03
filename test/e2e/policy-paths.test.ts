import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { documentedPolicies, nameOfPath, pathsOf, type PolicyStep } from '../model/policy-paths.ts';
import type { DocumentedPolicy } from '../model/policy-chart.ts';
import { makeHome, soon, type Home } from './rig.ts';

interface Sampled {
  readonly name: string;
  readonly policy: DocumentedPolicy;
  readonly path: readonly PolicyStep[];
}

/** The longest way of each policy without what only time can tell; those paths drive the machine itself in test/model. */
const sample: readonly Sampled[] = documentedPolicies.filter(({ restart_window: window }) => !window).map((policy, index): Sampled => {
  const paths = pathsOf(policy).filter((path) => path.every(({ event }) => event !== 'is stable' && event !== 'outlives the window'));
  // The ends differ, so that each kind is seen: a limit, a success, a final code, a signal.
  const longest = Math.max(...paths.map((path) => path.length));
  const candidates = paths.filter((path) => path.length >= longest - 1);
  return { name: `u${index}`, policy, path: candidates[index % candidates.length] ?? [] };
});

test('processes driven along paths of the documented restart policy are treated by the supervisor as is written', async () => {
  expect([...new Set(sample.flatMap(({ path }) => path.map(({ event }) => event)))].toSorted()).toEqual(['ends for good', 'fails', 'is killed', 'runs again', 'succeeds']);
  const home = makeHome();
  home.configure(`version: "1"\nservices:\n${sample.map(({ name, policy }) => `  ${name}:
    command: "exec $PROGRAMS/exits-when-told ${home.dir}/${name}.code"
    restart_policy: ${policy.restart_policy}
    oneshot: ${policy.oneshot}
${policy.max_restarts === null ? '' : `    max_restarts: ${policy.max_restarts}\n`}    success_exit_codes: [0, 3]
    no_restart_exit_codes: [42]
    stable_after: 1h
    backoff: {initial: 50ms, max: 250ms, factor: 3, jitter: 0}`).join('\n')}\n`);
  await home.sysg('start', '--daemonize', '-c', home.config, '--wait-timeout', '50ms');
  await Promise.all(sample.map((sampled) => follow(home, sampled)));
}, 120_000);

async function follow(home: Home, { name, policy, path }: Sampled): Promise<void> {
  await home.until(name, ({ phase, generation }) => phase === 'running' && generation === 1, 'runs for the first time');
  let generation = 1;
  for (const { event, state, context } of path) {
    const where = `${JSON.stringify(policy)}: ${nameOfPath(path)}: ${event}`;
    if (event !== 'runs again') await end(home, { name, event, generation });
    if (event === 'runs again') generation += 1;
    // Backoffs are short: the next process may run already.
    if (state === 'backoff') continue;
    const unit = await home.until(name, (seen) => {
      if (state === 'running') return seen.phase === 'running' && seen.generation === generation;
      return seen.phase === (state === 'failed' ? 'failed' : 'stopped');
    }, `${where} → ${state}`);
    expect({ where, restarts: unit.restarts, generation: unit.generation }).toEqual({ where, restarts: context.restarts, generation });
    if (state === 'completed') expect({ where, lifecycle: unit.lifecycle }).toEqual({ where, lifecycle: 'exited_successfully' });
  }
}

async function end(home: Home, { name, event, generation }: { readonly name: string; readonly event: PolicyStep['event']; readonly generation: number }): Promise<void> {
  const unit = await home.until(name, (seen) => seen.generation === generation && seen.process != null, `has process ${generation}`);
  if (event === 'is killed') return void kill(unit.process?.pid);
  const file = join(home.dir, `${name}.code`);
  writeFileSync(`${file}.new`, String({ succeeds: 3, fails: 1, 'ends for good': 42 }[event as 'succeeds']));
  renameSync(`${file}.new`, file);
  await soon(`${name} took its order`, () => !existsSync(file));
}
