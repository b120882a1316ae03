import type { IncomingMessage } from 'node:http';
import type { SecureContext } from 'node:tls';
import { connectFailure, refuse, type Refused } from '../../errors.ts';
import type { CommandResult } from '../../process/run-command.ts';

export interface UrlRequest {
  readonly url: string;
  /** Null: any 2xx. */
  readonly expectStatus: readonly number[] | null;
  readonly signal: AbortSignal;
  /** A file of certificates to trust beside Node's own. */
  readonly certificates: string | undefined;
}

/**
 * GET, straight to the target: no proxy that the environment names is used. Redirects are followed, at most ten, unless their status is an
 * expected one. The status decides; the body is read and thrown away. Rejects with nothing but our own mistakes.
 */
export async function answers(request: UrlRequest): Promise<CommandResult> {
  const { expectStatus } = request;
  let target = new URL(request.url);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await get(target, request);
    if (!answer.ok) return answer;
    const { status, location } = answer;
    if (expectStatus === null ? status >= 200 && status <= 299 : expectStatus.includes(status)) return { ok: true };
    const expected = expectStatus === null ? '2xx' : expectStatus.join(' or ');
    if (!redirecting.has(status) || location === null) return refuse(`got status ${status} from ${shown(target)}, expected ${expected}`);
    if (redirects === mostRedirects) return refuse(`was redirected more than ${mostRedirects} times, last to ${shown(target)}`);
    const next = URL.canParse(location, target.href) ? new URL(location, target) : null;
    if (next === null || !['http:', 'https:'].includes(next.protocol)) {
      return refuse(`was redirected from ${shown(target)} to ${JSON.stringify(location)}, which is no http or https URL`);
    }
    target = next;
  }
}

const mostRedirects = 10;
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const bodyLimit = { bytes: 64 * 1024, ms: 1000 } as const;

type Answer = { readonly ok: true; readonly status: number; readonly location: string | null } | Refused;

async function get(target: URL, { signal, certificates }: UrlRequest): Promise<Answer> {
  const secure = target.protocol === 'https:';
  const { request } = secure ? await import('node:https') : await import('node:http');
  const secureContext = secure && certificates !== undefined ? await trusting(certificates) : null;
  return new Promise((resolve) => {
    const asked = request(target, {
      agent: false, signal, headers: { accept: '*/*', 'user-agent': 'sysg' }, ...(secureContext !== null && { secureContext }),
    }, (response) => {
      discard(response);
      resolve({ ok: true, status: response.statusCode ?? 0, location: response.headers.location ?? null });
    });
    // Stays: what breaks after the answer must not be an uncaught error.
    asked.on('error', (error) => resolve(refuse(`got no answer from ${shown(target)}: ${connectFailure(error, target.hostname)}`)));
    asked.end();
  });
}

/** A server may well send for ever. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  const impatience = setTimeout(() => response.destroy(), bodyLimit.ms).unref();
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bodyLimit.bytes) response.destroy();
  });
  response.on('error', () => undefined);
  response.on('close', () => clearTimeout(impatience));
}

/** Without what may be secret in it. */
function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

/** NODE_EXTRA_CA_CERTS as Node reads it, but only when an https check wants it; a file that cannot be read is as good as none, as there. */
function trusting(file: string): Promise<SecureContext | null> {
  trusted ??= Promise.all([import('node:tls'), import('node:fs/promises')])
    .then(async ([tls, fs]) => tls.createSecureContext({ ca: [...tls.rootCertificates, await fs.readFile(file, 'utf8')] }))
    .catch(() => null);
  return trusted;
}

let trusted: Promise<SecureContext | null> | null = null;
