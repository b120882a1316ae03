import type * as Koffi from 'koffi';
import { signatures, type CLibrary, type ForeignFunctions, type ForeignType } from './library.ts';
import type { Watch } from './port.ts';

/** Opens it in less than a millisecond; null where it takes longer, or cannot be done without waiting. */
export const openAtOnce: (() => CLibrary) | null = null;

/** By koffi, an optional dependency that is loaded from where the package is installed. Rejects where it is not. */
export async function openLibrary(): Promise<CLibrary> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const bound = Object.entries(signatures).map(([name, [result, ...parameters]]) =>
    [name, library.func(name, types[result], parameters.map((type) => types[type]))]);
  const call: ForeignFunctions = Object.fromEntries(bound);
  return {
    call,
    errno: () => koffi.errno(),
    addressOf: (buffer) => koffi.address(buffer),
    watch: (descriptor, onReadable) => watchWith(koffi.node.poll, descriptor, onReadable),
  };
}

function watchWith(poll: typeof Koffi.node.poll, descriptor: number, onReadable: () => void): Watch {
  const ready = (): void => {
    onReadable();
    // What is called by koffi is not followed by what promises wait for, which an immediate is.
    if (isFollowed) return;
    isFollowed = true;
    setImmediate(() => void (isFollowed = false));
  };
  const handle = poll(descriptor, { readable: true }, ready);
  handle.unref();
  return { pause: () => handle.stop(), resume: () => handle.start({ readable: true }, ready), close: () => handle.close() };
}

let isFollowed = false;

const types: Readonly<Record<ForeignType, string>> = { int: 'int', short: 'short', size: 'size_t', offset: 'int64_t', pointer: 'void *' };
