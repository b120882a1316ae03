import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connectFailure } from '../src/errors.ts';

/** The failure of a connection to a port that nobody listens at. */
async function refused(host: string): Promise<unknown> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return new Promise((failed) => connect({ host, port }).once('error', failed));
}

test('why there is no connection names an address where it is not the host itself, and none twice', async () => {
  expect(connectFailure(await refused('127.0.0.1'), '127.0.0.1')).toBe('connection refused (ECONNREFUSED)');
  expect(connectFailure(await refused('localhost'), 'localhost')).toMatch(/^connection refused at (::1|127\.0\.0\.1) \(ECONNREFUSED\)/);
  const tried = (address: string): Error => Object.assign(new Error(`connect ECONNREFUSED ${address}:80`), { syscall: 'connect', code: 'ECONNREFUSED', errno: -111, address, port: 80 });
  expect(connectFailure(new AggregateError([tried('10.0.0.1'), tried('10.0.0.2'), tried('10.0.0.1')]), 'web'))
    .toBe('connection refused at 10.0.0.1 (ECONNREFUSED); connection refused at 10.0.0.2 (ECONNREFUSED)');
  expect(connectFailure(tried('::1'), '[::1]')).toBe('connection refused (ECONNREFUSED)');
});

test('a name without an address is not repeated, and what is no error of a connection keeps its words', () => {
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND no.such.host'), { syscall: 'getaddrinfo', code: 'ENOTFOUND', hostname: 'no.such.host' });
  expect(connectFailure(unknown, 'no.such.host')).toBe('no address was found for the name (ENOTFOUND)');
  expect(connectFailure(new Error('socket hang up'), 'web')).toBe('socket hang up');
  expect(connectFailure(Object.assign(new Error('read ECONNRESET'), { syscall: 'read', code: 'ECONNRESET', errno: -104 }), 'web')).toBe('read ECONNRESET');
});
