import { isIP } from 'node:net';
import type { Parsed } from '../words.ts';

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
