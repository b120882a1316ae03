import { describe, expect, test } from 'vitest';
import type { AnyActorRef, StateValue } from 'xstate';
import { draw } from '../../machines/policy.ts';
import { leafOf, type ServiceContext } from '../../machines/service-facts.ts';
import type { HealthCheck, ServiceSpec, SupervisorCommand } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import type { NamedContext } from './nodes.ts';
import { world, type World } from '../machines/supervisor-rig.ts';
import { describeSystemEvent, isOver, openSystem, type System, type SystemEvent, type SystemState } from './system.ts';

const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
};
const restart = { mode: 'on-failure', maxRestarts: 2 } as const;
const hook = (stage: 'on_start' | 'on_stop') => ({ stage, outcome: 'success', command: 'true', timeoutMs: 1 } as const);
const needs = (service: string, onRestart: 'restart' | 'ignore', condition: 'started' | 'healthy' = 'started') => ({ service, condition, onRestart });

const settings: readonly { readonly title: string; readonly specs: readonly ServiceSpec[] }[] = [
  { title: 'a chain of three', specs: [specOf({ name: 'a', restart }), specOf({ name: 'b', restart, dependsOn: [needs('a', 'restart')] }), specOf({ name: 'c', restart, dependsOn: [needs('b', 'restart')] })] },
  {
    title: 'a check, a preparation and hooks',
    specs: [specOf({ name: 'a', restart, check: CHECK, hooks: [hook('on_start'), hook('on_stop')] }), specOf({ name: 'b', restart, preStart: 'prepare', dependsOn: [needs('a', 'restart', 'healthy')] })],
  },
  { title: 'an essential unit', specs: [specOf({ name: 'a', restart, essential: true }), specOf({ name: 'b', restart: { mode: 'always', maxRestarts: 1 }, dependsOn: [needs('a', 'ignore')] })] },
];
const WALKS = 60;
const STEPS = 60;
const at = 0;

/**
 * The explorations put units and root together from single steps of their machines. Here the same events go to the
 * actors that XState runs, and everything they do has to be the same, in the same order.
 */
describe('the system that is explored does what the actor system does', () => {
  test.each(settings)('$title', ({ specs }) => {
    const names = specs.map(({ name }) => name);
    const system = openSystem(specs);
    let seed = 11;
    for (let walk = 0; walk < WALKS; walk += 1) {
      const real = world(specs, { start: names });
      const boot = system.trace(system.first, { kind: 'command', command: { type: 'boot', at, adopt: [], start: names } });
      let state = boot.state;
      const seen: Seen = { effects: [...boot.trace.effects], answers: [...boot.trace.answers], facts: boot.trace.facts.map(factText) };
      const way: string[] = [];
      for (let step = 0; step < STEPS && !isOver(state); step += 1) {
        const events = [...commandsOn(specs, state), ...reportsIn(state, system)];
        const drawn = draw(seed);
        seed = drawn.seed;
        const event = events[Math.floor(drawn.chance * events.length)] as SystemEvent;
        way.push(describeSystemEvent(event));
        give(real, event);
        const next = system.trace(state, event);
        state = next.state;
        seen.effects.push(...next.trace.effects);
        seen.answers.push(...next.trace.answers);
        seen.facts.push(...next.trace.facts.map(factText));
        expect({ way, ...pictureOf(state, names) }).toEqual({ way, ...realPictureOf(real, names) });
      }
      expect({ way, effects: seen.effects }).toEqual({ way, effects: real.effects.map((effect) => effect.replace(/ \d+$/, '')) });
      expect({ way, answers: seen.answers.map(withoutPid) }).toEqual({ way, answers: real.answers.map(withoutPid) });
      expect({ way, facts: seen.facts }).toEqual({ way, facts: real.facts.flatMap((fact) => (fact.type === 'unit.changed' ? [factText({ ...fact.facts })] : [])) });
    }
  });
});

interface Seen {
  readonly effects: string[];
  readonly answers: { readonly error: string | null }[];
  readonly facts: string[];
}

function factText({ unit, state, event }: { readonly unit: string; readonly state: string; readonly event: string }): string {
  return `${unit} ${state} by ${event}`;
}

function withoutPid<Answer extends { readonly error: string | null }>(answer: Answer): Answer {
  return { ...answer, error: answer.error?.replace(/pid \d+/, 'pid N') ?? null };
}

function commandsOn(specs: readonly ServiceSpec[], state: SystemState): readonly SystemEvent[] {
  const ticket = state.watch.owed.length === 0 ? 1 : null;
  const names = specs.map(({ name }) => name);
  const changed = specs.map((spec, index): ServiceSpec => (index === 0 ? { ...spec, definition: { process: 'p2', policy: 'q1' } } : spec));
  return [...names.map((name) => [name]), names].flatMap((units): readonly SupervisorCommand[] => [
    { type: 'start', at, units, ticket }, { type: 'stop', at, units, ticket }, { type: 'restart', at, units, ticket, specs: null },
  ]).concat([
    { type: 'reload', at, specs }, { type: 'reload', at, specs: changed }, { type: 'reload', at, specs: specs.slice(0, -1) },
    ...(ticket === null ? [] : [{ type: 'shutdown', at, ticket, exitCode: 0 } as const]),
  ]).map((command) => ({ kind: 'command', command }));
}

/** Three times, so that a walk gets somewhere between two commands. */
function reportsIn(state: SystemState, { names }: System): readonly SystemEvent[] {
  const reports = state.units.flatMap((node, index): readonly SystemEvent[] => (node?.reports ?? []).map((event) => ({ kind: 'report', unit: names[index] ?? '', event })));
  return [...reports, ...reports, ...reports];
}

function give(real: World, event: SystemEvent): void {
  if (event.kind === 'command') return real.send({ ...event.command, at: real.now() });
  if (event.event.type.startsWith('deadline.')) {
    expect(`deadline.${real.elapse(event.unit)}`).toBe(event.event.type);
    return;
  }
  const { generation: _relative, identity: _theirs, ...report } = { generation: 0, identity: null, ...event.event };
  real.report(event.unit, report.type, { ...report, at: real.now() });
}

function pictureOf({ root, units }: SystemState, names: readonly string[]): object {
  return {
    units: names.map((_, index) => (units[index] == null ? null : essence(units[index].context))),
    turns: names.map((name) => root.snapshot.context.units.get(name)?.turn ?? null), value: root.snapshot.value, operations: [...root.snapshot.context.operations.keys()],
    informed: names.map((name) => root.snapshot.context.units.get(name)?.informed ?? null),
  };
}

function realPictureOf({ root }: World, names: readonly string[]): object {
  const { context, value } = root.getSnapshot();
  return {
    units: names.map((name) => {
      const ref: AnyActorRef | null = context.units.get(name)?.ref ?? null;
      if (ref === null) return null;
      const snapshot = ref.getSnapshot() as { context: ServiceContext; value: StateValue };
      return essence({ ...snapshot.context, leaf: leafOf(snapshot.value) });
    }),
    turns: names.map((name) => context.units.get(name)?.turn ?? null), value, operations: [...context.operations.keys()],
    informed: names.map((name) => context.units.get(name)?.informed ?? null),
  };
}

function essence({ leaf, wanted, ready, cause, outcome, held, ended, hooksPending, tickets, streak, spec, nextSpec, removed, process }: NamedContext): object {
  return {
    leaf, wanted, ready, cause, outcome, held, ended, hooksPending, tickets, streak: Math.min(streak, 4), removed,
    definition: spec.definition, next: nextSpec?.definition ?? null, owns: process?.role ?? null, known: process?.identity != null,
  };
}
