import type { Consequence } from './consequence.ts';
import { CLEARING, KILLING, until } from './ending.ts';
import { REMOVED } from './ends.ts';
import type { ServiceEvent } from './events.ts';
import type { Verdict } from './policy.ts';
import type { OwnedProcess } from './process-facts.ts';
import type { ServiceContext } from './service-facts.ts';
import { KINDS } from './service-setup.ts';
import type { Afterwards, Survival } from './survival.ts';
import type { Cause, Leaf, Settlement } from './unit-facts.ts';

/** Rows and references of the chart in `service.ts` that are written more than once. */

interface Given {
  readonly context: ServiceContext;
}

export function ending(then: Afterwards | 'leave') {
  return ['#service.ending.process.stopping', `#service.ending.afterwards.${then}`] as const;
}

/** The leader has ended by itself. */
export function clearing() {
  return ['#service.ending.process.clearing', '#service.ending.afterwards.judge'] as const;
}

/** One step of the preparation: a process of its own, ended with all that it left before the next one begins. */
export function step(role: 'skip' | 'pre_start') {
  return {
    entry: [own(role), until('task'), 'launch'],
    initial: 'going',
    states: {
      going: { on: { 'process.spawned': { actions: 'identify' }, 'process.exited': { target: 'clearing', actions: 'recordExit' } } },
      clearing: CLEARING,
      killing: KILLING,
    },
  } as const;
}

/** When nothing of the process is left, or it never came to be. */
export function gone<const Target extends string, const Actions extends readonly unknown[]>(target: Target, ...actions: Actions) {
  return { 'process.gone': { target, actions }, 'process.refused': { target, actions: ['refuse', ...actions] } } as const;
}

export function own(role: OwnedProcess['role']) {
  return { type: 'own', params: { role } } as const;
}

export function because(cause: Cause) {
  return { type: 'because', params: { cause } } as const;
}

export function means(is: Consequence, state: Leaf) {
  return { type: 'consequenceIs', params: { is, in: state } } as const;
}

export function verdictIs(verdict: Verdict) {
  return { type: 'verdictIs', params: { verdict } } as const;
}

export function survives(as: Survival) {
  return { type: 'survivesAs', params: { as } } as const;
}

export function settle(which: keyof typeof KINDS, result: Settlement['result']) {
  return { type: 'settle', params: { kinds: KINDS[which], result, error: null } } as const;
}

/** `why` null: the reason is the end of the attempt at hand. */
export function settleFailed(which: keyof typeof KINDS, why: (context: ServiceContext) => string | null = () => null) {
  return { type: 'settle', params: ({ context }: Given) => ({ kinds: KINDS[which], result: 'failed' as const, error: why(context) }) } as const;
}

/** Of those that wait for a start, by a stop or a removal; not where the next run answers them. */
export function supersede() {
  return {
    type: 'settle',
    params: ({ event }: { readonly event: ServiceEvent }) => ({
      kinds: event.type === 'stop' && event.followed === true ? [] : KINDS.start, result: 'failed' as const,
      error: event.type === 'stop' ? (event.because ?? 'superseded by stop') : REMOVED,
    }),
  } as const;
}

export function survivor({ process }: ServiceContext): string {
  return `pid ${process?.identity?.pid ?? '?'} survives SIGKILL (state D)`;
}
