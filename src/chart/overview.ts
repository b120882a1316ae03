import type { Chart, ChartEdge } from './model.ts';

/**
 * A condensed chart that fits beside other things: of a parallel state its first region, and what the other regions decide is said of the state as a whole;
 * without the end of the machine itself.
 */
export function overviewChart(chart: Chart): Chart {
  const regions = new Map(chart.states.filter(({ kind }) => kind === 'region').map((state) => [state.id, state]));
  const firstOf = new Map([...regions.values()].toReversed().map(({ id, parent }) => [parent, id]));
  const regionOf = (id: string): string | undefined => [...regions.keys()].find((region) => id === region || id.startsWith(`${region}.`));
  const isAside = (id: string): boolean => {
    const region = regionOf(id);
    return region !== undefined && firstOf.get(regions.get(region)?.parent ?? null) !== region;
  };
  const ends = new Set(chart.states.filter(({ parent, kind }) => parent === null && kind === 'final').map(({ id }) => id));
  const frameOf = (id: string): string => regions.get(regionOf(id) ?? '')?.parent ?? id;
  const states = chart.states.filter(({ id, kind }) => kind !== 'region' && !ends.has(id) && !isAside(id)).map((state) => ({
    ...state, kind: state.kind === 'parallel' ? 'compound' as const : state.kind, parent: state.parent !== null && regions.has(state.parent) ? frameOf(state.parent) : state.parent,
  }));
  const edges = chart.edges.flatMap((edge): readonly ChartEdge[] => {
    const { from, to } = edge;
    if (to !== null && (ends.has(to) || isAside(to))) return [];
    const kept = { ...edge, beside: edge.beside.filter((id) => !isAside(id)) };
    return from !== null && isAside(from) ? [{ ...kept, from: frameOf(from) }] : [kept];
  });
  return { ...chart, states, edges, remarks: [] };
}
