import { createActor, fromCallback, type Actor } from 'xstate';
import type { ArmParams, ProbeInput, ProcessInput } from '../../machines/ports.ts';
import { leafOf } from '../../machines/service-facts.ts';
import type { serviceMachine } from '../../machines/service.ts';
import { provideService } from '../../machines/unit.ts';
import type {
  DeadlineKind, ProcessIdentity, ProcessOrder, ServiceEvent, ServiceFact, ServiceSpec, Settlement, UnitRecord,
} from '../../machines/types.ts';

/** An event without what the rig adds: the moment, the generation and the identity, unless they are given. */
export type Loose = { readonly type: ServiceEvent['type'] } & Readonly<Record<string, unknown>>;

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: `${pid}00`, bootId: 'boot' };
}

export function specOf(changes: Partial<Omit<ServiceSpec, 'restart'>> & { readonly restart?: Partial<ServiceSpec['restart']> } = {}): ServiceSpec {
  const { restart, ...rest } = changes;
  return {
    name: 'web', hash: '0123456789abcdef', definition: { process: 'p1', policy: 'q1' }, command: 'web', launch: { kind: 'exec', argv: ['web'] },
    projectDir: '/project', workingDir: '/project', env: {}, stopSignal: 'SIGTERM', stopTimeoutMs: 10_000, killMode: 'group', stopCommand: null,
    restart: {
      mode: 'on-failure', oneshot: false, maxRestarts: null, windowMs: null, backoff: { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0 },
      stableAfterMs: 10_000, successExitCodes: [0], noRestartExitCodes: [], ...restart,
    },
    essential: false, dependsOn: [], check: null, skip: false, preStart: null, hooks: [],
    deployment: { strategy: 'immediate', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' }, cron: null, spawn: null,
    privileges: {
      user: null, group: null, supplementaryGroups: null, capabilities: [], limits: {},
      isolation: { network: false, mount: false, pid: false, user: false },
    },
    logs: { via: 'pipe', rotate: { sizeBytes: 10_485_760, keep: 5, compress: true }, logger: null }, ...rest,
  };
}

export interface Rig {
  readonly actor: Actor<typeof serviceMachine>;
  /** What was done to the outside, in order: `spawn 1`, `SIGTERM 1`, `clear 1`, `kill 1`, `watch 1`. */
  readonly effects: string[];
  readonly records: UnitRecord[];
  readonly facts: ServiceFact[];
  readonly answers: Settlement[];
  readonly inputs: ProcessInput[];
  phase(): string;
  state(): string;
  /** Sends an event; `at` defaults to now, `generation` to the present one, `ticket` to none, `identity` to a fresh pid. */
  send(event: Loose): void;
  /** A process report or a probe's. */
  report(type: ServiceEvent['type'], more?: Readonly<Record<string, unknown>>): void;
  /** Lets time pass to the armed deadline and delivers it. */
  elapse(): DeadlineKind;
  advance(ms: number): void;
  now(): number;
  deadlineIn(): number | null;
  /** Starts and reports it alive: the unit runs. */
  run(): void;
}

export function rig(spec: ServiceSpec = specOf(), options: { readonly held?: readonly string[] } = {}): Rig {
  let now = 1000;
  let armed: ArmParams | null = null;
  let pids = 100;
  const effects: string[] = [];
  const records: UnitRecord[] = [];
  const facts: ServiceFact[] = [];
  const answers: Settlement[] = [];
  const inputs: ProcessInput[] = [];
  const process = fromCallback<ProcessOrder, ProcessInput>(({ input, receive }) => {
    inputs.push(input);
    const name = input.role === 'main' ? String(input.generation) : `${input.role} ${input.generation}`;
    effects.push(input.adopt === null ? `spawn ${name}` : `adopt ${name}`);
    receive((order) => effects.push(order.type === 'stop' || order.type === 'signal' ? `${order.signal} ${name}` : `${order.type} ${name}`));
  });
  const probe = fromCallback<{ type: 'never' }, ProbeInput>(({ input }) => {
    effects.push(`watch ${input.generation}`);
    return () => void effects.push(`unwatch ${input.generation}`);
  });
  const machine = provideService({
    process, probe,
    clock: { arm: (params) => void (armed = params), disarm: () => void (armed = null) },
    ledger: { record: (record) => void records.push(record), forget: (unit) => void effects.push(`forget ${unit}`) },
    hooks: { queue: (runs) => runs.forEach(({ unit, hook }) => void effects.push(`hook ${unit} ${hook.stage}.${hook.outcome}`)) },
  });
  const actor = createActor(machine, { input: { spec, held: options.held ?? [], tokenBase: 'seed.1', seed: 7, at: now, parent: null } });
  actor.on('*', (fact) => {
    answers.push(...fact.settlements);
    if (fact.type !== 'unit.settled') facts.push(fact);
  });
  actor.start();

  const send = (event: Loose): void => {
    const { context } = actor.getSnapshot();
    const defaults = {
      at: now, generation: context.generation,
      ...(['start', 'stop', 'restart'].includes(event.type) && { ticket: null }),
      ...(event.type === 'restart' && { spec: null }),
      ...(event.type === 'hold' && { stops: false, lost: null }),
      ...(event.type === 'process.spawned' && { identity: identityOf((pids += 1)) }),
    };
    actor.send({ ...defaults, ...event } as unknown as ServiceEvent);
  };
  const report = (type: ServiceEvent['type'], more: Readonly<Record<string, unknown>> = {}): void => send({ type, ...more });
  const elapse = (): DeadlineKind => {
    if (armed === null) throw new Error(`no deadline is armed in ${state()}`);
    const { kind, generation, at } = armed;
    armed = null;
    now = Math.max(now, at);
    send({ type: `deadline.${kind}`, generation });
    return kind;
  };
  const state = (): string => leafOf(actor.getSnapshot().value);
  return {
    actor, effects, records, facts, answers, inputs, send, report, elapse, state,
    phase: () => facts.length === 0 ? 'stopped' : (facts.filter((fact) => fact.type === 'unit.changed').at(-1)?.facts.phase ?? 'stopped'),
    advance: (ms) => void (now += ms),
    now: () => now,
    deadlineIn: () => (armed === null ? null : armed.at - now),
    run: () => {
      send({ type: 'start' });
      report('process.spawned');
      if (spec.check === null) elapse();
      else report('probe.ok');
      if (state() !== 'running') throw new Error(`expected running, got ${state()}`);
    },
  };
}
