import { isIP } from 'node:net';
import type { Parsed } from '../words.ts';

/** Where the page is served. `host` without brackets. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

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

/** Whether only this machine reaches the address: RFC 1122 (127.0.0.0/8), RFC 4291 (::1). */
export function isLoopback({ host }: ListenAddress): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
