import { expect, test } from 'vitest';
import type { InspectPayload, SpawnedProcessNode } from '../../src/wire/payloads.ts';
import { kill } from '../kill.ts';
import { readGolden } from '../wire/golden.ts';
import { makeHome, soon } from './rig.ts';
import { differences, readWire } from './shape.ts';

/** Where ours is to differ, and why. */
const ours: Readonly<Record<string, string | RegExp>> = {
  // Ended children free their place, so the third one of the recording is not there any more.
  'spawn-unknown-parent-single-tree': /^Spawn authorization failed: No spawn tree found for process \(process 1 is not in the tree of a service\)$/,
  'spawn-program-not-found': /^No such file or directory \(os error 2\): program "\/no\/such\/program" does not exist$/,
};

test('the recorded exchanges about spawning get the same answers, but for what is mended', { timeout: 120_000 }, async () => {
  const home = makeHome(`
version: "1"
services:
  orchestrator:
    command: "sleep 1000"
    spawn: {mode: dynamic, limits: {children: 3, depth: 3, descendants: 6, termination_policy: cascade}}
`);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  const pids = new Map<number, number>([[1, 1], [13, (await home.unit('orchestrator')).process?.pid ?? 0]]);
  const inspect = async (): Promise<InspectPayload> => (JSON.parse(await home.exchange('{"Inspect":{"unit":"orchestrator","samples":1}}')) as { Inspect: InspectPayload }).Inspect;
  for (const { name, request, response } of readGolden('spawn')) {
    const text = request.toString();
    if (!text.startsWith('{"Spawn"')) {
      if (name === 'spawn-inspect-tree') expect(shape((await inspect()).unit?.spawned_children ?? [])).toEqual(['job-1 1', ['Old Job 2', 'cli-job 2', 'sleep 2', 'sub-1 2'], 'job-2 1', ['sleep 2'], 'job-4 1']);
      if (name !== 'spawn-inspect-after-child-killed') continue;
      // What the killed one had is ended with it.
      kill(pids.get(4542));
      await soon('its subtree is gone', async () => !JSON.stringify(await inspect()).includes('sub-1'));
      await soon('the others are left', async () => JSON.stringify(shape((await inspect()).unit?.spawned_children ?? [])) === '["job-2 1",["sleep 2"],"job-4 1"]');
      continue;
    }
    // Ours counts the living: by then the place of the recorded parent is free again.
    if (name === 'spawn-after-restart') continue;
    const parent = Number(/"parent_pid":(\d+)/.exec(text)?.[1]);
    // Ours would end the one with two seconds to live at some moment of the rest.
    const sent = text.trim().replace(/"parent_pid":\d+/, `"parent_pid":${pids.get(parent)}`).replace('"ttl":2', '"ttl":600');
    const answer = await home.exchange(sent);
    const expected = ours[name];
    if (expected !== undefined) {
      expect((JSON.parse(answer) as { Error?: string }).Error, name).toMatch(expected);
      continue;
    }
    expect(differences(readWire(response), readWire(answer)), `${name}: ${answer}`).toEqual([]);
    const [theirs, mine] = [response, answer].map((line) => (JSON.parse(line) as { Spawned?: { pid: number } }).Spawned?.pid);
    if (theirs !== undefined && mine !== undefined) pids.set(theirs, mine);
    if (name === 'spawn-optional-fields-absent') await soon('it has ended', async () => !JSON.stringify(await inspect()).includes('job-3'));
  }
});

function shape(nodes: readonly SpawnedProcessNode[]): unknown[] {
  return nodes.toSorted((one, other) => (one.child.name < other.child.name ? -1 : 1)).flatMap(({ child, children = [] }) => [`${child.name} ${child.depth}`, ...(children.length === 0 ? [] : [shape(children)])]);
}
