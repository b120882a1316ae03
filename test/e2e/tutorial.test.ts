import { spawn } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { bin, collect, makeHome, soon } from './rig.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/tutorial.md'), 'utf8');

/** A section of the page: its files and its commands, in the order in which they stand there. */
function section(number: number): Readonly<Record<'js' | 'yaml' | 'sh', string>> {
  const text = page.split(/^## /m).find((part) => part.startsWith(`${number}. `)) ?? '';
  const all = (kind: string): string => [...text.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, body]) => body).join('');
  return { js: all('js'), yaml: all('yaml'), sh: all('sh') };
}

test('what the tutorial says to write and to type does what the tutorial says, but for the boot', async () => {
  const home = makeHome();
  const [first, second] = [await freePort(), await freePort()];
  const here = (text: string): string => text.replaceAll('8321', String(first)).replaceAll('8322', String(second));
  symlinkSync(bin, join(home.dir, 'sysg'));
  // Not every machine has curl.
  const curl = 'curl() { node -e \'fetch(process.argv[1]).then((answer) => answer.text()).then((text) => process.stdout.write(text), () => process.exit(52))\' "$1"; }\n';
  const type = async (number: number): Promise<string> => {
    const { code, stdout, stderr } = await collect(spawn('/bin/sh', ['-ec', curl + here(section(number).sh)], { cwd: home.dir, env: { ...home.env, PATH: `${home.dir}:${dirname(process.execPath)}:${process.env['PATH']}` } }));
    expect([number, code, stderr.replaceAll(/^sysg: warning: Running as root.*\n/gm, '')]).toEqual([number, 0, '']);
    return stdout;
  };
  writeFileSync(join(home.dir, 'server.js'), section(1).js);
  home.configure(here(section(1).yaml));
  expect(await type(1)).toMatch(/valid, 2 services\ngood morning, from process \d+\n.*\nprepare +completed .*\nweb +running /);
  expect(await type(2)).toMatch(/^web is .*it exited with code 3 at .*\n(?:.*\n)*.*listening on port \d+\n(?:.*\n)*.* clearing → backoff|running → clearing/);
  expect(await type(3)).toMatch(/^restart +web +changed: env.*\n(?:.*\n)*Configuration reloaded: 1 restarted, 1 unchanged\n(?:.*\n)*good morning, from process \d+\n$/);
  home.configure(here(section(4).yaml));
  expect(await type(4)).toMatch(/Configuration reloaded: 1 added, 2 unchanged\ncleanup waits for its next run at .*\n(?:.*\n)*Service 'cleanup' restarted\n/);
  await soon('the cleanup has run', () => home.log('cleanup').includes('cleaned at '));
  const before = (await home.unit('web')).process?.pid;
  const supervisor = home.supervisorPid();
  const listed = [...(await type(5)).matchAll(/^web +\S+ +running +(\d+)/gm)].map(([, pid]) => Number(pid));
  expect(listed).toEqual([before, before]);
  expect(home.supervisorPid()).not.toBe(supervisor);
  const down = section(7).sh.split('\n').filter((line) => !line.includes('boot'));
  for (const line of down) if (line !== '') expect(await home.sysg(...line.split(' ').slice(1))).toMatchObject({ code: 0 });
  await home.allGone();
});
