import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isAlive, identify } from '../../src/process/identity.ts';
import { serviceSpec } from '../process/spec.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { makeManualClock } from './manual-clock.ts';
import { checkOf, made, probe } from './probe-rig.ts';

const command = (script: string) => ({ kind: 'command', command: script }) as const;

describe('readiness', () => {
  test('is tried after the start period and then every interval until one attempt passes', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report, reports } = probe({ dir, clock, check: checkOf(command('echo tried >> tries; test -e ready'), { startPeriodMs: 1234 }) });
    expect(existsSync(join(dir, 'tries'))).toBe(false);
    await clock.pass(1234);
    await clock.pass(500);
    await clock.pass(500);
    await until('a third failure', () => clock.pending().includes(500));
    expect(reports).toEqual([]);
    writeFileSync(join(dir, 'ready'), '');
    await clock.pass(500);
    expect(await report(1)).toEqual({ type: 'probe.ok', generation: 1, at: clock.now() });
    expect(readFileSync(join(dir, 'tries'), 'utf8')).toBe('tried\n'.repeat(4));
  });

  test('of a process that was ready under an earlier supervisor waits for no start period', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command('true'), { startPeriodMs: 60_000 }), wasReady: true });
    expect((await report(1)).type).toBe('probe.ok');
  });

  test('is given up when timeout is over, after a last attempt, with what that one found', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command('echo tried >> tries; exit 3'), { intervalMs: 700, timeoutMs: 1000, startPeriodMs: 50 }) });
    await clock.pass(50);
    await clock.pass(700);
    await clock.pass(300);
    expect(await report(1)).toEqual({
      type: 'probe.timeout', generation: 1, at: 2050, reason: 'not ready within 1 s: the check exited with status 3', attempts: 3, finding: 'exited with status 3',
    });
    expect(readFileSync(join(dir, 'tries'), 'utf8')).toBe('tried\n'.repeat(3));
  });

  test('by a check that hangs costs the timeout, and then the whole tree of the check is dead', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const script = 'echo $$ > leader; setsid sh -c \'echo $$ > escaped; touch ready; sleep 1000\' & (sleep 1000) & wait';
    const { report } = probe({ dir, clock, check: checkOf(command(script), { timeoutMs: 4000 }) });
    await made(dir, 'ready');
    const tree = ['leader', 'escaped'].map((name) => identify(Number(readFileSync(join(dir, name), 'utf8'))));
    expect(tree).not.toContain(null);
    await clock.pass(4000);
    expect(await report(1)).toMatchObject({ type: 'probe.timeout', reason: 'not ready within 4 s: the check took longer than 4 s' });
    expect(tree.map((identity) => identity !== null && isAlive(identity))).toEqual([false, false]);
  });

  test('by a check that leaves something running in its group passes, and what is left is ended', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command('sh -c \'echo $$ > left; touch ready; exec sleep 1000\' & while [ ! -e ready ]; do sleep 0.01; done')) });
    expect((await report(1)).type).toBe('probe.ok');
    const left = identify(Number(readFileSync(join(dir, 'left'), 'utf8')));
    await until('it is dead', () => left === null || !isAlive(left));
  });

  test('is no longer asked about once the probe is ended, and a check in progress is ended with it', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { end, reports } = probe({ dir, clock, check: checkOf(command('echo $$ > leader; sleep 1000')) });
    await until('the check runs', () => existsSync(join(dir, 'leader')) && readFileSync(join(dir, 'leader'), 'utf8').endsWith('\n'));
    const leader = identify(Number(readFileSync(join(dir, 'leader'), 'utf8')));
    end();
    await until('the check is dead', () => leader !== null && !isAlive(leader));
    await until('nothing is to happen any more', () => clock.pending().length === 0);
    expect(reports).toEqual([]);
  });
});

describe('liveness', () => {
  test('is bad after as many failures in a row as retries says, once, and ok again with the next success', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const flag = join(dir, 'sick');
    const { report, reports } = probe({ dir, clock, check: checkOf(command('test ! -e sick || exit 9'), { retries: 2, timeoutMs: 400, attemptTimeoutMs: null }) });
    await report(1);
    writeFileSync(flag, '');
    await clock.pass(500);
    await clock.pass(500);
    expect(await report(2)).toMatchObject({ type: 'probe.bad', reason: 'unhealthy: 2 checks in a row failed; the last one exited with status 9' });
    await clock.pass(500);
    await until('a further failure', () => clock.pending().includes(500));
    expect(reports.map(({ type }) => type)).toEqual(['probe.ok', 'probe.bad']);
    rmSync(flag);
    await clock.pass(500);
    expect((await report(3)).type).toBe('probe.ok');
  });

  test('forgets a failure when the next attempt passes', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    // Every second attempt fails: the first is that of readiness.
    const script = 'echo x >> tries; test $(( $(wc -l < tries) % 2 )) -eq 1';
    const { reports, report } = probe({ dir, clock, check: checkOf(command(script), { retries: 2, timeoutMs: 400, attemptTimeoutMs: null }) });
    await report(1);
    for (let round = 0; round < 6; round += 1) await clock.pass(500);
    await until('the last attempt has ended', () => clock.pending().includes(500));
    expect(readFileSync(join(dir, 'tries'), 'utf8')).toBe('x\n'.repeat(7));
    expect(reports.map(({ type }) => type)).toEqual(['probe.ok']);
  });

  test('by a check that hangs gets the interval or the timeout, whichever is shorter', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command('test ! -e once || sleep 1000; touch once'), { retries: 1, intervalMs: 900, timeoutMs: 700, attemptTimeoutMs: null }) });
    await report(1);
    await clock.pass(900);
    await clock.pass(700);
    expect(await report(2)).toMatchObject({ type: 'probe.bad', reason: 'unhealthy: the check took longer than 0.7 s' });
  });
});

describe('a command', () => {
  test("runs in the working directory with the unit's environment and name, but not as a part of the unit", async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const environment = { PATH: process.env['PATH'], INHERITED: 'yes', SYSG_SERVICE_NAME: 'outer', SYSG_READY_FD: '3' };
    const { report } = probe({ dir, clock, environment, check: checkOf(command('pwd > where; env > environment')), spec: { env: { OWN: 'too' } } });
    await report(1);
    expect(readFileSync(join(dir, 'where'), 'utf8')).toBe(`${dir}\n`);
    const variables = readFileSync(join(dir, 'environment'), 'utf8').split('\n');
    expect(variables).toEqual(expect.arrayContaining(['INHERITED=yes', 'OWN=too', 'SYSG_SERVICE_NAME=web', expect.stringMatching(/^SYSG_INSTANCE=check\.[0-9a-f]+$/)]));
    expect(variables.join()).not.toContain('SYSG_READY_FD');
  });

  test.skipIf(process.getuid?.() !== 0)("runs as the unit's user (needs root)", async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    chmodSync(dir, 0o777);
    const { privileges } = serviceSpec(['forever'], dir);
    const { report } = probe({ dir, clock, check: checkOf(command('id -un > who; echo $HOME >> who')), spec: { privileges: { ...privileges, user: 'nobody' } } });
    await report(1);
    expect(readFileSync(join(dir, 'who'), 'utf8')).toMatch(/^nobody\n\/nonexistent\n$/);
  });

  test.skipIf(process.getuid?.() !== 0)('of a user that does not exist is a failed attempt (needs root)', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { privileges } = serviceSpec(['forever'], dir);
    const { report } = probe({ dir, clock, check: checkOf(command('true'), { timeoutMs: 500, intervalMs: 300 }), spec: { privileges: { ...privileges, user: 'no-such-user' } } });
    await clock.pass(300);
    await clock.pass(200);
    expect(await report(1)).toMatchObject({ reason: expect.stringContaining("the check could not be run: Failed to configure privileges for service 'web': user 'no-such-user' not found") });
  });

  test.each([
    ['no-such-program', 'exited with status 127 (command not found)'],
    ['kill -9 $$', 'was terminated by signal SIGKILL'],
  ])('%s: %s', async (script, reason) => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command(script), { timeoutMs: 500, intervalMs: 300 }) });
    await clock.pass(300);
    await clock.pass(200);
    expect(await report(1)).toMatchObject({ reason: `not ready within 0.5 s: the check ${reason}` });
  });

  test('that cannot be run is a failed attempt', async () => {
    const [dir, clock] = [tempDir(), makeManualClock()];
    const { report } = probe({ dir, clock, check: checkOf(command('true'), { timeoutMs: 500, intervalMs: 300 }), spec: { workingDir: join(dir, 'gone') } });
    await clock.pass(300);
    await clock.pass(200);
    expect(await report(1)).toMatchObject({ reason: expect.stringMatching(/could not be run: working directory ".*gone" does not exist$/) });
  });
});

describe('tcp', () => {
  test('passes when a connection is accepted, and says why not before', async () => {
    const clock = makeManualClock();
    const server = await listening(createTcpServer((socket) => socket.end()));
    const { report } = probe({ dir: tempDir(), clock, check: checkOf({ kind: 'tcp', host: 'localhost', port: portOf(server) }, { retries: 1 }) });
    expect((await report(1)).type).toBe('probe.ok');
    await new Promise((closed) => server.close(closed));
    await clock.pass(500);
    expect(await report(2)).toMatchObject({ type: 'probe.bad', reason: expect.stringMatching(/^unhealthy: the check got no connection to localhost:\d+: connection refused at (127\.0\.0\.1|::1) \(ECONNREFUSED\)(; |$)/) });
  });
});

test('a server that greets who connects is not reset, and one that keeps the connection loses it', async () => {
  const seen: string[] = [];
  const follow = (socket: Socket, name: string): void => {
    for (const event of ['end', 'error', 'close']) socket.on(event, () => seen.push(`${name} ${event}`));
    socket.resume();
  };
  const polite = await listening(createTcpServer((socket) => follow(socket.setNoDelay().on('end', () => socket.end()), 'polite')).on('connection', (socket) => socket.write('welcome to this server\n')));
  const keeps = await listening(createTcpServer({ allowHalfOpen: true }, (socket) => follow(socket, 'keeps')));
  for (const server of [polite, keeps]) {
    const check = checkOf({ kind: 'tcp', host: '127.0.0.1', port: portOf(server) });
    expect((await probe({ dir: tempDir(), clock: makeManualClock(), check }).report(1)).type).toBe('probe.ok');
  }
  await until('the polite one has closed, the other has been left', () => seen.includes('polite close') && seen.includes('keeps end'));
  expect(seen.filter((event) => event.startsWith('polite'))).toEqual(['polite end', 'polite close']);
});

test('a server that goes on sending is left, too', async () => {
  let isOpen = true;
  const server = await listening(createTcpServer({ allowHalfOpen: true }, (socket) => {
    const sending = setInterval(() => socket.write('more\n'), 50);
    socket.on('error', () => undefined).on('close', () => {
      clearInterval(sending);
      isOpen = false;
    });
  }));
  const check = checkOf({ kind: 'tcp', host: '127.0.0.1', port: portOf(server) });
  expect((await probe({ dir: tempDir(), clock: makeManualClock(), check }).report(1)).type).toBe('probe.ok');
  await until('the connection is closed', () => !isOpen);
});

test('a server that resets what it accepts accepts it', async () => {
  const server = await listening(createTcpServer((socket) => socket.resetAndDestroy()));
  const check = checkOf({ kind: 'tcp', host: '127.0.0.1', port: portOf(server) }, { timeoutMs: 10 });
  // The kernel reports the reset before the connect in four cases of five.
  for (let round = 0; round < 10; round += 1) expect((await probe({ dir: tempDir(), clock: makeManualClock(), check }).report(1)).type).toBe('probe.ok');
});

describe('url', () => {
  /** One attempt, and what became of it. */
  const ask = async (handle: RequestListener, more: { readonly path?: string; readonly expectStatus?: readonly number[]; readonly environment?: NodeJS.ProcessEnv } = {}): Promise<string> => {
    const clock = makeManualClock();
    const server = await listening(createServer(handle));
    const url = `http://user:secret@127.0.0.1:${portOf(server)}${more.path ?? '/health?key=secret'}`;
    const { report, reports } = probe({
      dir: tempDir(), clock, check: checkOf({ kind: 'url', url, expectStatus: more.expectStatus ?? null }, { timeoutMs: 3000, intervalMs: 200 }),
      ...(more.environment !== undefined && { environment: more.environment }),
    });
    await until('the attempt is over', () => reports.length > 0 || clock.pending().includes(200) || hangs);
    // Unless it passed: so is the time.
    if (reports.length === 0) clock.advance(3000);
    const found = await report(1);
    return found.type === 'probe.ok' ? 'ok' : found.reason.replaceAll(String(portOf(server)), 'PORT');
  };
  let asked = 0;
  let hangs = false;
  const counted = (handle: RequestListener): RequestListener => (request, response) => {
    asked += 1;
    handle(request, response);
  };

  test.each([
    ['2xx passes', 204, undefined, 'ok'],
    ['anything else does not', 503, undefined, 'not ready within 3 s: the check got status 503 from http://127.0.0.1:PORT/health, expected 2xx'],
    ['an expected status passes', 401, [401, 403], 'ok'],
    ['200 does not where others are expected', 200, [401, 403], 'not ready within 3 s: the check got status 200 from http://127.0.0.1:PORT/health, expected 401 or 403'],
    ['an expected redirect is not followed', 302, [302], 'ok'],
  ])('%s', async (_, status, expectStatus, outcome) => {
    asked = 0;
    expect(await ask(counted((_request, response) => response.writeHead(status, { location: '/elsewhere' }).end('x')), expectStatus === undefined ? {} : { expectStatus })).toBe(outcome);
  });

  const redirecting = (times: number): RequestListener => counted((request, response) => {
    const hop = Number(new URL(request.url ?? '/', 'http://host').searchParams.get('hop') ?? 0);
    if (hop < times) response.writeHead(302, { location: `?hop=${hop + 1}` }).end();
    else response.end('here');
  });

  test('ten redirects are followed, eleven are not', async () => {
    asked = 0;
    expect(await ask(redirecting(10))).toBe('ok');
    expect(asked).toBe(11);
    asked = 0;
    expect(await ask(redirecting(11))).toBe('not ready within 3 s: the check was redirected more than 10 times, last to http://127.0.0.1:PORT/health');
  });

  test('a redirect to something else than a web page is refused', async () => {
    asked = 0;
    expect(await ask(counted((_request, response) => response.writeHead(301, { location: 'file:///etc/passwd' }).end())))
      .toBe('not ready within 3 s: the check was redirected from http://127.0.0.1:PORT/health to "file:///etc/passwd", which is no http or https URL');
  });

  test('no proxy of the environment is asked', async () => {
    const proxies = Object.fromEntries(['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY'].map((name) => [name, 'http://127.0.0.1:9']));
    for (const [name, value] of Object.entries(proxies)) {
      const before = process.env[name];
      process.env[name] = value;
      onTestFinished(() => {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      });
    }
    asked = 0;
    expect(await ask(counted((_request, response) => response.end()), { environment: { ...process.env, ...proxies } })).toBe('ok');
  });

  test('the status decides, however long the body is', async () => {
    asked = 0;
    let closed = false;
    const outcome = await ask(counted((request, response) => {
      request.socket.on('close', () => (closed = true));
      const more = (): void => void (response.destroyed || response.write('x'.repeat(65_536), more));
      response.writeHead(200);
      more();
    }));
    expect(outcome).toBe('ok');
    await until('the connection is closed', () => closed);
  });

  test('a server that does not answer costs the timeout', async () => {
    onTestFinished(() => void (hangs = false));
    expect(await ask(() => void (hangs = true))).toBe('not ready within 3 s: the check took longer than 3 s');
  });

  test.skipIf(spawnSync('openssl', ['version']).status !== 0)('a certificate is verified, with NODE_EXTRA_CA_CERTS of the supervisor as services have it (needs openssl)', async () => {
    const dir = tempDir();
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=sysg test',
      '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert,
    ], { stdio: 'ignore' });
    const server = await listening(createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => response.end()));
    const check = checkOf({ kind: 'url', url: `https://127.0.0.1:${portOf(server)}/`, expectStatus: null }, { timeoutMs: 800, intervalMs: 600 });
    const { NODE_EXTRA_CA_CERTS: _certificates, ...environment } = process.env;
    const clock = makeManualClock();
    const stranger = probe({ dir, clock, check, environment });
    await clock.pass(600);
    await clock.pass(200);
    expect(await stranger.report(1)).toMatchObject({ type: 'probe.timeout', reason: expect.stringMatching(/got no answer from https:.*: self-signed certificate/) });
    const known = probe({ dir, clock: makeManualClock(), check, environment: { ...environment, NODE_EXTRA_CA_CERTS: cert } });
    expect((await known.report(1)).type).toBe('probe.ok');
  });

  test('what is no HTTP is a failed attempt', async () => {
    const clock = makeManualClock();
    const server = await listening(createTcpServer((socket) => socket.end('220 mail ready\r\n')));
    const { report } = probe({ dir: tempDir(), clock, check: checkOf({ kind: 'url', url: `http://127.0.0.1:${portOf(server)}/`, expectStatus: null }, { timeoutMs: 800 }) });
    await clock.pass(500);
    await clock.pass(300);
    expect(await report(1)).toMatchObject({ type: 'probe.timeout', reason: expect.stringMatching(/got no answer from http:\/\/127.0.0.1:\d+\/: Parse Error/) });
  });
});

async function listening<Some extends Server>(server: Some): Promise<Some> {
  await new Promise<void>((done) => server.listen(0, done));
  onTestFinished(() => {
    server.close();
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function') server.closeAllConnections();
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
