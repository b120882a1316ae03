import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLoopback, openAccess, parseAllowedHost, parseListenAddress, randomToken, readToken } from '../../src/web/access.ts';
import { urlHost } from '../../src/words.ts';
import { makeCall } from './rig.ts';

test.each([
  ['127.0.0.1:9080', '127.0.0.1:9080', true], ['9081', '127.0.0.1:9081', true], [':0', '127.0.0.1:0', true], ['[::1]:80', '[::1]:80', true], ['localhost:1', 'localhost:1', true],
  ['0.0.0.0:9080', '0.0.0.0:9080', false], ['[::]:9080', '[::]:9080', false], ['example.org:80', 'example.org:80', false], ['127.evil.example:80', '127.evil.example:80', false],
])('%s is an address', (text, written, loopback) => {
  const parsed = parseListenAddress(text);
  if (!parsed.ok) throw new Error(parsed.expected);
  expect([urlHost(parsed.value), isLoopback(parsed.value)]).toEqual([written, loopback]);
});

test.each(['', 'localhost', '127.0.0.1:', '127.0.0.1:65536', '[127.0.0.1]:80', '::1:80', 'http://localhost:80', 'a b:80', '-1'])('%j is none', (text) => {
  expect(parseListenAddress(text).ok).toBe(false);
});

test.each([
  ['sysg.example.org', 'sysg.example.org'], ['Box.Local', 'box.local'], ['my_box', 'my_box'], ['192.168.1.5', '192.168.1.5'], ['fe80:0::1', 'fe80::1'], ['[::1]', '::1'],
  ['b\u00fccher.example', 'xn--bcher-kva.example'],
])('%s is a name by which browsers may call the page', (text, written) => {
  expect(parseAllowedHost(text)).toEqual({ ok: true, value: written });
});

test.each(['', ' ', '*', '*.example.org', '.example.org', 'a..b', 'a,b', 'a b', 'https://sysg.example.org', 'sysg.example.org:443', 'sysg.example.org/', 'me@sysg.example.org', 'a%41', '[::1', '[::1]:80', '[x]', 'a\tb', '256.1.1.1'])(
  '%j is no such name', (text) => {
    expect(parseAllowedHost(text)).toMatchObject({ ok: false, expected: expect.stringContaining('without a scheme, port, path or pattern') });
  },
);

test('on an address for others every IP address and the name of the machine are our own, names of strangers are not', () => {
  const { isOurName } = openAccess(randomToken(), { host: '0.0.0.0', port: 80 });
  expect(['10.1.2.3', '[fe80::1]:80', 'localhost'].map(isOurName)).toEqual([true, true, true]);
  expect(['evil.example', '10.1.2.3.evil.example'].map(isOurName)).toEqual([false, false]);
});

test('a token file is one that its owner alone may read, with a token in it', () => {
  const path = join(makeCall().cwd, 'token');
  const put = (text: string, mode: number): ReturnType<typeof readToken> => {
    writeFileSync(path, text);
    chmodSync(path, mode);
    return readToken(path);
  };
  expect(readToken(`${path}.none`)).toMatchObject({ ok: false, reason: expect.stringContaining('ENOENT') });
  expect(put('0123456789abcdef\n', 0o600)).toEqual({ ok: true, token: '0123456789abcdef' });
  expect(put('0123456789abcdef\n', 0o640)).toMatchObject({ ok: false, reason: expect.stringContaining('may be read by others (mode 640)') });
  for (const poor of ['', 'short', 'with blanks in it 0123456789', '0123456789abcdef\nsecond-line-0123']) expect(put(poor, 0o600), poor).toMatchObject({ ok: false });
});

test('tokens are new each time, and long', () => {
  expect(randomToken()).toMatch(/^[\w-]{43}$/);
  expect(randomToken()).not.toBe(randomToken());
});
