import { beforeAll, expect, test, vi } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
import { hasKoffi } from './installed.ts';

// What the other files show with the port is shown once more without it, by modules of their own.
beforeAll(() => {
  vi.stubEnv('SYSG_NATIVE', '0');
  return () => {
    vi.unstubAllEnvs();
    // The next file in this process would find the port to be absent.
    vi.resetModules();
  };
});

test('there is no port where it is not wanted', async () => {
  vi.resetModules();
  const { loadNative: loadAnew, nativePort } = await import('../../src/native/load.ts');
  expect([await loadAnew(), nativePort()]).toEqual([null, null]);
  vi.unstubAllEnvs();
  expect(await loadNative() !== null).toBe(hasKoffi);
  vi.stubEnv('SYSG_NATIVE', '0');
});

vi.resetModules();
await import('../logs/store.test.ts');
await import('../logs/child-logs.test.ts');
await import('../logs/logger.test.ts');
