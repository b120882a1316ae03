import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ServiceSpec } from '../../machines/types.ts';
import { endUnits, type EndedUnits } from '../../src/daemon/end-units.ts';
import { bootId } from '../../src/process/boot.ts';
import { identify, isAlive } from '../../src/process/identity.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { openSecrets } from '../../src/secrets.ts';
import { openLedger } from '../../src/state/ledger.ts';
import { prepareRuntime } from '../../src/state/runtime.ts';
import { serviceSpec } from '../process/spec.ts';
import { record } from '../state/record.ts';
import { tempDir } from '../temp-dir.ts';

/** What a supervisor left that died while it replaced `web`; `end` ends the unit of that name, or all. */
function leftBehind() {
  const home = join(tempDir(), 'home');
  mkdirSync(home);
  const paths = runtimePaths({ system: false, env: { HOME: home } });
  expect(prepareRuntime(paths)).toBeNull();
  const openBooks = () => openLedger(paths.ledger, { onProblem: (text) => expect.fail(text), bootId: bootId() });
  const spec = (name: string): ServiceSpec => serviceSpec(['forever'], home, { name, hash: name });
  const ledger = openBooks();
  const living = Object.fromEntries(['web', 'web/candidate', 'db'].map((unit, index) => {
    const token = `seed.${index}.1`;
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { SYSG_INSTANCE: token } });
    onTestFinished(() => void child.kill('SIGKILL'));
    const identity = identify(child.pid ?? 0);
    if (identity === null) throw new Error('sleep was not started');
    const { hash, definition } = spec(unit.split('/')[0] ?? '');
    ledger.record(record(unit, { hash, definition, process: { generation: 1, role: 'main', token, identity, adopted: false } }), true);
    return [unit, identity];
  }));
  ledger.close();
  return {
    alive: () => Object.keys(living).filter((unit) => isAlive(living[unit] ?? expect.fail(unit))),
    end: (service: string | null): Promise<EndedUnits> => endUnits({
      paths, environment: {}, secrets: openSecrets(), config: { path: join(home, 'sysg.yaml'), specs: [spec('web'), { ...spec('db'), dependsOn: [{ service: 'web', condition: 'started', onRestart: 'ignore' }] }] },
      service, onProblem: (text) => expect.fail(text),
    }),
    /** What the next supervisor finds. */
    books: () => {
      const { clean, entries, close } = openBooks();
      close();
      return { clean, wanted: Object.fromEntries([...entries].map(([unit, { record: { wanted } }]) => [unit, wanted])) };
    },
  };
}

test('one unit is ended with the other instance of it, and the rest goes on for the next supervisor', async () => {
  const { alive, end, books } = leftBehind();
  expect(alive()).toEqual(['web', 'web/candidate', 'db']);
  const ended = await end('web');
  expect(ended).toMatchObject({ ok: true, left: [] });
  expect(ended.ok && ended.ended.map(({ name }) => name).sort()).toEqual(['web', 'web/candidate']);
  expect(alive()).toEqual(['db']);
  expect(books()).toMatchObject({ clean: false, wanted: { web: 'down', db: 'up' } });
});

test('of all units nothing is left, and that is written down as an end in order', async () => {
  const { alive, end, books } = leftBehind();
  const ended = await end(null);
  expect(ended).toMatchObject({ ok: true, left: [] });
  expect([alive(), books().clean]).toEqual([[], true]);
});
