import { createActor, fromCallback, type Actor, type AnyActorRef } from 'xstate';
import type { ArmParams, ProbeInput, ProcessInput, RolloutTaskInput } from '../../machines/ports.ts';
import { leafOf } from '../../machines/service-facts.ts';
import { hasEnded, provideSupervisor, supervisorMachine } from '../../machines/supervisor.ts';
import type {
  Leaf, ProcessOrder, ProcessReport, RolloutReport, ServiceSpec, Settlement, SlotIndex, SupervisorCommand, SwitchRecord, UnitRecord,
} from '../../machines/types.ts';
import { identityOf } from '../machines/rig.ts';

/** The whole actor system around one unit, with an operating system, a clock and the world behind the switch command. */
export interface RolloutWorld {
  /** What may happen now, each with its name; a shutdown only where it is wanted, since nothing comes after it. */
  possible(options: { readonly shutdown: boolean }): readonly { readonly name: string; happen(): void }[];
  /** What must not have happened and did, since the beginning. */
  violations(): readonly string[];
  /** The next thing of those that happen by themselves while all goes well; null: there is none. */
  next(): { readonly name: string; happen(): void } | null;
  /** Faults cease: what is to come comes, until nothing more does. */
  settle(): void;
  /** What is wrong with the place where it came to rest. */
  unrest(): readonly string[];
}

interface ModelProcess {
  readonly input: ProcessInput;
  readonly tell: (report: ProcessReport) => void;
  state: 'forking' | 'alive' | 'leader-dead' | 'gone';
  ordered: ProcessOrder['type'] | null;
}

interface ModelTask {
  readonly input: RolloutTaskInput;
  readonly tell: (report: RolloutReport) => void;
}

const RESTING: readonly Leaf[] = ['running', 'failed', 'stopped'];

type Ports = Parameters<typeof provideSupervisor>[0];
type ProcessCallback = Parameters<typeof fromCallback<ProcessOrder, ProcessInput>>[0];
type TaskCallback = Parameters<typeof fromCallback<{ type: 'never' }, RolloutTaskInput>>[0];

/** What a world stands behind the ports with. */
interface Outside extends Pick<Ports, 'clock' | 'ledger' | 'switches' | 'hooks' | 'tickets' | 'lookup'> {
  readonly process: ProcessCallback;
  readonly rolloutTask: TaskCallback;
}

/** Of the world that goes on: they follow each other. One machine serves them all, since putting one together takes longer than some walks. */
let outside: Outside | null = null;

function here(): Outside {
  if (outside === null) throw new Error('no world has begun');
  return outside;
}

const machine = provideSupervisor({
  process: fromCallback<ProcessOrder, ProcessInput>((given) => here().process(given)),
  probe: fromCallback<{ type: 'never' }, ProbeInput>(() => undefined),
  rolloutTask: fromCallback<{ type: 'never' }, RolloutTaskInput>((given) => here().rolloutTask(given)),
  clock: { arm: (params) => here().clock.arm(params), disarm: (target) => here().clock.disarm(target) },
  ledger: { record: (record, urgent) => here().ledger.record(record, urgent), forget: (unit) => here().ledger.forget(unit) },
  switches: { recordSwitch: (record) => here().switches.recordSwitch(record), forgetSwitch: (unit) => here().switches.forgetSwitch(unit) },
  children: { recordChild: () => undefined, forgetChild: () => undefined },
  hooks: { queue: (runs, target) => here().hooks.queue(runs, target) },
  tickets: { settle: (settlement) => here().tickets.settle(settlement) }, schedule: { watch: () => undefined, unwatch: () => undefined },
  runs: { began: () => undefined, running: () => undefined, ended: () => undefined, overlapped: () => undefined },
  lookup: (unit, root) => here().lookup(unit, root),
});

export function rolloutWorld(specs: readonly ServiceSpec[]): RolloutWorld {
  const [first] = specs;
  if (first === undefined) throw new Error('a world of one unit needs its definition');
  const { name } = first;
  let [now, pids, tickets] = [1000, 100, 0];
  let lastCommand: 'up' | 'down' | 'removed' = 'down';
  let ending = false;
  const processes = new Set<ModelProcess>();
  const tasks = new Set<ModelTask>();
  const armed = new Map<AnyActorRef, ArmParams>();
  const owed = new Set<number>();
  const restarts = new Set<number>();
  const wrong: string[] = [];
  const records = new Map<string, UnitRecord>();
  const switches = new Map<string, SwitchRecord>();
  let [traffic, file]: SlotIndex[] = [0, 0];

  const settle = ({ ticket, result, error }: Settlement): void => {
    if (error?.startsWith('superseded by') === true && restarts.has(ticket) && !/stop|shutdown/.test(error)) wrong.push(`a restart was answered with: ${error}`);
    if (!owed.delete(ticket)) wrong.push(`ticket ${ticket} was answered twice`);
    // A start that was asked for after the stop may have begun the next process in the same step.
    const left = alive().filter(({ state, ordered }) => state !== 'forking' || ordered !== null);
    if (result === 'stopped' && left.length > 0) wrong.push(`a stop was answered while ${left.length} processes live`);
  };
  const process: ProcessCallback = ({ input, sendBack, receive }) => {
    const it: ModelProcess = { input, tell: sendBack, state: 'forking', ordered: null };
    processes.add(it);
    if ([...processes].filter((other) => living(other)).length > 2) wrong.push('three processes at a time');
    receive((order) => {
      if (order.type === 'signal') return;
      it.ordered = order.type;
    });
    return () => {
      if (living(it)) wrong.push(`process ${input.generation} is nobody's any more and lives`);
    };
  };
  const rolloutTask: TaskCallback = ({ input, sendBack }) => {
    const task: ModelTask = { input, tell: sendBack };
    tasks.add(task);
    return () => void tasks.delete(task);
  };
  outside = {
    process, rolloutTask,
    clock: { arm: (params) => void armed.set(params.target, params), disarm: (target) => void armed.delete(target) },
    ledger: { record: (record) => void records.set(record.unit, record), forget: (unit) => void records.delete(unit) },
    switches: { recordSwitch: (record) => void switches.set(record.unit, record), forgetSwitch: (unit) => void switches.delete(unit) },
    hooks: { queue: (_, target) => target.send({ type: 'hooks.idle', at: now }) },
    tickets: { settle },
    lookup: (unit) => void wrong.push(`the actor of ${unit} failed`),
  };
  const root: Actor<typeof supervisorMachine> = createActor(machine, { input: { specs: [first], tokenSeed: 't', seed: 1, at: now } });
  root.on('unit.changed', ({ facts }) => {
    // The candidate has become the unit.
    if (facts.event === 'move' && facts.place === 'current' && facts.wanted === 'up' && !RESTING.includes(facts.state)) {
      const back = root.getSnapshot().context.rollouts.get(name)?.aside.place === 'candidate';
      if (!back) wrong.push(`an instance in ${facts.state} has become the unit`);
    }
  });
  root.on('unit.crashed', ({ error }) => void wrong.push(error));
  root.subscribe({ error: (error) => void wrong.push(String(error)) });
  root.start();
  root.send({ type: 'boot', at: now, adopt: [], start: [] });

  const living = ({ state }: ModelProcess): boolean => state !== 'gone';
  const alive = (): readonly ModelProcess[] => [...processes].filter(living);
  const order = (command: Record<string, unknown>, wish: typeof lastCommand | null, owing = false): void => {
    const ticket = owing ? (tickets += 1) : null;
    if (ticket !== null) owed.add(ticket);
    if (ticket !== null && command['type'] === 'restart') restarts.add(ticket);
    if (wish !== null) lastCommand = wish;
    root.send({ at: now, ticket, ...command } as unknown as SupervisorCommand);
  };
  const exit = (it: ModelProcess, code: number): void => {
    it.state = 'leader-dead';
    it.tell({ type: 'process.exited', generation: it.input.generation, at: now, exit: { code, signal: null } });
  };
  const go = (it: ModelProcess): void => {
    it.state = 'gone';
    it.tell({ type: 'process.gone', generation: it.input.generation, at: now });
  };
  const come = (it: ModelProcess): void => {
    it.state = 'alive';
    it.tell({ type: 'process.spawned', generation: it.input.generation, at: now, identity: identityOf((pids += 1)) });
  };
  const succeed = (task: ModelTask): void => {
    const { task: what, slots } = task.input;
    tasks.delete(task);
    if (slots !== null && what === 'switch') traffic = slots.to;
    if (slots !== null && what === 'record') file = slots.to;
    if (slots !== null && what === 'switch-back') traffic = file = slots.from;
    task.tell({ type: 'task.done', task: what, at: now });
  };
  const fail = (task: ModelTask, tookEffect: boolean): void => {
    const { task: what, slots } = task.input;
    tasks.delete(task);
    if (slots !== null && what === 'switch' && tookEffect) traffic = slots.to;
    task.tell({ type: 'task.failed', task: what, at: now, reason: 'refused' });
  };
  const elapse = (target: AnyActorRef, { kind, generation, at }: ArmParams): void => {
    armed.delete(target);
    now = Math.max(now, at);
    target.send({ type: `deadline.${kind}`, generation, at: now });
  };

  const naturally = (it: ModelProcess): { name: string; happen(): void }[] => {
    const called = `process ${it.input.generation}`;
    switch (it.state) {
      case 'forking': return it.ordered === null
        ? [
          { name: `${called} is born`, happen: () => come(it) },
          { name: `${called} is refused`, happen: () => { it.state = 'gone'; it.tell({ type: 'process.refused', generation: it.input.generation, at: now, reason: 'refused' }); } },
        ]
        : [{ name: `${called} is never born`, happen: () => go(it) }];
      case 'alive': return [0, 1].map((code) => ({ name: `${called} exits with ${code}`, happen: () => exit(it, code) }));
      case 'leader-dead': return it.ordered === null ? [] : [{ name: `${called} is gone`, happen: () => go(it) }];
      case 'gone': return [];
    }
  };

  const commands = (): { name: string; happen(): void }[] => {
    if (hasEnded(root.getSnapshot())) return [];
    if (ending) return [{ name: 'hurry', happen: () => order({ type: 'hurry' }, null) }];
    // A unit that is being removed takes no command but a reload that brings it back.
    const known = root.getSnapshot().context.units.has(name) && lastCommand !== 'removed';
    return [
      { name: 'start', happen: () => order({ type: 'start', units: [name] }, known ? 'up' : null, true) },
      { name: 'stop', happen: () => order({ type: 'stop', units: [name] }, known ? 'down' : null, true) },
      ...specs.map((spec, index) => ({ name: `restart as ${index}`, happen: () => order({ type: 'restart', units: [name], specs: [spec] }, known ? 'up' : null, true) })),
      ...specs.map((spec, index) => ({ name: `reload to ${index}`, happen: () => order({ type: 'reload', specs: [spec] }, lastCommand === 'removed' ? 'up' : null) })),
      { name: 'reload to nothing', happen: () => order({ type: 'reload', specs: [] }, 'removed') },
      { name: 'shutdown', happen: () => { ending = true; order({ type: 'shutdown', exitCode: 0 }, 'down'); } },
    ];
  };

  let seen: { readonly rollout: string | undefined; readonly processes: Set<ModelProcess> } = { rollout: undefined, processes: new Set() };
  const watch = (): void => {
    const snapshot = root.getSnapshot();
    const { context } = snapshot;
    if (hasEnded(snapshot)) return;
    const unit = context.units.get(name);
    const rollout = context.rollouts.get(name);
    if (alive().length > 1 && rollout === undefined) wrong.push('two processes outside a rollout');
    const actor = unit?.ref?.getSnapshot().context;
    // While there are two instances the unit itself starts nothing. A switch that is put back late has one instance alone.
    if (rollout?.ref?.id !== seen.rollout) seen = { rollout: rollout?.ref?.id, processes: new Set(processes) };
    for (const it of alive()) {
      if (rollout === undefined || rollout.mode === 'switch-back' || seen.processes.has(it)) continue;
      if (actor !== undefined && !('runner' in actor) && it.input.token.startsWith(`${actor.tokenBase}.`)) wrong.push(`process ${it.input.generation} of the unit was started during its replacement`);
      seen.processes.add(it);
    }
    const wanted = actor === undefined || 'runner' in actor ? 'removed' : actor.removed ? 'removed' : actor.wanted;
    if (actor !== undefined && wanted !== lastCommand && !(ending && wanted === 'removed')) wrong.push(`wanted is ${wanted}, the last accepted command says ${lastCommand}`);
  };

  const next = (): { name: string; happen(): void } | null => {
    const forking = alive().find(({ state }) => state === 'forking');
    const dead = alive().find(({ state, ordered }) => state === 'leader-dead' && ordered !== null);
    const told = alive().find(({ state, ordered }) => state === 'alive' && (ordered === 'stop' || ordered === 'kill'));
    const [task] = tasks;
    const [due] = [...armed].toSorted(([, one], [, other]) => one.at - other.at);
    const event = forking !== undefined ? { name: `process ${forking.input.generation} comes`, happen: () => (forking.ordered === null ? come(forking) : go(forking)) }
      : dead !== undefined ? { name: `process ${dead.input.generation} is gone`, happen: () => go(dead) }
        : told !== undefined ? { name: `process ${told.input.generation} obeys`, happen: () => exit(told, 0) }
          : task !== undefined ? { name: `${task.input.task} succeeds`, happen: () => succeed(task) }
            : due !== undefined ? { name: `deadline ${due[1].kind} of ${due[0].id}`, happen: () => elapse(...due) } : null;
    return event === null ? null : { name: event.name, happen: () => { event.happen(); watch(); } };
  };

  return {
    possible: ({ shutdown }) => {
      const all = [
        ...commands(), ...alive().flatMap(naturally),
        ...[...tasks].flatMap((task) => [
          { name: `${task.input.task} succeeds`, happen: () => succeed(task) },
          // What cannot be undone is for an operator to mend.
          ...(task.input.task === 'switch-back' ? [] : [false, true].map((tookEffect) => ({ name: `${task.input.task} fails${tookEffect ? ' after it took effect' : ''}`, happen: () => fail(task, tookEffect) }))),
        ]),
        // What survives SIGKILL is given up by a shutdown: that is another story.
        ...[...armed].filter(([, { kind }]) => kind !== 'kill').map(([target, params]) => ({ name: `deadline ${params.kind} of ${target.id}`, happen: () => elapse(target, params) })),
      ];
      return all.filter(({ name: called }) => shutdown || called !== 'shutdown').map(({ name: called, happen }) => ({ name: called, happen: () => { happen(); watch(); } }));
    },
    violations: () => wrong,
    next,
    settle: () => {
      for (let step = 0; step < 300; step += 1) {
        const event = next();
        if (event === null) return;
        event.happen();
      }
      wrong.push('no rest after 300 quiet steps');
    },
    unrest: () => {
      const snapshot = root.getSnapshot();
      const { context } = snapshot;
      const problems: string[] = [];
      const unit = context.units.get(name);
      const actor = unit?.ref?.getSnapshot().context;
      const value = unit?.ref?.getSnapshot().value;
      const state = value === undefined ? 'absent' : leafOf(value);
      if (owed.size > 0) problems.push(`tickets ${[...owed].join(', ')} were never answered`);
      if (context.rollouts.size > 0) problems.push(`a rollout at ${context.rollouts.get(name)?.facts?.step} goes on`);
      // A unit that is down may leave its way back to its next start.
      if (switches.size > 0 && lastCommand === 'up' && !ending) problems.push('a switch is still open');
      const up = alive();
      if (ending && !hasEnded(snapshot)) problems.push('the supervisor has not ended');
      if ((lastCommand !== 'up' || ending) && up.length > 0) problems.push(`${up.length} processes of a unit that is not wanted`);
      if (lastCommand === 'up' && !ending && !['running', 'failed', 'stopped'].includes(state)) problems.push(`it is to be up and rests in ${state}`);
      if (state === 'running' && up.length !== 1) problems.push(`it runs with ${up.length} processes`);
      const keys = [...records.keys()].filter((key) => key !== name);
      if (keys.length > 0) problems.push(`the ledger still has ${keys.join(', ')}`);
      if (lastCommand === 'removed' && records.size > 0) problems.push('the ledger remembers a removed unit');
      const blueGreen = actor === undefined || 'runner' in actor ? null : actor.spec.deployment.blueGreen;
      if (traffic !== file && switches.size === 0) problems.push(`traffic goes to slot ${traffic}, the file says ${file}`);
      if (blueGreen !== null && state === 'running') {
        const slot = up[0]?.input.spec.env[blueGreen.envVar];
        if (slot !== blueGreen.slots[traffic ?? 0]) problems.push(`it runs in slot ${slot}, traffic goes to ${blueGreen.slots[traffic ?? 0]}`);
      }
      return problems;
    },
  };
}
