import { useEffect, useState } from 'preact/hooks';
import { makeGather } from './gather.ts';
import { failureText, get } from './server.ts';

/** What the server says at `path`; the last answer stays while the next one is asked for. `version`: asked again when it changes. */
export function useFetched<Answer>(path: string | null, version: unknown = 0): { readonly data: Answer | null; readonly error: string | null } {
  const [state, setState] = useState<{ readonly path: string | null; readonly data: Answer | null; readonly error: string | null }>({ path: null, ...NOTHING });
  useEffect(() => {
    if (path === null) return undefined;
    const stop = new AbortController();
    get<Answer>(path, stop.signal).then((data) => setState({ path, data, error: null }), (error: unknown) => {
      if (!stop.signal.aborted) setState((before) => ({ path, data: before.path === path ? before.data : null, error: failureText(error) }));
    });
    return () => stop.abort();
  }, [path, version]);
  return state.path === path ? state : NOTHING;
}

const NOTHING = { data: null, error: null };

/** Counts up, at most every `leastMs`, while `bump` is called. */
export function useVersion(leastMs: number): readonly [number, () => void] {
  const [version, setVersion] = useState(0);
  const [turns] = useState(() => makeGather<null>(() => setVersion((before) => before + 1), { most: 1, withinMs: leastMs }));
  const [bump] = useState(() => () => turns.add([null]));
  useEffect(() => turns.clear, []);
  return [version, bump];
}
