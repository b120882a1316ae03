import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { bin, collect, makeHome, type Ended } from './rig.ts';

const file = (name: string, project: string | null): string => (
  `version: "1"\n${project === null ? '' : `project: ${project}\n`}services:\n  ${name}: {command: "echo from ${name}; exec $PROGRAMS/forever"}\n`
);

test('projects: a supervisor each, found by the directory; all of them listed, read and stopped together', async () => {
  const home = makeHome();
  const sysgIn = (place: string, ...words: readonly string[]): Promise<Ended> => collect(spawn(bin, words, { cwd: join(home.dir, place), env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
  for (const [place, project] of [['plain', null], ['other', null], ['shop', 'shop'], ['blog', 'blog']] as const) {
    mkdirSync(join(home.dir, place));
    writeFileSync(join(home.dir, place, 'sysg.yaml'), file(place, project));
  }
  const start = (place: string, ...words: readonly string[]): Promise<Ended> => sysgIn(place, ...words, 'start', '--daemonize');
  for (const place of ['plain', 'shop', 'blog']) expect(await start(place)).toMatchObject({ code: 0 });

  // What has no project shares one place.
  const clash = await start('other');
  const both = [join(home.dir, 'plain/sysg.yaml'), join(home.dir, 'other/sysg.yaml'), 'project: other'].map((text) => expect.stringContaining(text));
  for (const part of both) expect(clash).toEqual({ code: 1, stdout: '', stderr: part });
  for (const part of both) expect(await sysgIn('other', 'start')).toEqual({ code: 1, stdout: '', stderr: part });
  expect(await start('other', '-p', 'flagged')).toMatchObject({ code: 0 });

  const state = (project: string): string => join(home.state, 'projects', project);
  expect(readdirSync(join(home.state, 'projects')).toSorted()).toEqual(['blog', 'flagged', 'shop']);
  expect(readdirSync(join(home.state, 'logs/projects/shop'))).toEqual(expect.arrayContaining(['shop_stdout.log', 'supervisor.log']));
  const unitsIn = async (place: string, ...words: readonly string[]): Promise<readonly string[]> => (
    (JSON.parse((await sysgIn(place, ...words, 'status', '--json')).stdout) as { readonly units: readonly { readonly name: string }[] }).units.map(({ name }) => name)
  );
  expect([await unitsIn('shop'), await unitsIn('plain'), await unitsIn('other'), await unitsIn('other', '-p', 'blog'), await unitsIn('shop', '--project=')]).toEqual([['shop'], ['plain'], ['plain'], ['blog'], ['plain']]);
  expect((await sysgIn('plain', 'why', 'shop', '-c', '../shop/sysg.yaml')).code).toBe(0);

  const listed = await sysgIn('shop', 'ps', '--all', '--json');
  expect(JSON.parse(listed.stdout)).toEqual(['plain', 'blog', 'flagged', 'shop'].map((name) => expect.objectContaining({
    project: name === 'plain' ? null : name, config: join(home.dir, name === 'flagged' ? 'other' : name, 'sysg.yaml'), units: 1, running: 1, health: 'healthy', pid: expect.any(Number),
  })));
  const logs = await sysgIn('shop', 'logs', '--all', '--no-follow');
  for (const line of ['- .*from plain', 'blog .*from blog', 'flagged .*from other', 'shop .*from shop']) expect(logs.stdout).toMatch(new RegExp(`^${line}$`, 'm'));

  // The key was changed under a running supervisor: a start would start everything a second time.
  writeFileSync(join(home.dir, 'blog/sysg.yaml'), file('blog', 'renamed'));
  expect(await start('blog')).toMatchObject({ code: 1, stderr: expect.stringMatching(/runs in the supervisor of project blog .*names project renamed now.*sysg -p 'blog' stop/) });

  // What one supervisor removes is its own.
  expect(await sysgIn('shop', 'purge')).toMatchObject({ code: 0 });
  expect([existsSync(state('shop')), existsSync(join(home.state, 'logs/projects/shop'))]).toEqual([false, false]);
  expect(await sysgIn('plain', 'purge')).toMatchObject({ code: 0 });
  expect(await unitsIn('plain', '-p', 'flagged')).toEqual(['other']);
  expect([readdirSync(home.state).toSorted(), readdirSync(join(home.state, 'logs'))]).toEqual([['logs', 'projects'], ['projects']]);

  expect(await sysgIn('plain', 'stop', '--all', 'web')).toMatchObject({ code: 2 });
  const stopped = await sysgIn('plain', 'stop', '--all', '--json');
  expect([stopped.code, JSON.parse(stopped.stdout)]).toEqual([0, ['blog', 'flagged'].map((project) => expect.objectContaining({ project, ok: true }))]);
  expect(await sysgIn('plain', 'ps', '--all')).toMatchObject({ code: 3, stdout: 'No supervisor is running.\n' });
  await home.allGone();
});
