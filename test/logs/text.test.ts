import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import displayWidth from '../../src/width.ts';
import { boxBanner, echoLine, echoWidth, unitTitle } from '../../src/logs/labels.ts';
import { LineCutter } from '../../src/logs/lines.ts';
import { includes, levelOfRustLog, parseLogLevel } from '../../src/log-level.ts';
import { fileStem, findLogFile } from '../../src/logs/names.ts';
import { openSupervisorLog } from '../../src/logs/supervisor-log.ts';
import { tempDir } from '../temp-dir.ts';

function cut(...chunks: readonly (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const cutter = new LineCutter((line) => lines.push(line));
  for (const chunk of chunks) cutter.push(Buffer.from(chunk));
  cutter.flush();
  return lines;
}

describe('lines for people', () => {
  test('are put together from any pieces, without newline and carriage return', () => {
    expect(cut('a', 'b\r', '\nc\n', '\n', 'd\re')).toEqual(['ab', 'c', '', 'd\re']);
  });
  test('show what is not UTF-8 as such, and a character over two chunks whole', () => {
    expect(cut(Buffer.from([0x61, 0xff, 0x0a]), Buffer.from([0xc3]), Buffer.from([0xa9, 0x0a]))).toEqual(['a�', 'é']);
  });
  test('come in pieces of 64 KiB that split no character', () => {
    const long = `x${'é'.repeat(40_000)}`;
    const pieces = cut(`${long}\nnext\n`);
    expect(pieces.slice(0, -1).join('')).toBe(long);
    expect(pieces.map((piece) => Buffer.byteLength(piece))).toEqual([65_535, 14_466, 4]);
    expect(cut(long.slice(0, 10_000), `${long.slice(10_000)}\n`)).toEqual(pieces.slice(0, -1));
  });
  test('of exactly 64 KiB stay one', () => {
    expect(cut(`${'x'.repeat(65_536)}\n`)).toEqual(['x'.repeat(65_536)]);
  });
  test('line up behind the names of the units', () => {
    const width = echoWidth(['web', 'worker', 'ünï']);
    expect(echoLine('web', 'hello', width)).toBe('web    | hello\n');
    expect(echoLine('ünï', 'x', width)).toBe('ünï    | x\n');
  });

  test('a colour ends with its line, and nothing in a line steers the terminal', () => {
    expect(echoLine('web', '\u001b[31mred', 3)).toBe('web | \u001b[31mred\u001b[0m\n');
    expect(echoLine('web', '\u001b[1mbold\u001b[0m\tplain', 3)).toBe('web | \u001b[1mbold\u001b[0m\tplain\n');
    expect(echoLine('web', '\u001b[2J\u001b]0;title\u0007\u001b[Hgone\r\u0008 \u001b[32mgreen', 3)).toBe('web | gone \u001b[32mgreen\u001b[0m\n');
  });
});

describe('banners', () => {
  test('centre the title, the odd blank to the right', () => {
    expect(boxBanner('abc', 10)).toBe(`\n┌${'─'.repeat(22)}┐\n│         abc          │\n└${'─'.repeat(22)}┘\n\n`);
    expect(boxBanner('Offline Services').split('\n')[2]).toBe(`│${' '.repeat(41)}Offline Services${' '.repeat(41)}│`);
  });
  test('cut a title that does not fit', () => {
    expect(boxBanner('x'.repeat(40), 24).split('\n')[2]).toBe(`│${'x'.repeat(19)}...│`);
  });
  test('stand in the columns of a terminal, where a wide character takes two', () => {
    expect(boxBanner('日本', 24, displayWidth).split('\n')[2]).toBe(`│${' '.repeat(9)}日本${' '.repeat(9)}│`);
    expect(boxBanner('語'.repeat(20), 24, displayWidth).split('\n')[2]).toBe(`│${'語'.repeat(9)}... │`);
  });
  test('distinguish a running unit from another', () => {
    expect([unitTitle('web', 12), unitTitle('web', null)]).toEqual(['web [pid 12]', 'web [offline]']);
  });
});

describe('names', () => {
  test('the exact file comes before one that means the same, and none is the exact one to come', () => {
    const logDir = tempDir();
    expect(findLogFile(logDir, 'arb-rs', 'stdout')).toBe(join(logDir, 'arb-rs_stdout.log'));
    writeFileSync(join(logDir, 'ARB_rs_stdout.log'), '');
    expect(findLogFile(logDir, 'arb-rs', 'stdout')).toBe(join(logDir, 'ARB_rs_stdout.log'));
    expect(findLogFile(logDir, 'arb-rs', 'stderr')).toBe(join(logDir, 'arb-rs_stderr.log'));
    writeFileSync(join(logDir, 'arb-rs_stdout.log'), '');
    expect(findLogFile(logDir, 'arb-rs', 'stdout')).toBe(join(logDir, 'arb-rs_stdout.log'));
  });
  test('names without an ASCII letter or digit mean only themselves', () => {
    const logDir = tempDir();
    writeFileSync(join(logDir, 'жук_stdout.log'), '');
    expect(findLogFile(logDir, 'кот', 'stdout')).toBe(join(logDir, 'кот_stdout.log'));
  });
  test('too long ones are shortened without meeting', () => {
    const [one, other] = [fileStem(`${'é'.repeat(200)}1`), fileStem(`${'é'.repeat(200)}2`)];
    expect(one).not.toBe(other);
    expect(Buffer.byteLength(one)).toBeLessThan(200);
    expect(fileStem('web')).toBe('web');
  });
});

describe('the supervisor log', () => {
  const wallMicros = (): number => Date.UTC(2025, 11, 2, 10, 30, 15, 123) * 1000 + 456;

  test('has lines as systemg 0.33.0 writes them', () => {
    const file = join(tempDir(), 'logs', 'supervisor.log');
    const log = openSupervisorLog({ file, level: 'debug', wallMicros });
    log.info('systemg::daemon', 'Starting service: api');
    log.error('sysg', 'two\nlines');
    log.trace('systemg::cron', 'not shown');
    log.close();
    expect(readFileSync(file, 'utf8')).toBe(
      '2025-12-02T10:30:15.123456Z  INFO systemg::daemon: Starting service: api\n2025-12-02T10:30:15.123456Z ERROR sysg: two\\nlines\n',
    );
  });

  test('is coloured on standard error when that is wanted', () => {
    let printed = '';
    const log = openSupervisorLog({ file: null, level: 'info', colour: true, wallMicros, print: (text) => (printed += text) });
    log.warn('systemg::daemon', 'careful');
    expect(printed).toBe('\x1b[2m2025-12-02T10:30:15.123456Z\x1b[0m \x1b[33m WARN\x1b[0m \x1b[2msystemg::daemon\x1b[0m\x1b[2m:\x1b[0m careful\n');
  });

  test('goes to standard error when its file cannot be opened', () => {
    const file = join(tempDir(), 'supervisor.log');
    mkdirSync(file);
    const printed: string[] = [];
    const log = openSupervisorLog({ file, level: 'info', wallMicros, print: (text) => printed.push(text) });
    log.info('sysg', 'hello');
    expect(printed[0]).toMatch(/^Failed to open supervisor log file ".*supervisor\.log": EISDIR/);
    expect(printed.at(-1)).toBe('2025-12-02T10:30:15.123456Z  INFO sysg: hello\n');
  });

  test('has times of this moment that do not go back', () => {
    const file = join(tempDir(), 'supervisor.log');
    const before = Date.now();
    const log = openSupervisorLog({ file, level: 'info' });
    for (let round = 0; round < 200; round += 1) log.info('sysg', 'tick');
    log.close();
    const times = readFileSync(file, 'utf8').trim().split('\n').map((line) => line.slice(0, 27));
    expect(times).toEqual(times.toSorted());
    expect(Date.parse(times[0] ?? '')).toBeGreaterThanOrEqual(before - 2);
    expect(Date.parse(times.at(-1) ?? '')).toBeLessThanOrEqual(Date.now() + 2);
  });
});

describe('levels', () => {
  test('are read as words and numbers', () => {
    expect(['WARN', ' 5 ', '0', 'verbose', '6', ''].map(parseLogLevel)).toEqual(['warn', 'trace', 'off', null, null, null]);
  });
  test('of RUST_LOG are those that speak of this program', () => {
    expect(['debug', 'hyper=trace,systemg::daemon=warn', 'error,sysg=debug', 'hyper=trace', 'systemg', '', 'x=y=z'].map(levelOfRustLog))
      .toEqual(['debug', 'warn', 'debug', null, 'trace', null, null]);
  });
  test('include what is more pressing', () => {
    expect([includes('info', 'warn'), includes('info', 'debug'), includes('off', 'error')]).toEqual([true, false, false]);
  });
});
