import type { SignalName } from '../../machines/types.ts';
import { bareSignal, signalNamed, signalNames } from '../signals.ts';
import { didYouMean } from '../words.ts';
import { worded, type Kind } from './kind.ts';

/** A signal by name, with or without `SIG`, any case. */
export const signal: Kind<SignalName> = worded((text) => {
  const found = signalNamed(text);
  if (found !== null) return { ok: true, value: found };
  return { ok: false, expected: 'a signal name such as SIGTERM', hint: didYouMean(`SIG${bareSignal(text)}`, signalNames) };
}, { type: 'string', examples: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'] }, 'a signal name such as SIGTERM');
