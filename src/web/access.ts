import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { isIP } from 'node:net';
import { refuse, textOf, type Refused } from '../errors.ts';
import type { Parsed } from '../words.ts';

/** Who may see the page: a client that knows the token, by a name that is the server's own. */
export interface Access {
  readonly cookieName: string;
  /** Derived from the token, so that it outlives the server where the token does. */
  readonly cookie: string;
  /**
   * Whether a client may call the server by this name. A page of another site that resolves its name to our address is refused by it (DNS rebinding).
   */
  isOurName(host: string): boolean;
  /** Whether a page from there is ours: it has the name that the client called, or one that was allowed, at whatever port a proxy serves that. */
  isOurPage(origin: string, host: string): boolean;
  isToken(word: string): boolean;
  isCookie(word: string): boolean;
  /** Whether the word in an address is good for an entrance. One that is gets in once, and is `used` from then on. */
  judge(word: string): 'good' | 'used' | 'wrong';
  /** After an entrance by a good word. */
  use(word: string): void;
}

export interface AccessRules {
  /** Further names of the server, as `parseAllowedHost` gives them: those by which a proxy is called. */
  readonly allowedHosts?: readonly string[];
  /** Called with the next word when one was used. Absent: the token is good for any number of entrances. */
  readonly onUsed?: (next: string) => void;
}

const LEAST_TOKEN = 16;
/** Of these it is known that they were used; an older one is said to be wrong. */
const MOST_USED = 100;

export function openAccess(token: string, address: ListenAddress, { onUsed, allowedHosts = [] }: AccessRules = {}): Access {
  const cookie = createHash('sha256').update(`sysg-web-cookie\n${token}`).digest('base64url');
  let good = token;
  const used: string[] = [];
  const names = new Set(['localhost', address.host.toLowerCase(), ...(isLoopback(address) ? [] : [hostname().toLowerCase()]), ...allowedHosts]);
  return {
    cookie, cookieName: `sysg_web_${address.port}`,
    isOurName: (host) => {
      const name = bareHost(host);
      // An address cannot be rebound; a name can.
      return name !== null && (names.has(name) || (isLoopback(address) ? isLoopback({ host: name, port: 0 }) : isIP(name) !== 0));
    },
    isOurPage: (origin, host) => {
      const [, called = ''] = /^https?:\/\/(.+)$/.exec(origin) ?? [];
      return called === host || allowedHosts.includes(bareHost(called) ?? '');
    },
    isToken: (word) => isSame(word, token),
    isCookie: (word) => isSame(word, cookie),
    judge: (word) => (isSame(word, good) ? 'good' : used.some((one) => isSame(word, one)) ? 'used' : 'wrong'),
    use: (word) => {
      if (onUsed === undefined || !isSame(word, good)) return;
      used.push(good);
      if (used.length > MOST_USED) used.shift();
      good = randomToken();
      onUsed(good);
    },
  };
}

export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The token in a file that its owner alone may read. */
export function readToken(path: string): { readonly ok: true; readonly token: string } | Refused {
  try {
    const { mode, uid } = statSync(path);
    if ((mode & 0o077) !== 0) return refuse(`${path} may be read by others (mode ${(mode & 0o777).toString(8)}): expected 600; chmod 600 ${path}`);
    const own = process.geteuid?.() ?? uid;
    if (uid !== own && own !== 0) return refuse(`${path} belongs to user ${uid}: expected a file of user ${own}`);
    const token = readFileSync(path, 'utf8').trim();
    if (!/^[\x21-\x7e]+$/.test(token) || token.length < LEAST_TOKEN) {
      return refuse(`${path} has no usable token: expected at least ${LEAST_TOKEN} printable characters on one line, as from: head -c 32 /dev/urandom | base64`);
    }
    return { ok: true, token };
  } catch (error) {
    return refuse(`the token file cannot be read: ${textOf(error)}`);
  }
}

/** The host of a Host header, without its port and brackets, in lower case; null for what is none. */
function bareHost(header: string): string | null {
  const [, v6, name] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?$/.exec(header) ?? [];
  return (v6 ?? name)?.toLowerCase() ?? null;
}

/** In a time that does not depend on where they differ. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** Where the page is served. `host` without brackets. */
export interface ListenAddress { readonly host: string; readonly port: number }

export const defaultAddress = '127.0.0.1:9080';

/** `127.0.0.1:9080`, `[::1]:9080`, `localhost:9080`; a port alone is one of the loopback address. Port 0 lets the kernel choose. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const [, v6, name, digits = ''] = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]*)):)?([0-9]{1,5})$/.exec(text.trim()) ?? [];
  const host = v6 ?? (name || '127.0.0.1');
  const port = Number(digits);
  if (digits === '' || port > 65_535 || (v6 !== undefined && isIP(v6) !== 6))
    return { ok: false, expected: 'an address with a port, such as 127.0.0.1:9080 or [::1]:9080' };
  return { ok: true, value: { host, port } };
}

/** A name, or an address, by which a client may call the server, as browsers write it: without a port, since a proxy may serve it at any. */
export function parseAllowedHost(text: string): Parsed<string> {
  const written = isIP(text) === 6 ? `[${text}]` : text;
  const isBare = /^(\[[^\]]+\]|[^\s/:?#@%\\]+)$/.test(written) && URL.canParse(`http://${written}`);
  const [, v6, name] = /^(?:\[(.+)\]|((?:[a-z0-9_-]+\.)*[a-z0-9_-]+))$/.exec(isBare ? new URL(`http://${written}`).hostname : '') ?? [];
  const host = v6 ?? name;
  return host === undefined
    ? { ok: false, expected: 'the name of a host, such as sysg.example.org, or its address, without a scheme, port, path or pattern' }
    : { ok: true, value: host };
}

/** Whether only this machine reaches the address: RFC 1122 (127.0.0.0/8), RFC 4291 (::1). */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
