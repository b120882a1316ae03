import { constants } from 'node:os';
import type { SignalName } from '../../machines/types.ts';
import { worded, type Kind } from './kind.ts';
import { didYouMean } from './near-miss.ts';

/** A signal by name, with or without `SIG`, any case. */
export const signal: Kind<SignalName> = worded((text) => {
  const bare = text.toUpperCase().replace(/^SIG/, '');
  const found = Object.keys(constants.signals).find((name): name is NodeJS.Signals => name === `SIG${bare}`);
  if (found !== undefined) return { ok: true, value: found };
  return { ok: false, expected: 'a signal name such as SIGTERM', hint: didYouMean(`SIG${bare}`, Object.keys(constants.signals)) };
}, { type: 'string', examples: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'] }, 'a signal name such as SIGTERM');
