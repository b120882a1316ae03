import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Exchange } from '../../src/control/connection.ts';
import { streamLogs } from '../../src/daemon/log-stream.ts';
import { boxBanner } from '../../src/logs/labels.ts';
import type { LogStream } from '../../src/logs/names.ts';
import type { StatusSnapshot } from '../../src/wire/payloads.ts';
import type { RequestOf } from '../../src/wire/requests.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

const unit = (name: string, pid: number | null, changes: object = {}): object => ({
  name, hash: `hash-of-${name}`, kind: 'service', process: pid === null ? null : { state: 'running', pid }, ...changes,
});

interface Asked {
  readonly said: () => string;
  /** Of the whole answer. */
  readonly answered: Promise<null>;
  leave(): void;
  log(unit: string, stream: LogStream, text: string): void;
  /** Of the supervisor's own log. */
  more(text: string): void;
}

/** A request for logs; `logs` are there before it is made. */
function ask(
  request: Partial<RequestOf<'logs'>>, logs: readonly (readonly [unit: string, stream: LogStream, text: string])[] = [], units: readonly object[] = [unit('web', 7)],
  write?: (text: string) => Promise<void>,
): Asked {
  const dir = tempDir();
  const client = new AbortController();
  const bells = new Set<() => void>();
  let text = '';
  const file = (of: string, stream: LogStream): string => join(dir, `${of}_${stream}.log`);
  const log: Asked['log'] = (of, stream, line) => {
    appendFileSync(file(of, stream), line);
    for (const ring of bells) ring();
  };
  for (const [of, stream, line] of logs) log(of, stream, line);
  writeFileSync(join(dir, 'supervisor.log'), 'one\ntwo\n');
  const exchange: Exchange = {
    signal: client.signal, peerDescriptor: () => null,
    write: async (chunk) => {
      await write?.(Buffer.from(chunk).toString());
      text += Buffer.from(chunk).toString();
    },
  };
  const answered = streamLogs({ kind: 'logs', service: null, lines: 50, logKind: 'all', follow: false, ...request } as RequestOf<'logs'>, exchange, {
    status: () => ({ units }) as unknown as StatusSnapshot, supervisorLog: join(dir, 'supervisor.log'),
    file: (of, stream) => (existsSync(file(of, stream)) ? file(of, stream) : null),
    wake: () => (notify) => {
      bells.add(notify);
      return () => bells.delete(notify);
    },
  });
  return { said: () => text, answered, leave: () => client.abort(), log, more: (line) => appendFileSync(join(dir, 'supervisor.log'), line) };
}

const both = [['web', 'stdout', 'out\n'], ['web', 'stderr', 'err\n']] as const;
const parts = '==> web stdout <==\nout\n\n==> web stderr <==\nerr\n';

async function answer(...given: Parameters<typeof ask>): Promise<string> {
  const { said, answered } = ask(...given);
  await answered;
  return said();
}

test('of a unit each file is told apart, and one that is not there is left out', async () => {
  expect(await answer({ service: 'web' }, both)).toBe(`${boxBanner('web [pid 7]')}${parts}`);
  expect(await answer({ service: 'web' }, both.slice(1))).toBe(`${boxBanner('web [pid 7]')}==> web stderr <==\nerr\n`);
  expect(await answer({ service: 'web' })).toBe(boxBanner('web [pid 7]'));
});

test.each(['stdout', 'stderr'] as const)('of a unit %s alone has no heading', async (logKind) => {
  expect(await answer({ service: 'web', logKind }, both)).toBe(`${boxBanner('web [pid 7]')}${logKind === 'stdout' ? 'out' : 'err'}\n`);
});

test('as many lines are sent as were asked for', async () => {
  expect(await answer({ service: 'web', logKind: 'stdout', lines: 1 }, [['web', 'stdout', 'first\nlast\n']])).toBe(`${boxBanner('web [pid 7]')}last\n`);
});

test('a unit is also known by its hash, and its name counts before that', async () => {
  expect(await answer({ service: 'hash-of-web' }, both)).toBe(`${boxBanner('web [pid 7]')}${parts}`);
  expect(await answer({ service: 'web' }, both, [unit('other', 8, { hash: 'web' }), unit('web', 7)])).toBe(`${boxBanner('web [pid 7]')}${parts}`);
});

test('a unit that is configured no more is shown from its files, and one that never was is not found', async () => {
  expect(await answer({ service: 'web', logKind: 'stdout' }, both, [])).toBe(`${boxBanner('web [offline]')}out\n`);
  expect(await answer({ service: 'web', logKind: 'stderr' }, both.slice(0, 1), [])).toBe("Service 'web' not found\n");
  expect(await answer({ service: 'web' }, both.slice(0, 1), [])).toBe(`${boxBanner('web [offline]')}==> web stdout <==\nout\n`);
});

test('of all units those that run come first, each group in the order of names, without what is only left of a unit', async () => {
  const units = [unit('b', null), unit('d', 4), unit('c', 3), unit('a', 9, { process: { state: 'zombie', pid: 9 } }), unit('e', 5, { kind: 'orphaned' })];
  const logs = ['a', 'b', 'c', 'd', 'e'].map((name) => [name, 'stdout', `of ${name}\n`] as const);
  expect(await answer({ logKind: 'stdout' }, logs, units)).toBe([
    boxBanner('Running Services'), boxBanner('c [pid 3]'), 'of c\n', boxBanner('d [pid 4]'), 'of d\n',
    boxBanner('Offline Services'), boxBanner('a [offline]'), 'of a\n', boxBanner('b [offline]'), 'of b\n',
  ].join(''));
  expect(await answer({}, both)).toBe(`${boxBanner('Running Services')}${boxBanner('web [pid 7]')}${parts}`);
});

test('the supervisor\'s own log is asked for in any case of letters, whatever the service', async () => {
  expect(await answer({ logKind: ' Supervisor ', service: 'web', lines: 1 }, both)).toBe(`${boxBanner('supervisor')}two\n`);
});

test('a follower of a unit gets what is written, with a heading whenever the file changes, until it leaves', async () => {
  const { said, answered, leave, log } = ask({ service: 'web', follow: true }, [both[0], ['web', 'stderr', '']]);
  await until('the last lines', () => said().endsWith('out\n'));
  log('web', 'stderr', 'bad\n');
  await until('the other file', () => said().endsWith('bad\n'));
  log('web', 'stderr', 'worse\n');
  await until('more of it', () => said().endsWith('worse\n'));
  leave();
  expect(await answered).toBeNull();
  expect(said()).toBe(`${boxBanner('web [pid 7]')}==> web stdout <==\nout\n\n==> web stderr <==\nbad\nworse\n`);
});

test('a follower of a unit of which one file is there gets that', async () => {
  const { said, answered, leave, log } = ask({ service: 'web', follow: true }, both.slice(1));
  await until('the last lines', () => said().endsWith('err\n'));
  log('web', 'stderr', 'more\n');
  await until('more', () => said().endsWith('more\n'));
  leave();
  await answered;
  expect(said()).toBe(`${boxBanner('web [pid 7]')}==> web stderr <==\nerr\nmore\n`);
});

test('a follower of the supervisor gets what is written to its log until it leaves', async () => {
  const { said, answered, leave, log, more } = ask({ logKind: 'supervisor', follow: true, lines: 1 });
  await until('the last line', () => said().endsWith('two\n'));
  log('web', 'stdout', 'not its own\n');
  more('three\n');
  await until('what was written', () => said().endsWith('three\n'));
  leave();
  expect(await answered).toBeNull();
  expect(said()).toBe(`${boxBanner('supervisor')}two\nthree\n`);
});

test('who leaves while an answer is written has not made it fail; anything else has', async () => {
  const left = ask({ service: 'web' }, both, undefined, async () => {
    await Promise.resolve();
    left.leave();
    throw new Error('the client has left');
  });
  expect(await left.answered).toBeNull();
  await expect(ask({ service: 'web' }, both, undefined, () => Promise.reject(new Error('broken'))).answered).rejects.toThrow('broken');
});
