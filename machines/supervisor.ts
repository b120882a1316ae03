import { assign, setup, type SnapshotFrom } from 'xstate';
import { afterChange, afterService, isLiving } from './children.ts';
import { dependentsIn, unitOf, type SupervisorContext } from './context.ts';
import { changesOf, drafted, send, setRollout, setUnit, type Draft } from './draft.ts';
import { expect, informDependents, informOf, redefine } from './dependencies.ts';
import { provideJob, publishedJob, type JobPorts } from './job.ts';
import { provideOperation, publishedOperation, type OperationEvent, type OperationReport } from './operation.ts';
import { isAboutToChange } from './order.ts';
import { openReload, openRestart, openShutdown, openStart, openStop, replacementOf, takeAway, wayOf } from './orders.ts';
import { exitCodeOf } from './policy.ts';
import { notProvided, type LookupPort, type TicketPort } from './ports.ts';
import { provideRollout, publishedRollout, type RolloutOrder, type RolloutPorts } from './rollout.ts';
import { beginRollout, cancelRollout, candidateSpec, informRollout, leaveOpen, swapInstances, undoSwitch } from './rollouts.ts';
import { recordKey, type ServiceInput } from './service-facts.ts';
import { inSlot } from './slots.ts';
import { addChild, spawnChildOf, takeChildren } from './spawning.ts';
import { provideSpawned, publishedSpawned, type SpawnedPorts } from './spawned.ts';
import { Table } from './table.ts';
import { SECOND_INSTANCE } from './types.ts';
import type { ChildFact, RolloutFact, ServiceFact, ServiceSpec, Settlement, SlotIndex, SupervisorEvent, UnitFacts, UnitRecord } from './types.ts';
import { provideService, publishedService } from './unit.ts';

export type { Rollout, SupervisorContext, Unit } from './context.ts';

export interface SupervisorInput {
  readonly specs: readonly ServiceSpec[];
  /** Makes the tokens of this run unlike those of any other. */
  readonly tokenSeed: string;
  /** Of the units' jitter. */
  readonly seed: number;
  /** Of blue-green units; without one the first slot holds. */
  readonly slots?: Readonly<Record<string, SlotIndex>>;
  readonly at: number;
}

export type SupervisorFact =
  | Exclude<ServiceFact, { readonly type: 'unit.settled' }>
  | ChildFact
  | RolloutFact
  | { readonly type: 'unit.crashed'; readonly at: number; readonly unit: string; readonly error: string }
  | { readonly type: 'supervisor.ending'; readonly at: number; readonly because: string; readonly exitCode: number }
  /** Everything has ended. The root goes on to exist: to stop each of its actors would cost the square of their number. */
  | { readonly type: 'supervisor.ended'; readonly at: number; readonly exitCode: number };

type RootEvent = SupervisorEvent | RolloutOrder | OperationReport;
type Of<T extends RootEvent['type']> = Extract<RootEvent, { type: T }>;

const CRASHES_ALLOWED = { count: 3, windowMs: 60_000 } as const;
const CRASHED = 'the supervisor failed while it looked after the unit';

const base = setup({
  types: {} as { context: SupervisorContext; events: RootEvent; input: SupervisorInput; emitted: SupervisorFact },
  actors: { service: publishedService, job: publishedJob, spawned: publishedSpawned, rollout: publishedRollout, operation: publishedOperation },
}).extend({
  actions: {
    // Ports: see `provideSupervisor`.
    settle: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),
    lookup: (_, _params: { unit: string }) => notProvided('lookup'),
    /** All at once: one spawn each would copy the table of children every time. */
    makeUnits: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      let { units } = context;
      for (const unit of context.units.values()) {
        if (unit.ref !== null) continue;
        made += 1;
        const held = [...unit.spec.dependsOn.map(({ service }) => service), ...(context.rollouts.has(unit.name) ? [SECOND_INSTANCE] : [])];
        const input: ServiceInput = { ...seedOf(context, made), spec: inSlot(unit.spec, context.slots.get(unit.name) ?? 0), held, parent: self };
        const id = `unit.${unit.name}`;
        units = units.set(unit.name, { ...unit, ref: unit.spec.cron === null ? spawn('service', { id, input }) : spawn('job', { id, input }) });
      }
      return { units, unitsMade: made };
    }),
    /** The instance beside the unit, and the rollout that leads both. */
    makeRollouts: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      const rollouts = new Map(context.rollouts);
      for (const rollout of context.rollouts.values()) {
        const { unit, mode, aside, slots, ticket } = rollout;
        if (rollout.ref !== null && (aside.ref !== null || mode === 'switch-back')) continue;
        made += 1;
        const spec = candidateSpec(rollout);
        const generation = context.units.get(unit)?.facts.generation ?? 0;
        const asideRef = aside.ref ?? (mode === 'switch-back' ? null : spawn('service', {
          id: `unit.${unit}.${made}`, input: { ...seedOf(context, made), spec, held: unmetOf(context, unit), parent: self, place: aside.place, generation },
        }));
        const ref = rollout.ref ?? spawn('rollout', { id: `rollout.${unit}.${made}`, input: { spec, slots, ticket, mode, at: context.now, parent: self } });
        rollouts.set(unit, { ...rollout, ref, aside: { ...aside, ref: asideRef } });
      }
      return { rollouts, unitsMade: made };
    }),
    makeChildren: assign(({ context, spawn, self }) => {
      const children = new Map(context.children);
      for (const [id, child] of children) {
        if (child.ref !== null || !isLiving(child)) continue;
        const { record, spec, ticket } = child;
        children.set(id, { ...child, ref: spawn('spawned', { id: childId(id), input: { record, spec, ticket, at: context.now, parent: self } }) });
      }
      return { children };
    }),
    makeOperations: assign(({ context, spawn, self }) => {
      const operations = new Map(context.operations);
      for (const [id, operation] of operations) {
        if (operation.ref === null) operations.set(id, { ...operation, ref: spawn('operation', { id: `operation.${id}`, input: { ...operation.input, parent: self } }) });
      }
      return { operations };
    }),
  },
});

/** One step of the root: works on a draft of the context, then carries out what the draft has for others. */
function act<Type extends RootEvent['type']>(_type: Type, work: (draft: Draft, event: Of<Type>) => void) {
  return base.enqueueActions(({ context, event, enqueue }) => {
    const draft = drafted(context, 'at' in event ? event.at : context.now);
    work(draft, event as Of<Type>);
    const { sends, rolloutSends, operationSends, endings, settlements } = draft;
    const changes = changesOf<SupervisorContext>(context, draft);
    if (changes !== null) enqueue.assign(changes);
    if (draft.makesUnits) enqueue('makeUnits');
    if (draft.childrenMade > context.childrenMade) enqueue('makeChildren');
    if (draft.rollouts !== context.rollouts) enqueue('makeRollouts');
    if (draft.operations !== context.operations) enqueue('makeOperations');
    for (const { unit, event: order } of sends) enqueue.sendTo(({ context: now }) => now.units.get(unit)?.ref ?? '', order);
    for (const { to, unit, event: order } of rolloutSends) {
      const rollout = draft.rollouts.get(unit);
      if (rollout === undefined || (to === 'aside' && rollout.mode === 'switch-back')) continue;
      enqueue.sendTo(({ context: now }) => (to === 'aside' ? now.rollouts.get(unit)?.aside.ref : now.rollouts.get(unit)?.ref) ?? '', order);
    }
    for (const { operation, event: news } of operationSends) {
      if (draft.operations.has(operation)) enqueue.sendTo(({ context: now }) => now.operations.get(operation)?.ref ?? '', news);
    }
    for (const { child, cause } of endings) enqueue.sendTo(childId(child), { type: 'end', at: draft.now, cause });
    if (settlements.length > 0) enqueue({ type: 'settle', params: { settlements } });
  });
}

/** What follows from each report of a unit: the order of the steps is the order of the words. */
const FOLLOW = ['learnFacts', 'informDependents', 'informOperations', 'announce'] as const;

/**
 * The root: the set of units, what their dependencies mean to each other, and the end. An accepted command becomes an
 * operation, which gives each unit its order when its turn has come; units report back, and a report costs what depends on
 * that unit.
 */
export const supervisorMachine = base.extend({
  guards: {
    allAtRest: ({ context }) => context.busy === 0 && context.underOrder === 0 && context.rollouts.size === 0
      && [...context.children.values()].every((child) => !isLiving(child) || child.facts.stuck),
    isAside: ({ event }) => (event.type === 'unit.changed' ? event.facts.place : event.type === 'unit.removed' ? event.place : 'current') !== 'current',
    isEssential: ({ context, event }) => event.type === 'unit.changed' && essentialCode(context, event.facts) !== null,
  },
  actions: {
    // ─── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────
    takeOver: act('boot', (draft, event) => {
      for (const { record, verdict } of event.adopt) send(draft, record.unit, { type: 'adopt', at: event.at, record, verdict });
      for (const { record, alive } of event.children ?? []) if (alive) addChild(draft, record, null, event.at);
      for (const open of event.switches ?? []) undoSwitch(draft, open);
    }),
    openBoot: act('boot', (draft, { at, start }) => openStart(draft, { at, units: start, ticket: null, origin: { kind: 'boot', by: null } }, 'boot')),
    openStart: act('start', openStart),
    openStop: act('stop', openStop),
    openRestart: act('restart', openRestart),
    openReload: act('reload', openReload),
    openShutdown: act('shutdown', (draft, { at, exitCode, ticket, origin }) => {
      draft.exitCode = exitCode;
      if (ticket !== null) draft.endTickets = [...draft.endTickets, ticket];
      openShutdown(draft, at, origin ?? { kind: 'command', by: 'shutdown' });
    }),
    openEssentialEnd: act('unit.changed', (draft, { at, facts }) => {
      draft.exitCode = essentialCode(draft, facts) ?? 1;
      openShutdown(draft, at, { kind: 'exit', by: facts.unit });
    }),
    hurryAll: act('hurry', (draft) => {
      draft.hurried = true;
      for (const { facts } of draft.units.values()) hurry(draft, facts);
      for (const { unit, aside: { facts } } of draft.rollouts.values()) {
        if (facts !== null) hurry(draft, facts);
        cancelRollout(draft, unit, 'hurry', draft.now);
      }
    }),
    hurryChildren: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'hurry') return;
      for (const [id, child] of context.children) if (isLiving(child)) enqueue.sendTo(childId(id), event);
    }),
    passSignal: act('signal', (draft, { unit, at, signal }) => send(draft, unit, { type: 'signal', at, signal })),
    spawnChild: act('spawn', spawnChildOf),
    keepEndTicket: act('shutdown', (draft, { ticket }) => {
      if (ticket !== null) draft.endTickets = [...draft.endTickets, ticket];
    }),
    refuse: base.enqueueActions(({ event, enqueue }) => {
      if ((event.type !== 'start' && event.type !== 'restart' && event.type !== 'spawn') || event.ticket === null) return;
      const { ticket } = event;
      const units = event.type === 'spawn' ? [event.order.unit] : event.units;
      enqueue({ type: 'settle', params: { settlements: units.map((unit) => ({ ticket, unit, result: 'failed' as const, error: 'the supervisor is shutting down' })) } });
    }),

    // ─── Operations ──────────────────────────────────────────────────────────────────────────────────────────────────
    giveOrders: act('operation.order', (draft, { at, operation, parts }) => {
      for (const part of parts) {
        const unit = draft.units.get(part.unit);
        // A later command has taken the turn in the meantime.
        if (unit?.turn?.operation !== operation) continue;
        setUnit(draft, { ...unit, turn: null, expected: isAboutToChange(unit.facts, part.command) });
        const ticket = part.owes ? operation : null;
        const open = part.command === 'stop' ? undefined : draft.openSwitches.get(part.unit);
        if (open !== undefined) undoSwitch(draft, { unit: part.unit, slots: open });
        if (part.command === 'rollout') beginRollout(draft, part, ticket, at);
        else if (part.command === 'restart') send(draft, part.unit, { type: 'restart', at, ticket, spec: part.spec });
        else send(draft, part.unit, { type: part.command, at, ticket, origin: part.origin });
        // One that is where the order wants it has nothing to report.
        if (!isAboutToChange(unit.facts, part.command)) informDependents(draft, part.unit, at);
        clearTheWay(draft, part.unit, at);
      }
    }),
    closeOperation: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'operation.done') return;
      const operations = new Map(context.operations);
      const ref = operations.get(event.operation)?.ref ?? null;
      operations.delete(event.operation);
      enqueue.assign({ operations });
      if (ref !== null) enqueue.stopChild(ref);
    }),

    // ─── Reports of units ────────────────────────────────────────────────────────────────────────────────────────────
    learnFacts: act('unit.changed', (draft, { facts }) => {
      const unit = draft.units.get(facts.unit);
      if (unit !== undefined) setUnit(draft, { ...unit, facts, expected: false });
      if (draft.hurried) hurry(draft, facts);
      takeChildren(draft, afterService(draft.children, facts));
      informRollout(draft, facts);
    }),
    informDependents: act('unit.changed', (draft, { facts, at }) => informDependents(draft, facts.unit, at)),
    informOperations: act('unit.changed', (draft, { facts, settlements, at }) => {
      clearTheWay(draft, facts.unit, at);
      passAnswers(draft, settlements, at);
    }),
    passAnswers: act('unit.settled', (draft, { settlements, at }) => passAnswers(draft, settlements, at)),
    announce: base.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'unit.changed' || event.type === 'unit.removed' || event.type === 'child.changed' || event.type === 'rollout.changed') enqueue.emit(event);
    }),
    /** The actor first: another one may follow under its name. */
    bury: base.enqueueActions(({ context, event, enqueue }) => {
      const ref = event.type !== 'unit.removed' ? null : event.place === 'current' ? context.units.get(event.unit)?.ref : context.rollouts.get(event.unit)?.aside.ref;
      if (ref != null) enqueue.stopChild(ref);
    }),
    forgetUnit: act('unit.removed', (draft, event) => leave(draft, event, false)),
    replaceUnit: act('unit.removed', (draft, event) => leave(draft, event, true)),

    // ─── Rollouts ────────────────────────────────────────────────────────────────────────────────────────────────────
    /** Of the instance beside the current one the rollout alone is informed. */
    followAside: act('unit.changed', (draft, { facts, settlements, at }) => {
      const rollout = draft.rollouts.get(facts.unit);
      if (rollout !== undefined && rollout.aside.place === facts.place) setRollout(draft, { ...rollout, aside: { ...rollout.aside, facts } });
      // A candidate that has not begun still counts from the unit's own process.
      if (facts.generation !== draft.units.get(facts.unit)?.facts.generation) takeChildren(draft, afterService(draft.children, facts));
      if (draft.hurried) hurry(draft, facts);
      informRollout(draft, facts);
      passAnswers(draft, settlements, at);
    }),
    reportAsideGone: act('unit.removed', (draft, { unit, at, settlements }) => {
      draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'aside.gone', at } });
      passAnswers(draft, settlements, at);
    }),
    /** An order of a rollout to one of its two instances. */
    passOrder: act('rollout.order', (draft, { to, unit, order }) => {
      if (to === 'current') send(draft, unit, order);
      else draft.rolloutSends.push({ to: 'aside', unit, event: order });
    }),
    swapInstances: act('rollout.swap', (draft, { unit, at }) => {
      swapInstances(draft, unit, at);
      informDependents(draft, unit, at);
    }),
    followRollout: act('rollout.changed', (draft, { facts, settlements, switchOpen, at }) => {
      const rollout = draft.rollouts.get(facts.unit);
      if (rollout === undefined) return;
      if (facts.step !== 'done') return setRollout(draft, { ...rollout, facts });
      const rollouts = new Map(draft.rollouts);
      rollouts.delete(facts.unit);
      draft.rollouts = rollouts;
      if (switchOpen && rollout.slots !== null) leaveOpen(draft, facts.unit, rollout.slots);
      passAnswers(draft, [...settlements, ...rollout.owed], at);
      if (facts.result === 'replace') replacePlainly(draft, rollout.unit, rollout.spec, rollout.ticket, at);
      sendWay(draft, { type: 'way.clear', at, unit: replacementOf(facts.unit), isDown: true, isThrough: true });
      clearTheWay(draft, facts.unit, at);
    }),
    buryRollout: base.enqueueActions(({ context, event, enqueue }) => {
      const ref = event.type === 'rollout.changed' && event.facts.step === 'done' ? context.rollouts.get(event.facts.unit)?.ref : null;
      if (ref != null) enqueue.stopChild(ref);
    }),

    // ─── Spawned children ────────────────────────────────────────────────────────────────────────────────────────────
    followChild: act('child.changed', (draft, { facts, settlements }) => {
      takeChildren(draft, afterChange(draft.children, facts, (unit) => draft.units.get(unit)?.spec.spawn?.terminationPolicy ?? 'cascade'));
      draft.settlements.push(...settlements);
    }),
    buryChild: base.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'child.changed' && event.facts.state === 'gone') enqueue.stopChild(childId(event.facts.child));
    }),
    /** More memory than its service's children may use. */
    limitChild: act('child.limit', (draft, { child }) => {
      if (draft.children.has(child)) draft.endings.push({ child, cause: 'limit' });
    }),

    // ─── Actors that threw ───────────────────────────────────────────────────────────────────────────────────────────
    /** The actor that threw is gone; its process is not. The ledger knows it. */
    noteCrash: base.enqueueActions(({ context, event, enqueue }) => {
      const { whose, error } = crashOf(context, event);
      if (whose === null) return;
      const { unit, part } = whose;
      enqueue.emit({ type: 'unit.crashed', at: context.now, unit, error });
      if (part === 'child') {
        enqueue.assign({ children: withoutActor(context.children, whose.id) });
        return enqueue('makeChildren');
      }
      const recent = (context.crashes.get(unit) ?? []).filter((at) => at > context.now - CRASHES_ALLOWED.windowMs);
      enqueue.assign({ crashes: new Map(context.crashes).set(unit, [...recent, context.now]) });
      for (const { input: { id }, units, ref } of context.operations.values()) {
        const settlement: Settlement = { ticket: id, unit, result: 'failed', error: CRASHED };
        if (ref !== null && units.has(unit)) enqueue.sendTo(ref, { type: 'unit.settled', at: context.now, settlement });
      }
      const rollout = context.rollouts.get(unit);
      if (part !== 'rollout') enqueue({ type: 'lookup', params: { unit: part === 'unit' ? unit : recordKey(unit, rollout?.aside.place ?? 'candidate') } });
      else if (rollout !== undefined) {
        const mode = rollout.aside.place === 'retired' ? ('retire' as const) : ('abandon' as const);
        if (rollout.ref !== null) enqueue.stopChild(rollout.ref);
        enqueue.assign({ rollouts: new Map(context.rollouts).set(unit, { ...rollout, ref: null, mode, ticket: null }) });
        enqueue('makeRollouts');
      }
    }),
    dropActor: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'recovered') return;
      const unit = context.units.get(event.unit);
      const rollout = unit === undefined ? context.rollouts.get(event.unit.split('/')[0] ?? '') : undefined;
      const ref = unit?.ref ?? rollout?.aside.ref;
      if (ref != null) enqueue.stopChild(ref);
      if (unit !== undefined) enqueue.assign({ units: context.units.set(unit.name, { ...unit, ref: null }) });
      if (rollout !== undefined) enqueue.assign({ rollouts: new Map(context.rollouts).set(rollout.unit, { ...rollout, aside: { ...rollout.aside, ref: null } }) });
    }),
    /** A new actor takes over what the old one had; a unit that keeps throwing is failed; an instance beside a unit is taken over to be ended. */
    adoptAgain: act('recovered', (draft, { unit: name, adopt, at }) => {
      const [owner = name] = name.split('/');
      if (owner !== name) {
        if (adopt !== null) draft.rolloutSends.push({ to: 'aside', unit: owner, event: { type: 'adopt', at, record: adopt.record, verdict: adopt.verdict } });
        return cancelRollout(draft, owner, 'internal', at);
      }
      const unit = draft.units.get(name);
      if (unit === undefined) return;
      setUnit(draft, { ...unit, informed: unitOf(unit.spec, at).informed });
      if (draft.rollouts.has(name)) send(draft, name, { type: 'hold', at, dependency: SECOND_INSTANCE, stops: false, lost: null });
      const broken = (draft.crashes.get(name) ?? []).length >= CRASHES_ALLOWED.count;
      if (adopt !== null) {
        const owns = adopt.verdict === 'alive' || adopt.verdict === 'dead';
        const record: UnitRecord = broken ? { ...adopt.record, state: owns ? 'stopping' : 'failed', cause: 'internal' } : adopt.record;
        send(draft, name, { type: 'adopt', at, record, verdict: broken && !owns ? 'rest' : adopt.verdict });
      } else if (unit.facts.wanted === 'up') send(draft, name, { type: 'start', at, ticket: null });
      informOf(draft, name, at);
    }),
    stopAgain: act('recovered', (draft, { unit, at }) => send(draft, unit, { type: 'stop', at, ticket: null })),

    // ─── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────
    announceEnd: base.enqueueActions(({ context, event, enqueue }) => {
      const because = event.type === 'unit.changed' ? `essential unit '${event.facts.unit}' ended` : 'shutdown';
      enqueue.emit({ type: 'supervisor.ending', at: context.now, because, exitCode: context.exitCode });
    }),
    /** What a unit that survives SIGKILL still owes is answered without it. */
    closeOperations: base.enqueueActions(({ context, enqueue }) => {
      for (const { ref } of context.operations.values()) if (ref !== null) enqueue.sendTo(ref, { type: 'give.up', at: context.now, error: 'the supervisor ended while a process of the unit survives SIGKILL' });
    }),
    answerEnd: base.enqueueActions(({ context, enqueue }) => {
      const settlements = context.endTickets.map((ticket): Settlement => ({ ticket, unit: '', result: 'stopped', error: null }));
      if (settlements.length > 0) enqueue({ type: 'settle', params: { settlements } });
      enqueue.emit({ type: 'supervisor.ended', at: context.now, exitCode: context.exitCode });
    }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => {
    const units = Table.of(input.specs.map((spec) => [spec.name, unitOf(spec, input.at)] as const));
    return {
      units, dependents: dependentsIn(units), busy: 0, underOrder: 0, operations: new Map(), children: new Map(), childrenMade: 0, rollouts: new Map(), openSwitches: new Map(),
      slots: new Map(Object.entries(input.slots ?? {})), tokenSeed: input.tokenSeed, unitsMade: 0, seed: input.seed, crashes: new Map(), exitCode: 0, hurried: false, endTickets: [], now: input.at,
    };
  },
  entry: 'makeUnits',
  initial: 'working',
  states: {
    working: {
      initial: 'booting',
      on: {
        'unit.changed': [{ guard: 'isAside', actions: 'followAside' }, { actions: FOLLOW }],
        'unit.settled': { actions: 'passAnswers' },
        'unit.removed': [{ guard: 'isAside', actions: ['bury', 'reportAsideGone'] }, { actions: ['bury', 'replaceUnit', 'announce'] }],
        'operation.order': { actions: 'giveOrders' },
        'operation.done': { actions: 'closeOperation' },
        'rollout.order': { actions: 'passOrder' },
        'rollout.swap': { actions: 'swapInstances' },
        'rollout.changed': { actions: ['buryRollout', 'followRollout', 'announce'] },
        'child.changed': { actions: ['buryChild', 'followChild', 'announce'] },
        'child.limit': { actions: 'limitChild' },
        signal: { actions: 'passSignal' },
        'xstate.error.actor.*': { actions: 'noteCrash' },
        recovered: { actions: ['dropActor', 'adoptAgain'] },
        shutdown: { target: '.ending', actions: ['openShutdown', 'announceEnd'] },
      },
      states: {
        booting: { on: { boot: { target: 'serving', actions: ['takeOver', 'openBoot'] } } },
        serving: {
          on: {
            start: { actions: 'openStart' },
            stop: { actions: 'openStop' },
            restart: { actions: 'openRestart' },
            reload: { actions: 'openReload' },
            spawn: { actions: 'spawnChild' },
            'unit.changed': [
              { guard: 'isAside', actions: 'followAside' },
              { guard: 'isEssential', target: 'ending', actions: [...FOLLOW, 'openEssentialEnd', 'announceEnd'] },
              { actions: FOLLOW },
            ],
          },
        },
        ending: {
          always: { guard: 'allAtRest', target: '#supervisor.ended' },
          on: {
            start: { actions: 'refuse' },
            restart: { actions: 'refuse' },
            spawn: { actions: 'refuse' },
            stop: { actions: 'openStop' },
            shutdown: { actions: 'keepEndTicket' },
            hurry: { actions: ['hurryAll', 'hurryChildren'] },
            'unit.removed': [{ guard: 'isAside', actions: ['bury', 'reportAsideGone'] }, { actions: ['bury', 'forgetUnit', 'announce'] }],
            recovered: { actions: ['dropActor', 'adoptAgain', 'stopAgain'] },
          },
        },
      },
    },
    ended: { entry: ['closeOperations', 'answerEnd'] },
  },
});

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

export interface SupervisorPorts extends JobPorts, SpawnedPorts, RolloutPorts, LookupPort {
  readonly tickets: TicketPort;
}

/** The root that runs: `supervisorMachine` with the ports of it and of all its units filled. */
export function provideSupervisor(ports: SupervisorPorts): typeof supervisorMachine {
  return supervisorMachine.provide({
    actors: {
      service: provideService(ports), job: provideJob(ports), spawned: provideSpawned(ports), rollout: provideRollout(ports), operation: provideOperation(ports),
    },
    actions: {
      settle: (_, { settlements }) => settlements.forEach((settlement) => ports.tickets.settle(settlement)),
      lookup: ({ self }, { unit }) => ports.lookup(unit, self),
    },
  });
}

/** Whether everything has ended. */
export function hasEnded({ value }: Pick<SupervisorSnapshot, 'value'>): boolean {
  return value === 'ended';
}

/** Whether the start that the supervisor itself began with is under way, or the end. */
export function stageOf({ value, context }: Pick<SupervisorSnapshot, 'value' | 'context'>): 'starting' | 'serving' | 'ending' {
  if (value === 'ended' || value.working === 'ending') return 'ending';
  const isBoot = [...context.operations.values()].some(({ input }) => input.parts.some(({ origin }) => origin.kind === 'boot'));
  return isBoot || value.working === 'booting' ? 'starting' : 'serving';
}

// ─── Parts of the actions ────────────────────────────────────────────────────────────────────────────────────────────

/** The instance that is being ended gets SIGKILL. */
function hurry(draft: Draft, { unit, place, state }: UnitFacts): void {
  if (state !== 'stopping' && state !== 'clearing') return;
  const event = { type: 'hurry', at: draft.now } as const;
  if (place === 'current') send(draft, unit, event);
  else draft.rolloutSends.push({ to: 'aside', unit, event });
}

/** Answers go to the operation whose order they answer; those of a stop wait until the second instance is gone too. */
function passAnswers(draft: Draft, settlements: readonly Settlement[], at: number): void {
  for (const settlement of settlements) {
    const rollout = draft.rollouts.get(settlement.unit);
    const hasSecond = rollout !== undefined && rollout.mode !== 'switch-back';
    if (hasSecond && settlement.result === 'stopped') setRollout(draft, { ...rollout, owed: [...rollout.owed, settlement] });
    else draft.operationSends.push({ operation: settlement.ticket, event: { type: 'unit.settled', at, settlement } });
  }
}

/** Operations in which another unit waits for this one learn that it has made way. */
function clearTheWay(draft: Draft, unit: string, at: number): void {
  const way = wayOf(draft, unit);
  if (way.isDown || way.isThrough) sendWay(draft, { type: 'way.clear', at, unit, ...way });
}

function sendWay(draft: Draft, event: Extract<OperationEvent, { type: 'way.clear' }>): void {
  for (const [operation, { blockers }] of draft.operations) if (blockers.has(event.unit)) draft.operationSends.push({ operation, event });
}

function leave(draft: Draft, { unit, at, settlements }: Of<'unit.removed'>, mayReturn: boolean): void {
  passAnswers(draft, settlements, at);
  for (const child of draft.children.values()) {
    if (child.record.order.unit === unit && isLiving(child)) draft.endings.push({ child: child.record.id, cause: 'service' });
  }
  takeAway(draft, unit, at, mayReturn);
  informDependents(draft, unit, at);
  clearTheWay(draft, unit, at);
}

/** The candidate could not run beside the old instance: its address is in use. */
function replacePlainly(draft: Draft, name: string, spec: ServiceSpec, ticket: number | null, at: number): void {
  expect(draft, [name], at);
  redefine(draft, name, spec, at);
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  setUnit(draft, { ...unit, expected: isAboutToChange(unit.facts, 'restart') });
  send(draft, name, { type: 'restart', at, ticket, spec, note: 'not rolling: its address is in use while the old instance runs' });
}

/** The exit code with which the end of an essential unit ends everything; null when it does not. */
function essentialCode(context: SupervisorContext, facts: UnitFacts): number | null {
  const spec = context.units.get(facts.unit)?.spec;
  if (spec === undefined || !spec.essential) return null;
  if (facts.state === 'failed') return exitCodeOf(facts.exit) || 1;
  return facts.state === 'stopped' && facts.outcome === 'completed' && spec.restart.oneshot ? exitCodeOf(facts.exit) : null;
}

/** What no two actors may have in common. */
function seedOf({ tokenSeed, seed, now }: SupervisorContext, made: number): Pick<ServiceInput, 'tokenBase' | 'seed' | 'at'> {
  return { tokenBase: `${tokenSeed}.${made}`, seed: (seed + made * 0x9e3779b9) | 0, at: now };
}

function unmetOf({ units }: SupervisorContext, name: string): readonly string[] {
  return Object.entries(units.get(name)?.informed ?? {}).filter(([, { met }]) => !met).map(([dependency]) => dependency);
}

function childId(child: string): string {
  return `child.${child}`;
}

/** A child whose actor threw gets another one; one whose process is unknown is left to its service's end. */
function withoutActor(children: SupervisorContext['children'], id: string): SupervisorContext['children'] {
  const child = children.get(id);
  const left = new Map(children);
  if (child === undefined || child.facts.identity === null || child.facts.state !== 'living') left.delete(id);
  else left.set(id, { ...child, record: { ...child.record, identity: child.facts.identity }, ref: null, ticket: null });
  return left;
}

/** XState's own event, which the union of ours does not name. */
function crashOf(context: SupervisorContext, event: object): {
  readonly whose: { readonly unit: string; readonly id: string; readonly part: 'unit' | 'aside' | 'rollout' | 'child' } | null; readonly error: string;
} {
  const id = 'actorId' in event ? event.actorId : null;
  const error = 'error' in event ? event.error : null;
  const parts = [
    ...[...context.units.values()].map(({ name, ref }) => ({ unit: name, id: name, part: 'unit' as const, ref })),
    ...[...context.rollouts.values()].flatMap(({ unit, ref, aside }) => [{ unit, id: unit, part: 'aside' as const, ref: aside.ref }, { unit, id: unit, part: 'rollout' as const, ref }]),
    ...[...context.children.values()].map(({ record, ref }) => ({ unit: record.order.unit, id: record.id, part: 'child' as const, ref })),
  ];
  return { whose: parts.find(({ ref }) => ref !== null && ref.id === id) ?? null, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
