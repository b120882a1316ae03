import type * as Koffi from 'koffi';
import { signatures, type CLibrary, type ForeignFunctions, type ForeignType } from './library.ts';
import type { Watch } from './port.ts';

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
    watch: (descriptor, onReadable) => new PolledDescriptor(koffi.node.poll, descriptor, onReadable),
  };
};

class PolledDescriptor implements Watch {
  readonly #handle: ReturnType<typeof Koffi.node.poll>;
  readonly #onReady: () => void;

  constructor(poll: typeof Koffi.node.poll, descriptor: number, onReadable: () => void) {
    this.#onReady = () => {
      onReadable();
      // What is called by koffi is not followed by what promises wait for, which an immediate is.
      if (isFollowed) return;
      isFollowed = true;
      setImmediate(() => void (isFollowed = false));
    };
    this.#handle = poll(descriptor, { readable: true }, this.#onReady);
    this.#handle.unref();
  }

  pause(): void {
    this.#handle.stop();
  }

  resume(): void {
    this.#handle.start({ readable: true }, this.#onReady);
  }

  close(): void {
    this.#handle.close();
  }
}

let isFollowed = false;

const types: Readonly<Record<ForeignType, string>> = { int: 'int', short: 'short', size: 'size_t', offset: 'int64_t', pointer: 'void *' };
