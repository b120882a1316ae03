import { signatures, type CLibrary, type ForeignFunctions, type ForeignType } from './library.ts';

/** Whether it is opened in less than a millisecond, and without waiting. */
export const opensAtOnce: boolean = false;

/** By koffi, an optional dependency that is loaded from where the package is installed. Rejects where it is not. */
export const openLibrary: () => CLibrary | Promise<CLibrary> = async () => {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const bound = Object.entries(signatures).map(([name, [result, ...parameters]]) =>
    [name, library.func(name, types[result], parameters.map((type) => types[type]))]);
  const call: ForeignFunctions = Object.fromEntries(bound);
  return {
    call,
    errno: () => koffi.errno(),
    addressOf: (buffer) => koffi.address(buffer),
    watch: (descriptor, onReadable) => {
      const onReady = (): void => {
        onReadable();
        // What is called by koffi is not followed by what promises wait for, which an immediate is.
        if (isFollowed) return;
        isFollowed = true;
        setImmediate(() => void (isFollowed = false));
      };
      const handle = koffi.node.poll(descriptor, { readable: true }, onReady);
      handle.unref();
      return { pause: () => handle.stop(), resume: () => handle.start({ readable: true }, onReady), close: () => handle.close() };
    },
  };
};

let isFollowed = false;

const types: Readonly<Record<ForeignType, string>> = { int: 'int', short: 'short', size: 'size_t', offset: 'int64_t', pointer: 'void *' };
