import { shownConfigPath } from '../config-path.ts';
import type { Failure } from './ask.ts';
import type { Call } from './call.ts';
import { configInUse } from './hints.ts';

/** A service that was added to the file since the running supervisor read the file is not missing there: the refusal says what makes it known. */
export async function withUnread<Failed extends Failure>(call: Call, failure: Failed): Promise<Failed> {
  const path = call.host === null && unknownService.test(failure.refusal.message) ? configInUse(call) : null;
  if (path === null) return failure;
  const { loadConfigFor } = await import('./load-config.ts');
  const loaded = loadConfigFor(call, path);
  if (!loaded.ok) return failure;
  const written = new Set(loaded.config.services.map(({ name }) => name));
  const message = failure.refusal.message.replaceAll(new RegExp(unknownService, 'gm'), (sentence, name: string) => (written.has(name)
    ? `Service '${name}' is in ${shownConfigPath(path)}, which the supervisor has not read since the service was added; to apply the file: sysg ${call.system ? '--sys ' : ''}reload`
    : sentence));
  return { ...failure, refusal: { ...failure.refusal, message } };
}

const unknownService = /^Service '([^']+)' not found in configuration.*$/m;
