import { expect, onTestFinished, test, vi } from 'vitest';
import * as views from '../../machines/view.ts';
import { startUnits } from '../../src/daemon/first-start.ts';
import * as supervision from '../../src/daemon/supervision.ts';
import { specOf } from '../machines/rig.ts';

interface Start {
  readonly services?: readonly string[];
  readonly again?: boolean;
  /** Units that run already. */
  readonly adopt?: readonly string[];
  readonly leaving?: readonly string[];
  /** Whether one has become a cron unit, or is one no more. */
  readonly hasOtherKinds?: boolean;
  readonly leftDown?: Readonly<Record<string, string>>;
  /** What has become of `db` by the time of the report. */
  readonly fellInto?: string;
  /** Why units did not start. */
  readonly errors?: Readonly<Record<string, string>>;
}

/** A start of `web`, `db` and the cron unit `job`: what was sent, recorded and reported, in this order. */
async function start({ services = [], again = false, adopt = [], leaving = [], hasOtherKinds = false, leftDown = {}, fellInto = 'failed', errors = {} }: Start): Promise<readonly unknown[]> {
  const done: unknown[] = [];
  const takeUp = vi.spyOn(supervision, 'takeUp').mockImplementation(() => void done.push('takes up'));
  const viewUnit = vi.spyOn(views, 'viewUnit').mockImplementation((_, name) => (name === 'job' ? null : {
    phase: name === 'db' ? fellInto : 'running', reason: `of ${name}`, process: name === 'db' ? null : { identity: { pid: 7 } },
  }) as never);
  onTestFinished(() => [takeUp, viewUnit].forEach((spy) => spy.mockRestore()));
  const specs = ['web', 'db'].map((name) => specOf({ name })).concat(specOf({ name: 'job', cron: { expression: '@daily', timezone: null } as never }));
  const setting = {
    clock: { now: () => 5 }, options: { services }, secrets: { mask: (text: string) => text.replace('secret', '***') },
    parent: { again, report: (report: unknown) => void done.push(report), hangUp: () => void done.push('hangs up') },
  };
  const parts = {
    found: { adopt: adopt.map((unit) => ({ record: { unit } })), leaving, taken: { leftDown: new Map(Object.entries(leftDown)) } },
    units: {
      root: { getSnapshot: () => null }, send: ({ type, units }: { type: string; units?: readonly string[] }) => void done.push([type, ...units ?? []].join(' ')),
      tickets: {
        open: (units: readonly string[], issue: (ticket: number) => void) => {
          issue(1);
          return Promise.resolve(units.map((unit) => ({ unit, error: errors[unit] ?? null })));
        },
      },
    },
    records: { projection: { flush: () => void done.push('flushes') }, request: (request: unknown) => void done.push(request) },
  };
  await new Promise<void>((finish) => startUnits(setting as never, { specs, hasOtherKinds } as never, parts as never, finish));
  return done;
}

const asked = (unit: string | null, more: object = {}): object => ({ command: 'start', unit, asker: { uid: process.getuid?.() }, detail: { supervisor_pid: process.pid, ...more } });
const web = { name: 'web', phase: 'running', pid: 7 };
const db = { name: 'db', phase: 'failed', error: 'of db' };
const job = { name: 'job', phase: 'stopped' };

test('a start by a person starts everything, and says of each how it came out: its own error before that it fell', async () => {
  expect(await start({})).toEqual([asked(null), 'takes up', 'start web db job', 'flushes', { event: 'settled', units: [web, db, job] }, 'hangs up']);
  expect((await start({ fellInto: 'backoff' })).at(-2)).toEqual({ event: 'settled', units: [web, { ...db, phase: 'backoff' }, job] });
  const errors = { db: 'no secret', web: 'none' };
  expect((await start({ errors })).at(-2)).toEqual({ event: 'settled', units: [{ ...web, error: 'none' }, { ...db, error: 'no ***' }, job] });
});

test('units that were named start alone, and are recorded by name', async () => {
  expect(await start({ services: ['db'] })).toEqual([asked('db'), 'takes up', 'start db', 'flushes', { event: 'settled', units: [db] }, 'hangs up']);
  expect((await start({ services: ['db', 'web'] })).slice(0, 3)).toEqual([asked(null, { units: ['db', 'web'] }), 'takes up', 'start web db']);
});

test('what runs already is started where a person asks, but for a run of a cron unit, and told of first', async () => {
  expect(await start({ adopt: ['job', 'db'] })).toEqual([asked(null), 'takes up', 'start web db', 'flushes', { event: 'settled', units: [job, db, web] }, 'hangs up']);
  expect(await start({ adopt: ['db'], again: true })).toEqual(['takes up', 'start web job', 'flushes', { event: 'settled', units: [db, web, job] }, 'hangs up']);
});

test('what was left down is not started and says why; what is configured no more is ended by a reload, which makes a unit what it is to be, too', async () => {
  expect(await start({ leftDown: { web: 'it may run' }, leaving: ['old'] })).toEqual([
    asked(null), 'takes up', 'reload', 'start db job', 'flushes', { event: 'settled', units: [{ ...web, error: 'it may run' }, db, job] }, 'hangs up',
  ]);
  expect((await start({ hasOtherKinds: true })).slice(0, 4)).toEqual([asked(null), 'takes up', 'reload', 'start web db job']);
});
