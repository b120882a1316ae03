import { signatures, type CLibrary, type ForeignFunctions, type ForeignType } from './library.ts';

/** By koffi, an optional dependency that is loaded from where the package is installed. Rejects where it is not. */
export async function openLibrary(): Promise<CLibrary> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const bound = Object.entries(signatures).map(([name, [result, ...parameters]]) =>
    [name, library.func(name, types[result], parameters.map((type) => types[type]))]);
  const call: ForeignFunctions = Object.fromEntries(bound);
  return { call, errno: () => koffi.errno() };
}

const types: Readonly<Record<ForeignType, string>> = { int: 'int', short: 'short', size: 'size_t', offset: 'int64_t', pointer: 'void *' };
