import { expect, test } from 'vitest';
import { inSlot } from '../../machines/slots.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import { planReload } from '../../src/control/plan.ts';
import { configDir } from './plan-rig.ts';

function specs(services: string): readonly ServiceSpec[] {
  const loaded = loadConfig(configDir(`version: "1"\nservices:\n${services}`), { env: {}, identify });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  return loaded.config.services;
}

/** The units of a configuration, each in a phase. */
function units(services: string, phase: UnitView['phase'] = 'running'): readonly UnitView[] {
  return specs(services).map((spec) => ({
    spec, ran: spec.definition, phase, state: phase === 'starting' ? 'waiting' : phase, wanted: 'up', ready: null, outcome: 'none', lifecycle: 'running', health: 'healthy', process: null, alive: true,
    generation: 1, restarts: 0, failures: 0, cause: null, reason: null, exit: null, held: {}, ordered: null, since: 0, deadline: null, nextWallMs: null, run: null, rollout: null,
  }));
}

/** `restart web: changed: env` */
function said(before: readonly UnitView[], after: readonly ServiceSpec[]): readonly string[] {
  const plan = planReload(before, after);
  return (['unchanged', 'start', 'stop', 'restart', 'update'] as const).flatMap((what) => plan[what].map(({ unit, why }) => `${what} ${unit}: ${why}`));
}

const checked = (port: number): string => `  web:\n    command: sleep 1\n    health_check: {tcp: "localhost:${port}"}\n`;
const web = '  web: {command: sleep 1}\n';

test.each([
  ['the same', web, web, ['unchanged web: same definition']],
  ['a new command', web, '  web: {command: sleep 2}\n', ['restart web: changed: command']],
  ['another environment and another stop', web, '  web: {command: sleep 1, env: {A: "1"}, stop_timeout: 1s}\n', ['restart web: changed: env, stop_timeout']],
  ['rules that need no new process', web, '  web: {command: sleep 1, stop_timeout: 1s, max_restarts: 3}\n', ['update web: changed: stop_timeout, restart rules; taken over live']],
  ['another check, which the rollout shares', checked(80), checked(81), ['update web: changed: health_check; taken over live']],
  ['a check of the rollout alone', checked(80), `${checked(80)}    deployment: {health_check: {tcp: "localhost:81"}}\n`, ['update web: changed: deployment; taken over live']],
  ['one more', web, `${web}  db: {command: sleep 2}\n`, ['unchanged web: same definition', 'start db: new in the configuration']],
  ['one less', `${web}  db: {command: sleep 2}\n`, web, ['unchanged web: same definition', 'stop db: no longer configured']],
])('a running unit and %s', (_what, before, after, plan) => {
  expect(said(units(before), specs(after))).toEqual(plan);
});

test('a change starts no unit that is stopped, and tries one again that is failed', () => {
  const after = specs('  web: {command: sleep 2}\n');
  expect(said(units(web, 'stopped'), after)).toEqual(['update web: changed: command; it is stopped, the next start uses it']);
  const [completed] = units(web, 'stopped');
  if (completed === undefined) throw new Error('no unit');
  expect(said([{ ...completed, lifecycle: 'exited_successfully' }], after)).toEqual(['update web: changed: command; it has completed, the next start uses it']);
  expect(said(units(web, 'failed'), after)).toEqual(['restart web: changed: command; in phase failed, tried again at once']);
  expect(said(units(web, 'backoff'), after)).toEqual(['restart web: changed: command; in phase backoff, tried again at once']);
  expect(said(units(web, 'failed'), specs(web))).toEqual(['unchanged web: same definition']);
});

test.each(['starting', 'stopping'] as const)('rules of a unit that is %s, without a process that they could be taken over for, are for the next start', (phase) => {
  expect(said(units(web, phase), specs('  web: {command: sleep 1, max_restarts: 3}\n'))).toEqual(['update web: changed: restart rules; the next start uses it']);
});

test('a run of a cron unit, and what is about to end, are not restarted with a dependency', () => {
  const needing = (command: string, more: string): string => `  db: {command: ${command}}\n  job: {command: job, depends_on: [db]${more}}\n`;
  const cron = ', cron: "0 3 * * *"';
  expect(said(units(needing('old', cron)), specs(needing('new', cron)))).toEqual(['unchanged job: same definition', 'restart db: changed: command']);
  const ending = units(needing('old', '')).map((view) => (view.spec.name === 'job' ? { ...view, phase: 'stopping' as const } : view));
  expect(said(ending, specs(needing('new', '')))).toEqual(['unchanged job: same definition', 'restart db: changed: command']);
});

test('of a service with slots the file has changed what it says, not what the slot makes of it', () => {
  const slotted = (more: string): string => `  web:\n    command: sleep 1\n    health_check: {command: "check {slot}"}\n    deployment: {strategy: rolling, blue_green: {env_var: SLOT, slots: [blue, green], switch_command: "true"}}\n${more}`;
  const green = units(slotted('')).map((view) => ({ ...view, spec: inSlot(view.spec, 1) }));
  expect(said(green, specs(slotted('')))).toEqual(['unchanged web: same definition']);
  expect(said(green, specs(slotted('    stop_timeout: 4s\n')))).toEqual(['update web: changed: stop_timeout; taken over live']);
});

test('a service that becomes a cron unit is replaced', () => {
  expect(said(units(web), specs('  web: {command: sleep 1, cron: "0 3 * * *"}\n'))).toEqual(['restart web: changed: cron']);
  const down = units(web, 'stopped').map((view) => ({ ...view, wanted: 'down' }) as const);
  expect(said(down, specs('  web: {command: sleep 1, cron: "0 3 * * *"}\n'))).toEqual(['update web: changed: cron; it is stopped, the next start uses it']);
});

test('a dependent is restarted with its dependency unless its edge says otherwise, over others too, and only where both run', () => {
  const chain = (command: string, edge = 'db'): string => [
    `  db: {command: ${command}}`, `  api: {command: api, depends_on: [${edge}]}`, '  web: {command: web, depends_on: [api]}', '  late: {command: late}', '',
  ].join('\n');
  const before = chain('old');
  expect(said(units(before), specs(chain('new')))).toEqual([
    'unchanged late: same definition', "restart api: restarted with its dependency 'db'", 'restart db: changed: command', "restart web: restarted with its dependency 'api'",
  ]);
  const policy = chain('new').replace('command: web,', 'command: web, stop_timeout: 1s,');
  expect(said(units(before), specs(policy))).toContain("restart web: changed: stop_timeout; restarted with its dependency 'api'");
  const ignored = chain('old', '{service: db, on_restart: ignore}');
  expect(said(units(ignored), specs(chain('new', '{service: db, on_restart: ignore}')))).toContain('unchanged web: same definition');
  const added = chain('new').replace('command: late', 'command: late, depends_on: [db]');
  expect(said(units(before), specs(added))).toContain("restart late: changed: depends_on; restarted with its dependency 'db'");
  const rolling = (command: string): string => chain(`${command}, deployment: {strategy: rolling}`);
  expect(said(units(rolling('old')), specs(rolling('new')))).toContain('unchanged api: same definition');
  const both = (command: string): string => chain(command).replace('command: api,', `command: api ${command}, deployment: {strategy: rolling},`);
  expect(said(units(both('old')), specs(both('new')))).toContain("restart api: changed: command; restarted with its dependency 'db'");
  const failed = units(before).map((view) => (view.spec.name === 'db' ? { ...view, phase: 'failed' as const, state: 'failed' as const, alive: false } : view));
  expect(said(failed, specs(chain('new')))).toContain('unchanged api: same definition');
});
