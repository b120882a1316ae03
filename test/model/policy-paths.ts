import { adjacencyMapToArray, getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { policyChart, type DocumentedContext, type DocumentedEvent, type DocumentedPolicy } from './policy-chart.ts';

export interface PolicyStep {
  readonly event: DocumentedEvent['type'];
  readonly state: 'running' | 'backoff' | 'completed' | 'failed';
  readonly context: DocumentedContext;
}

const modes = ['always', 'on-failure', 'never'] as const;
const backoff = { initialMs: 1000, maxMs: 5000, factor: 3 } as const;

export const documentedPolicies: readonly DocumentedPolicy[] = modes.flatMap((mode) => [false, true].flatMap((oneshot) =>
  [0, 1, 2, null].flatMap((limit) => [false, true].map((window): DocumentedPolicy => ({
    restart_policy: mode, oneshot, max_restarts: limit, restart_window: window, backoff,
  })))));

/** The shortest way to every state of the chart, and from there one step each way; the beginnings of longer ways left out. */
export function pathsOf(policy: DocumentedPolicy): readonly (readonly PolicyStep[])[] {
  const serializeState = ({ value, context }: { readonly value: unknown; readonly context: DocumentedContext }): string =>
    `${String(value)} ${context.counted} ${context.inARow} ${context.restarts} ${context.delayMs}`;
  const edges = adjacencyMapToArray(getAdjacencyMap(policyChart, { input: policy, serializeState }));
  const ways = getShortestPaths(policyChart, { input: policy, serializeState }).flatMap(({ state, steps }) => {
    const way = steps.filter(({ event }) => !event.type.startsWith('xstate.')).map(({ state: to, event }) => stepTo(to, event));
    const onward = edges.filter((edge) => serializeState(edge.state) === serializeState(state) && edge.nextState !== edge.state);
    return [way, ...onward.map(({ nextState, event }) => [...way, stepTo(nextState, event)])];
  });
  const beginnings = new Set(ways.flatMap((way) => way.slice(0, -1).map((_, index) => nameOfPath(way.slice(0, index + 1)))));
  const named = new Map(ways.map((way) => [nameOfPath(way), way]));
  return [...named].filter(([name, way]) => way.length > 0 && !beginnings.has(name)).map(([, way]) => way);
}

function stepTo({ value, context }: { readonly value: unknown; readonly context: DocumentedContext }, event: { readonly type: string }): PolicyStep {
  return { event: event.type as DocumentedEvent['type'], state: value as PolicyStep['state'], context };
}

export function nameOfPath(path: readonly PolicyStep[]): string {
  return path.map(({ event }) => event).join(', ');
}
