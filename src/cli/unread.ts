import { shownConfigPath } from '../config-path.ts';
import { shellWord } from '../words.ts';
import type { Call } from './call.ts';
import { commandStart, configInUse } from './hints.ts';

/** A service that is in the file and not in the running supervisor is not missing: where `text` says that, the sentence says instead what makes the service known. */
export async function withUnread(call: Call, text: string): Promise<string> {
  const path = call.host === null && unknownService.test(text) ? configInUse(call) : null;
  if (path === null) return text;
  const [{ loadConfigFor }, { profilesOf }] = await Promise.all([import('./load-config.ts'), import('../config/profiles.ts')]);
  const loaded = loadConfigFor(call, path);
  if (!loaded.ok) return text;
  const { services, profiles } = loaded.config;
  const whose = commandStart(call);
  return text.replaceAll(new RegExp(unknownService, 'gm'), (sentence, name: string) => {
    if (!services.some((service) => service.name === name)) return sentence;
    const place = `Service '${name}' is in ${shownConfigPath(path)}`;
    const own = profilesOf(profiles, name);
    return own.length > 0
      ? `${place}, and left out as long as none of its profiles (${own.join(', ')}) is chosen; to start it: ${whose}start ${shellWord(name)}`
      : `${place}, which the supervisor has not read since the service was added; to apply the file: ${whose}reload`;
  });
}

const unknownService = /^Service '([^']+)' not found in configuration.*$/m;
