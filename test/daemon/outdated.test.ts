import { expect, test } from 'vitest';
import type { ServiceSpec, UnitRecord } from '../../machines/types.ts';
import { findOutdated } from '../../src/daemon/outdated.ts';
import { specOf } from '../machines/rig.ts';
import { record } from '../state/record.ts';

const former = { process: 'former', policy: 'former' };
const rolling = (changes: Partial<ServiceSpec> = {}): ServiceSpec => specOf({ deployment: { ...specOf().deployment, strategy: 'rolling' }, ...changes });
const living = (changes: Partial<UnitRecord> = {}) => ({ record: record('web', { definition: former, ...changes }), verdict: 'alive' as const });

test('a rolling service that lives in a former definition is adopted with that, and is to have the new one', () => {
  const { specs, wanted } = findOutdated([rolling(), specOf({ name: 'other' })], [living()]);
  expect(specs.map(({ name, definition }) => [name, definition])).toEqual([['web', former], ['other', specOf().definition]]);
  expect([...wanted]).toEqual([['web', specOf().definition]]);
});

test.each<[string, ServiceSpec, ReturnType<typeof living> | null]>([
  ['is replaced without overlap', specOf(), living()],
  ['has kept what makes its process', rolling({ definition: { process: 'former', policy: 'new' } }), living()],
  ['is to be down', rolling(), living({ wanted: 'down' })],
  ['is ending', rolling(), living({ state: 'stopping', cause: 'restart' })],
  ['has only its preparation running', rolling(), living({ process: { ...record('web').process, role: 'pre_start' } as UnitRecord['process'] })],
  ['is not known', rolling(), null],
])('one that %s is adopted as it is configured', (_, spec, order) => {
  expect(findOutdated([spec], order === null ? [] : [order])).toEqual({ specs: [spec], adopted: [spec], hasOtherKinds: false, wanted: new Map() });
});

const cron = { expression: '* * * * *', timezone: null, overlap: 'skip', timeoutMs: null, catchUp: 'none' } as const;

test('one that has become a cron unit, or is none any more, is adopted as what it was and is to be made anew', () => {
  const [service, job] = [specOf(), specOf({ cron })];
  const found = (isJob: boolean, spec: ServiceSpec) => findOutdated([spec], [living({ cron: isJob })]);
  expect(found(false, job)).toMatchObject({ specs: [job], adopted: [{ ...job, cron: null, definition: former }], hasOtherKinds: true });
  expect(found(true, service)).toMatchObject({ specs: [service], adopted: [{ definition: former, cron: expect.any(Object) as unknown }], hasOtherKinds: true });
  for (const [isJob, spec] of [[false, service], [true, job]] as const) expect(found(isJob, spec)).toMatchObject({ adopted: [spec], hasOtherKinds: false });
  // Of an earlier version, or of systemg 0.33.0.
  expect(findOutdated([job], [living()])).toMatchObject({ adopted: [job], hasOtherKinds: false });
});
