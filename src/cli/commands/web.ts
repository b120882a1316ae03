import { refusals, textOf } from '../../errors.ts';
import { defaultAddress, isLoopback, parseAllowedHost, parseListenAddress, randomToken, readToken } from '../../web/access.ts';
import { parseCompat } from '../../web/metrics/compat.ts';
import { linkTo, serve, type WebServer } from '../../web/serve.ts';
import { supervisorsToWatch } from '../../web/supervisors.ts';
import { openBrowser } from '../launch/open-browser.ts';
import type { Call } from '../call.ts';
import { besideEvery } from '../names.ts';
import { options } from '../options.ts';

/** Serves the live page until it is ended by a signal. A process of its own: the supervisor only ever answers it. */
export async function web(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const listen = flags.text(options.listen) ?? defaultAddress;
  const parsed = parseListenAddress(listen);
  if (!parsed.ok) return terminal.refuse(refusals.usage(`--listen: expected ${parsed.expected}, got "${listen}"`));
  const every = flags.has(options.every);
  const unfit = every ? besideEvery(call) : null;
  if (unfit !== null) return terminal.refuse(unfit);
  const address = parsed.value;
  const allowedHosts: string[] = [];
  for (const text of flags.texts(options.allowedHost)) {
    const host = parseAllowedHost(text);
    if (!host.ok) return terminal.refuse(refusals.usage(`--allowed-host: expected ${host.expected}, got "${text}"`));
    allowedHosts.push(host.value);
  }
  const tokenFile = flags.text(options.tokenFile);
  if (tokenFile === null && !isLoopback(address)) {
    return terminal.refuse(refusals.usage(`--listen ${listen} is reached from other machines: expected --token-file with it (a file of mode 600 with at least 16 characters)`));
  }
  const read = tokenFile === null ? { ok: true as const, token: randomToken() } : readToken(tokenFile);
  if (!read.ok) return terminal.refuse(refusals.runtime(read.reason));
  let server: WebServer;
  try {
    server = await serve({
      supervisors: supervisorsToWatch(call, every), address, token: read.token, allowedHosts,
      ...(tokenFile === null && { onLinkUsed: (next: string) => terminal.print(`The link was used; for another browser: ${next}`) }),
      readOnly: flags.has(options.readOnly), compat: parseCompat(flags.text(options.compat) ?? '') ?? [], onProblem: (text) => terminal.warn(text),
    });
  } catch (error) {
    return terminal.refuse(refusals.runtime(textOf(error)));
  }
  const link = linkTo(server.url, read.token);
  terminal.print(tokenFile === null ? link : `${server.url}  (the token is in ${tokenFile})`);
  if (flags.has(options.open)) openBrowser(link, (text) => terminal.warn(text));
  await new Promise<void>((ended) => void process.once('SIGINT', () => ended()).once('SIGTERM', () => ended()).once('SIGHUP', () => ended()));
  await server.close();
  return 0;
}
