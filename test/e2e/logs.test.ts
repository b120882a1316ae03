import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeHome, soon } from './rig.ts';

const ask = (service: string | null, lines: number, kind = 'stdout', follow = false): string => JSON.stringify({ Logs: { service, lines, kind, follow } });

describe('Logs on the socket, as 0.33.0 sends them', () => {
  test('a banner and exactly the last lines; both files for another kind; a sentence for an unknown unit', async () => {
    const home = makeHome('version: "1"\nservices:\n  talker: {command: "exec $PROGRAMS/prints-lines 30"}\n  off: {command: "$PROGRAMS/forever", skip: true}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('all was said', () => home.log('talker').includes('ready'));
    const pid = (await home.unit('talker')).process?.pid;
    const answer = await home.exchange(ask('talker', 3));
    const [, top, title, bottom] = answer.split('\n');
    expect([top, bottom]).toEqual([`┌${'─'.repeat(98)}┐`, `└${'─'.repeat(98)}┘`]);
    expect(title?.replaceAll(/[│ ]+/g, ' ').trim()).toBe(`talker [pid ${pid}]`);
    expect(answer.split('\n').slice(5)).toEqual(['line 29', 'line 30', `ready ${pid}`, '']);
    expect((await home.exchange(ask('talker', 1, 'any'))).endsWith(`==> talker stdout <==\nready ${pid}\n\n==> talker stderr <==\nerror line 30\n`)).toBe(true);
    expect(await home.exchange(ask('nope', 5))).toBe("Service 'nope' not found\n");
    const all = await home.exchange(ask(null, 1));
    expect(all.indexOf('Running Services')).toBeLessThan(all.indexOf('talker [pid'));
    expect(all.indexOf('Offline Services')).toBeLessThan(all.indexOf('off [offline]'));
    expect(await home.exchange(ask(null, 5, 'supervisor'))).toContain('systemg supervisor listening on');
  });

  test('following brings what comes and ends with the client', async () => {
    const home = makeHome('version: "1"\nservices:\n  slow: {command: "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    let text = '';
    const socket = connect(join(home.state, 'control.sock'));
    onTestFinished(() => void socket.destroy());
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.write(`${ask('slow', 0, 'stdout', true)}\n`);
    const numbers = (): number[] => [...text.matchAll(/^line ([0-9]+)$/gm)].map(([, number]) => Number(number));
    await soon('ten lines came', () => numbers().length >= 10);
    const seen = numbers();
    expect(seen).toEqual(seen.map((_, index) => (seen[0] ?? 0) + index));
  });
});
