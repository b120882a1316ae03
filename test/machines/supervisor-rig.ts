import { createActor, fromCallback, type Actor, type AnyActorRef } from 'xstate';
import type { ArmParams, ProbeInput, ProcessInput, RolloutTaskInput } from '../../machines/ports.ts';
import { provideSupervisor, supervisorMachine } from '../../machines/supervisor.ts';
import type {
  ChildRecord, DeadlineKind, ProcessOrder, ProcessReport, RolloutReport, ServiceEvent, ServiceSpec, Settlement, SupervisorCommand, SupervisorFact, SwitchRecord, UnitRecord,
} from '../../machines/types.ts';
import { leafOf } from '../../machines/service-facts.ts';
import { identityOf } from './rig.ts';

/** A supervisor whose processes, probes and clock are scripted by the test. */
export interface World {
  readonly root: Actor<typeof supervisorMachine>;
  /** `spawn db 1`, `SIGTERM db 1`, `kill db 1`, in the order they were ordered. */
  readonly effects: string[];
  readonly answers: Settlement[];
  readonly facts: SupervisorFact[];
  readonly records: Map<string, UnitRecord>;
  /** Processes that lived while no record named them: a supervisor that died then would have left them to nobody. */
  readonly unrecorded: ReadonlySet<string>;
  readonly lookups: string[];
  /** Actors that watch the schedule, by unit. */
  readonly schedules: ReadonlyMap<string, AnyActorRef>;
  /** Units for which the schedule was asked what a run of another supervisor has waiting. */
  readonly askedForWaiting: readonly string[];
  /** The history of cron runs, in words. */
  readonly runs: string[];
  send(command: Record<string, unknown> & { readonly type: SupervisorCommand['type'] }): void;
  /** A report of the unit's present process. */
  report(unit: string, type: ServiceEvent['type'], more?: Readonly<Record<string, unknown>>): void;
  /** Delivers the unit's armed deadline, at its time. */
  elapse(unit: string): DeadlineKind;
  state(unit: string): string;
  /** Of the unit's rollout; `none` without one. `web/aside` names the instance beside the unit `web`. */
  step(unit: string): string;
  /** What rollouts wait for. */
  readonly tasks: { readonly input: RolloutTaskInput; report(report: Partial<RolloutReport> & { type: RolloutReport['type'] }): void }[];
  readonly switches: ReadonlyMap<string, SwitchRecord>;
  /** Reports the unit's new process as spawned and alive. */
  come(unit: string): void;
  /** Reports the leader's exit and the end of everything. */
  go(unit: string, code?: number): void;
  /** What the ledger holds of spawned children. */
  readonly children: ReadonlyMap<string, ChildRecord>;
  /** What a process was started with, by its name in `effects`. */
  readonly inputs: ReadonlyMap<string, ProcessInput>;
  /** A report of a spawned child's process. */
  reportChild(child: string, type: ProcessReport['type'], more?: Readonly<Record<string, unknown>>): void;
  elapseChild(child: string): DeadlineKind;
  advance(ms: number): void;
  now(): number;
}

export interface Boot {
  readonly start?: readonly string[];
  readonly adopt?: readonly unknown[];
  readonly children?: readonly unknown[];
  readonly switches?: readonly SwitchRecord[];
}

/** `settle`: where answers go beside `answers`. */
export function world(specs: readonly ServiceSpec[], boot: Boot = {}, settle: (settlement: Settlement) => void = () => undefined): World {
  let now = 1000;
  let pids = 100;
  const effects: string[] = [];
  const answers: Settlement[] = [];
  const facts: SupervisorFact[] = [];
  const records = new Map<string, UnitRecord>();
  const living = new Map<string, string>();
  const unrecorded = new Set<string>();
  const lookForUnrecorded = (): void => {
    const named = new Set([...records.values()].map((record) => record.process?.token));
    for (const [token, name] of living) if (!named.has(token)) unrecorded.add(name);
  };
  const lookups: string[] = [];
  const inputs = new Map<string, ProcessInput>();
  const armed = new Map<AnyActorRef, ArmParams>();
  const schedules = new Map<string, AnyActorRef>();
  const askedForWaiting: string[] = [];
  const runs: string[] = [];
  const switches = new Map<string, SwitchRecord>();
  const tasks: World['tasks'] = [];
  const rolloutTask = fromCallback<{ type: 'never' }, RolloutTaskInput>(({ input, sendBack }) => {
    effects.push(`${input.task} ${input.spec.name}`);
    const task = { input, report: (report: Partial<RolloutReport> & { type: RolloutReport['type'] }) => sendBack({ at: now, task: input.task, reason: 'refused', ...report }) };
    tasks.push(task);
    return () => void tasks.splice(tasks.indexOf(task), 1);
  });
  const children = new Map<string, ChildRecord>();
  const process = fromCallback<ProcessOrder, ProcessInput>(({ input, receive }) => {
    const name = input.role === 'child' ? `child ${input.token}` : `${input.spec.name} ${input.generation}`;
    inputs.set(name, input);
    if (input.role !== 'child') living.set(input.token, name);
    effects.push(input.adopt === null ? `spawn ${name}` : `adopt ${name}`);
    receive((order) => effects.push('signal' in order && order.type === 'stop' ? `${order.signal} ${name}` : `${order.type} ${name}`));
  });
  const probe = fromCallback<{ type: 'never' }, ProbeInput>(() => undefined);
  const root = createActor(provideSupervisor({
    process, probe,
    clock: { arm: (params) => void armed.set(params.target, params), disarm: (target) => void armed.delete(target) },
    ledger: {
      record: (record) => {
        records.set(record.unit, record);
        lookForUnrecorded();
      },
      forget: (unit) => {
        records.delete(unit);
        lookForUnrecorded();
      },
    },
    hooks: { queue: (runs) => runs.forEach(({ unit, hook }) => void effects.push(`hook ${unit} ${hook.stage}.${hook.outcome}`)) },
    tickets: {
      settle: (settlement) => {
        answers.push(settlement);
        settle(settlement);
      },
    },
    schedule: {
      watch: (target, unit, _cron, runGoesOn) => {
        schedules.set(unit, target);
        if (runGoesOn === true) askedForWaiting.push(unit);
      },
      unwatch: (target) => { for (const [unit, watching] of schedules) if (watching === target) schedules.delete(unit); },
    },
    runs: {
      began: (unit, run) => void runs.push(`${unit} began ${run.instantWallMs ?? 'by hand'}`), running: () => undefined,
      ended: (unit, _run, end) => void runs.push(`${unit} ended ${end.kind === 'success' ? 'Success' : end.reason}`),
      overlapped: (unit, instantWallMs) => void runs.push(`${unit} overlapped ${instantWallMs}`),
    },
    children: { recordChild: (record) => void children.set(record.id, record), forgetChild: (child) => void children.delete(child) },
    switches: { recordSwitch: (record) => void switches.set(record.unit, record), forgetSwitch: (unit) => void switches.delete(unit) }, rolloutTask,
    lookup: (unit) => void lookups.push(unit),
  }), { input: { specs, tokenSeed: 'seed', seed: 1, at: now } });
  root.on('*', (fact) => void facts.push(fact));
  root.start();

  const refOf = (unit: string): AnyActorRef => {
    const { units, rollouts } = root.getSnapshot().context;
    const [owner = unit, aside] = unit.split('/');
    const ref = aside === undefined || units.has(unit) ? units.get(unit)?.ref : aside === 'rollout' ? rollouts.get(owner)?.ref : rollouts.get(owner)?.aside.ref;
    if (ref == null) throw new Error(`no unit ${unit}`);
    return ref;
  };
  const state = (unit: string): string => {
    const { units, rollouts } = root.getSnapshot().context;
    const [owner = unit, aside] = unit.split('/');
    const ref = aside === undefined || units.has(unit) ? units.get(unit)?.ref : rollouts.get(owner)?.aside.ref;
    if (ref == null) return 'absent';
    const { value } = ref.getSnapshot();
    return leafOf(value);
  };
  const step = (unit: string): string => root.getSnapshot().context.rollouts.get(unit)?.facts?.step ?? 'none';
  const send: World['send'] = (command) => root.send({ at: now, ticket: null, ...command } as unknown as SupervisorCommand);
  /** The actor that owns the unit's process: a job's runner, or the service itself. */
  const runnerOf = (unit: string): AnyActorRef => {
    const context = refOf(unit).getSnapshot().context;
    return 'runner' in context ? context.runner : refOf(unit);
  };
  const report: World['report'] = (unit, type, more = {}) => {
    const ref = runnerOf(unit);
    if (type === 'process.gone' || type === 'process.refused') living.delete(ref.getSnapshot().context.process?.token ?? '');
    const { generation } = ref.getSnapshot().context;
    ref.send({ type, at: now, generation, ...(type === 'process.spawned' && { identity: identityOf((pids += 1)) }), ...more });
  };
  const childRef = (child: string): AnyActorRef => {
    const ref = root.getSnapshot().context.children.get(child)?.ref;
    if (ref == null) throw new Error(`no child ${child}`);
    return ref;
  };
  const elapse = (unit: string): DeadlineKind => deliver(armed.get(runnerOf(unit)) ?? armed.get(refOf(unit)), unit);
  const deliver = (params: ArmParams | undefined, whose: string): DeadlineKind => {
    if (params === undefined) throw new Error(`${whose} has no deadline`);
    armed.delete(params.target);
    now = Math.max(now, params.at);
    params.target.send({ type: `deadline.${params.kind}`, generation: params.generation, at: now });
    return params.kind;
  };
  send({ type: 'boot', adopt: boot.adopt ?? [], start: boot.start ?? [], children: boot.children ?? [], switches: boot.switches ?? [] });
  return {
    root, effects, answers, facts, records, unrecorded, lookups, schedules, askedForWaiting, runs, step, tasks, switches, send, report, elapse, state, now: () => now, children, inputs,
    reportChild: (child, type, more = {}) => childRef(child).send({ type, at: now, generation: 1, ...(type === 'process.spawned' && { identity: identityOf((pids += 1)) }), ...more }),
    elapseChild: (child) => deliver(armed.get(childRef(child)), child),
    advance: (ms) => void (now += ms),
    come: (unit) => {
      report(unit, 'process.spawned');
      if (elapse(unit) !== 'alive') throw new Error(`${unit} was not starting`);
    },
    go: (unit, code = 0) => {
      report(unit, 'process.exited', { exit: { code, signal: null } });
      report(unit, 'process.gone');
    },
  };
}

/** One step of the unit's process, by the state of its unit: it comes up, it ends as it was ordered to, or by itself with this code. False: there is none. */
export function happen(it: World, unit: string, state: string, code: number | null): boolean {
  switch (state) {
    case 'spawning': it.report(unit, 'process.spawned'); return true;
    case 'starting': case 'backoff': it.elapse(unit); return true;
    case 'stopping': case 'clearing': case 'killing': it.report(unit, 'process.gone'); return true;
    case 'running':
      if (code !== null) it.report(unit, 'process.exited', { exit: { code, signal: null } });
      return code !== null;
    default: return false;
  }
}
