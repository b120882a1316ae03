import { isDeepStrictEqual } from 'node:util';
import { cronFile, pidFile, stateFile } from '../../src/compat/state-files.ts';
import { readXml, writeXml } from '../../src/compat/xml.ts';
import { parseSource, type Finding } from '../../src/config/document.ts';
import { parseEnvFile } from '../../src/config/env-file.ts';
import { interpolate } from '../../src/config/interpolate.ts';
import { parseCron } from '../../src/cron/expression.ts';
import { Cutter } from '../../src/logs/lines.ts';
import { parseTimes, timesHeader, timesLine } from '../../src/logs/times.ts';
import { emptySum, addLine, encodeLine, readLines, type LedgerLine } from '../../src/state/ledger-lines.ts';
import { decodeRequest } from '../../src/wire/decode-request.ts';
import { journalRecord } from '../../src/wire/payloads.ts';
import { encodeRequest } from '../../src/wire/requests.ts';

/** Something that reads what others wrote. `check` throws where a promise about it is broken. */
export interface Target {
  readonly name: string;
  /** Sound input, from which damaged input is made. */
  readonly seeds: readonly string[];
  check(bytes: Buffer): void;
}

const scope = (name: string): string | undefined => ({ HOME: '/home/user', EMPTY: '', TOKEN: '$HOME' })[name];
const stamp = { at: 5, wallMs: 1_000, bootId: 'boot' };
const noted: LedgerLine = { fact: { kind: 'note', key: 'fuzz', value: 1 }, written: stamp };
const stateText = '<ServiceStateFile><services><entry><name>web</name><state><status>running</status><pid>5</pid></state></entry></services></ServiceStateFile>';

export const targets: readonly Target[] = [
  {
    name: 'request',
    seeds: ['"Status"', '{"Stop":{"service":"web"}}', '{"Spawn":{"parent_pid":1,"name":"x","command":["true"],"ttl":null,"log_level":null}}', '{"Watch":{"since":5,"units":["a"]}}', '{"Logs":["web",5,"stdout",true]}'],
    check(bytes) {
      const decoded = decodeRequest(bytes);
      if (!decoded.ok) return;
      const again = decodeRequest(encodeRequest(decoded.request));
      if (!again.ok || !isDeepStrictEqual(withoutUsual(again.request), withoutUsual(decoded.request))) throw new Error('what was read is written as something else');
    },
  },
  {
    name: 'configuration',
    seeds: ['version: "1"\nservices:\n  web: {command: "sleep 1", depends_on: [db]}\n  db:\n    command: >-\n      a\n      b\n', 'a: &x [1, *x]\n"b": |\n  text\n? c\n: d # e\n'],
    check(bytes) {
      const findings: Finding[] = [];
      parseSource(bytes.toString('utf8'), findings);
      for (const { message } of findings) if (message === '') throw new Error('a finding says nothing');
    },
  },
  { name: 'env file', seeds: ['A=1\nexport B="x\\n$A"\n# c\nC=\'d\' # e\n', 'A=\nB\n=C\n'], check: (bytes) => void parseEnvFile(bytes.toString('utf8')) },
  {
    name: 'references',
    seeds: ['${HOME}/${EMPTY:-x${TOKEN}}/$TOKEN$$', 'echo "${A:-`b`}" ${HOME}'],
    check(bytes) {
      const text = bytes.toString('utf8');
      interpolate(text, scope, 'text');
      interpolate(text, scope, 'script');
    },
  },
  {
    name: 'ledger',
    seeds: [encodeLine(noted) + encodeLine({ fact: { kind: 'clean' }, written: stamp }), encodeLine({ fact: { kind: 'forget', unit: 'web' }, written: stamp }) + encodeLine(noted)],
    check(bytes) {
      const { lines, soundBytes } = readLines(bytes);
      if (soundBytes > bytes.length) throw new Error('more is sound than there is');
      const sum = emptySum();
      for (const line of lines) addLine(sum, line);
      // What is appended after it is read, whatever came before, and what was understood is understood again.
      const sound = bytes.subarray(0, soundBytes);
      const ended = sound.length > 0 && sound.at(-1) !== 0x0a ? Buffer.concat([sound, Buffer.from('\n')]) : sound;
      const after = readLines(Buffer.concat([ended, Buffer.from(encodeLine(noted))]));
      if (after.lines.length !== lines.length + 1) throw new Error(`${lines.length} lines and one more are ${after.lines.length}`);
      const again = readLines(Buffer.from([...sum.live.values()].join('')));
      if (again.corrupt.length > 0) throw new Error(`what was read is written as ${again.corrupt[0]}`);
    },
  },
  {
    name: 'journal',
    seeds: ['{"seq":1,"at":"2026-01-31T12:00:00.000Z","unit":"web","from":"stopped","to":"running","event":"start","trigger":{"kind":"command","by":"start"}}'],
    check(bytes) {
      let value: unknown;
      try {
        value = JSON.parse(bytes.toString('utf8'));
      } catch {
        // A torn line.
        return;
      }
      const problem = journalRecord(value, 'line');
      if (problem === '') throw new Error('a refusal says nothing');
    },
  },
  {
    name: 'state files',
    seeds: [stateText, '<?xml version="1.0"?>\n<PidFile><services/></PidFile>', '<CronStateFile><jobs>&lt;&#65;</jobs></CronStateFile>'],
    check(bytes) {
      const read = readXml(bytes.toString('utf8'));
      if (!read.ok) return;
      const again = readXml(writeXml(read.root));
      if (!again.ok) throw new Error(`what was read is written as ${writeXml(read.root)}: ${again.reason}`);
      for (const codec of [pidFile, stateFile, cronFile]) refusedWithASentence(() => codec.decode(read.root, refuseSilence));
    },
  },
  {
    name: 'cron',
    seeds: ['*/5 0-12 1,15 jan-jun mon#2', '0 0 L * ?', '@daily', '30 2 * * * sun', '59 59 23 31 12 7 2099'],
    check(bytes) {
      const parsed = parseCron(bytes.toString('utf8'));
      if (!parsed.ok && parsed.problem === '') throw new Error('a refusal says nothing');
    },
  },
  {
    name: 'log index',
    seeds: [timesHeader(5) + [1, 2, 3].map((number) => timesLine({ at: 1000 * number, latest: 1000 * number, offset: 10 * number })).join('')],
    check(bytes) {
      const times = parseTimes(bytes.toString('latin1'));
      const { marks } = times ?? { marks: [] };
      for (let index = 1; index < marks.length; index += 1) if ((marks[index]?.offset ?? 0) <= (marks[index - 1]?.offset ?? 0)) throw new Error('offsets do not rise');
    },
  },
  {
    name: 'log lines',
    seeds: ['one\ntwo\r\n\u001b[31mthree', '\n\n'],
    check(bytes) {
      const cutter = new Cutter();
      const middle = bytes.length >> 1;
      const text = (part: Buffer): Buffer[] => cutter.cut(part).map(({ bytes: piece, ended }) => Buffer.concat([piece, Buffer.from(ended ? '\n' : '')]));
      const all = [...text(bytes.subarray(0, middle)), ...text(bytes.subarray(middle)), ...cutter.rest().map((piece) => Buffer.from(piece.bytes))];
      if (!Buffer.concat(all).equals(bytes)) throw new Error('lines are not what they were cut from');
    },
  },
];

/** What is put in anywhere: what such files are made of, and what nobody expects. */
export const WORDS: readonly string[] = [
  '{', '}', '[', ']', ':', '"', ',', '\\', '\\u0000', '\\ud800', 'null', '-1', '1e999', '18446744073709551616', '\n', '\r\n', '\0', '\u2028', '  ', '\t', '&a ', '*a', '<<: ', '- ', '? ', '|', '>-', '%',
  '<x>', '</x>', '<![CDATA[', '<!--', '&amp;', '&#0;', '$', '${', '${A:-', '`', "'", '#', '=', '*', '/', ',,', 'L', '\u00ff', '\ufeff', '__proto__', 'constructor',
];

/** Each edit takes some bytes out at a place and puts a word, or bytes from elsewhere, in. */
export function edited(seed: Buffer, edits: readonly (readonly [at: number, remove: number, word: number])[]): Buffer {
  let bytes = seed;
  for (const [at, remove, word] of edits) {
    const from = at % (bytes.length + 1);
    const put = word < WORDS.length ? Buffer.from(WORDS[word] ?? '') : word % 2 === 0 ? bytes.subarray(word % (bytes.length + 1), (word % (bytes.length + 1)) + 9) : Buffer.of(word & 0xff);
    bytes = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + remove)]);
  }
  return bytes;
}

/** Flags that say what is usual may be written or not. */
function withoutUsual(request: object): object {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => typeof value !== 'boolean'));
}

function refuseSilence(problem: string): void {
  if (problem === '') throw new TypeError('a refusal says nothing');
}

function refusedWithASentence(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError || error.message === '') throw error;
  }
}
