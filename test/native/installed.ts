import { createRequire } from 'node:module';
import { attempt } from '../../src/errors.ts';

/**
 * Whether the optional library of the native port is installed; where it is and does not load, tests fail. Without it, after `npm ci` and `rm -r node_modules/koffi`,
 * what is about the port alone is skipped, and all else has to pass.
 */
export const hasKoffi = process.platform === 'linux' && attempt(() => createRequire(import.meta.url).resolve('koffi') !== '', false);
