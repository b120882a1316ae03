import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { ServiceSpec } from '../../machines/types.ts';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readScenario, type Scenario } from '../../src/simulate/scenario.ts';
import { tempDir } from '../temp-dir.ts';

/** A configuration and a scenario as a person would write them. */
export interface WalkCase {
  readonly config: object;
  readonly scenario: object;
}

const names = ['a', 'b', 'c'] as const;
const milliseconds = (most: number) => fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: most })).map((ms) => `${ms}ms`);
const edge = (service: string) => fc.record({ service: fc.constant(service), condition: fc.constantFrom('started', 'healthy'), on_restart: fc.constantFrom('restart', 'ignore') });
const unit = fc.record({
  restart_policy: fc.constantFrom('always', 'on-failure', 'never'), max_restarts: fc.integer({ min: 0, max: 3 }),
  backoff: fc.constantFrom('20ms', '1s'), stop_timeout: fc.constantFrom('30ms', '2s'), stable_after: fc.constantFrom('100ms', '10s'), oneshot: fc.boolean(), checked: fc.boolean(),
});
const behaviour = fc.record({
  runs: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: milliseconds(2000) }), exit: fc.constantFrom(0, 1, 2),
  starts_in: milliseconds(200), stops_in: fc.oneof(fc.constant('never'), milliseconds(100)),
});
const moment = milliseconds(4000);
const event = fc.oneof(
  fc.record({ at: moment, unit: fc.constantFrom(...names), exit: fc.constantFrom(0, 1) }), fc.record({ at: moment, unit: fc.constantFrom(...names), signal: fc.constant('SIGKILL') }),
  fc.record({ at: moment, unit: fc.constantFrom(...names), check: fc.constantFrom('fail', 'ok') }),
  fc.record({ at: moment, command: fc.tuple(fc.constantFrom('start', 'stop', 'restart'), fc.constantFrom('', ...names)).map(([verb, name]) => `${verb} ${name}`.trim()) }),
  fc.record({ at: moment, command: fc.constant('reload') }),
);

export const walkCases: fc.Arbitrary<WalkCase> = fc.record({
  units: fc.tuple(unit, unit, unit), behaviours: fc.tuple(behaviour, behaviour, behaviour), first: fc.option(edge('a')), second: fc.option(edge('b')), third: fc.option(edge('a')),
  count: fc.integer({ min: 2, max: 3 }), events: fc.array(event, { maxLength: 60 }),
}).map(({ units, behaviours, first, second, third, count, events }) => {
  const used = names.slice(0, count);
  const needs = [[], [first], [second, third]].map((edges) => edges.flatMap((each) => each ?? []));
  const checkedOf = (service: string): boolean => units[names.indexOf(service as 'a')]?.checked ?? false;
  return {
    config: {
      version: '1',
      services: Object.fromEntries(used.map((name, index) => {
        const { checked, oneshot, ...keys } = units[index] ?? units[0];
        return [name, {
          command: `run ${name}`, ...keys, ...(checked && !oneshot && { health_check: { tcp: 'localhost:1', interval: '50ms', timeout: '400ms', retries: 2 } }), ...(oneshot && { oneshot: true }),
          depends_on: (needs[index] ?? []).map(({ service, condition, on_restart }) => ({ service, condition: checkedOf(service) && !units[names.indexOf(service as 'a')]?.oneshot ? condition : 'started', on_restart })),
        }];
      })),
    },
    scenario: {
      for: '1m', services: Object.fromEntries(used.map((name, index) => {
        const { runs, ...rest } = behaviours[index] ?? behaviours[0];
        return [name, { ...rest, ...(runs !== null && { runs }) }];
      })),
      events: events.filter((each) => ('unit' in each ? used.includes(each.unit) && (!('check' in each) || true) : used.every((_) => true) && !names.slice(count).some((name) => each.command.endsWith(` ${name}`)))),
    },
  };
});

export interface Written {
  readonly config: string;
  readonly scenario: string;
}

export function write({ config, scenario }: WalkCase): Written {
  return { config: stringify(config), scenario: stringify(scenario) };
}

/** Through the readers of the program itself. */
export function read({ config, scenario }: Written): { readonly specs: readonly ServiceSpec[]; readonly scenario: Scenario } {
  const dir = tempDir();
  const file = join(dir, 'sysg.yaml');
  writeFileSync(file, config);
  const loaded = loadConfig(file, { env: {}, identify });
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const told = readScenario('scenario.yaml', scenario);
  if (!told.ok) throw new Error(told.problems.map(formatProblem).join('\n'));
  return { specs: loaded.config.services, scenario: told.scenario };
}
