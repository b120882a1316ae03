import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { until } from './until.ts';

/** Resolves when nothing holds the object any more. */
export async function collected(what: string, object: WeakRef<object>): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect !== 'function') throw new Error('V8 gives no collector');
  await until(`${what} is let go of`, () => {
    collect();
    return object.deref() === undefined;
  });
}
