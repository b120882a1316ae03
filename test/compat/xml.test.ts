import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cronFile, type CronFile, pidFile, type RecordedRun, stateFile } from '../../src/compat/state-files.ts';
import { readStateFiles, xmlFiles, type StateFiles } from '../../src/compat/read-files.ts';
import { branch, leaf, readXml, writeXml, type XmlElement } from '../../src/compat/xml.ts';
import { tempDir } from '../temp-dir.ts';

const golden = resolve(import.meta.dirname, '../fixtures/state-files');

function rootOf(text: string): XmlElement {
  const read = readXml(text);
  if (!read.ok) throw new Error(read.reason);
  return read.root;
}

function goldenRoot(name: string): XmlElement {
  return rootOf(readFileSync(join(golden, name), 'utf8'));
}

describe('the reader', () => {
  test('whatever text is written comes back', () => {
    const isNoCharacter = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(rootOf(writeXml(branch('a', [leaf('b', text)]))).children[0]?.text).toBe(text.replaceAll(isNoCharacter, '\ufffd'));
    }));
  });

  test('what XML has no character for is replaced, so that other readers can read the file', () => {
    expect(writeXml(leaf('command', 'printf \u001b[1m\0\ud800 \u{1f600}\t\r'))).toBe('<command>printf \ufffd[1m\ufffd\ufffd \u{1f600}\t&#13;</command>');
  });

  test('blanks at the ends are written by reference, since systemg 0.33.0 leaves out others', () => {
    expect(writeXml(leaf('name', ' \tmy web\n'))).toBe('<name>&#32;&#9;my web&#10;</name>');
  });

  test('the references of XML are understood', () => {
    expect(rootOf('<a>&lt;&amp;&gt;&quot;&apos;&#65;&#x42;</a>').text).toBe('<&>"\'AB');
  });

  // By trying each way to part them, or each blank as the first one, these would take years or minutes; by one step of memory for each sign, the stack.
  test.each([
    ['blanks within a text', `<a>x${' '.repeat(2_000_000)}y</a>`, null],
    ['NULs behind the element', `<a>x</a>${'\0'.repeat(16_000_000)}`, null],
    ['comments and something else behind it', `<a>x</a>${'<!--a--><?b?>'.repeat(10_000)}<!--`, 'character 9'],
    ['one text', `<a>${'x'.repeat(16_000_000)}</a>`, null],
    ['the value of an attribute', `<a b="${'x'.repeat(5_000_000)}">x</a>`, null],
    ['CDATA', `<a><![CDATA[${' '.repeat(2_000_000)}]]></a>`, null],
  ])('many signs cost as much time as they are long: %s', (_, text, ignored) => {
    const read = readXml(text);
    expect({ ...read, root: null }).toEqual({ ok: true, root: null, ignored: ignored === null ? null : expect.stringContaining(ignored) as string });
  });

  test('a text with many blanks within it is written in one go', () => {
    const text = `x${' '.repeat(2_000_000)}y`;
    expect(writeXml(leaf('a', text))).toHaveLength(text.length + '<a></a>'.length);
  });

  test('more elements than there is memory for are refused', () => {
    expect(readXml('<a>'.repeat(2_000_001))).toMatchObject({ ok: false, reason: expect.stringContaining('expected at most 2000000 elements') as string });
  });

  test('blanks between elements mean nothing', () => {
    expect(rootOf('\n<a>\n  <b>1</b>\n</a>\n').children.map(({ name, text }) => [name, text])).toEqual([['b', '1']]);
  });

  // As tried on the program.
  test.each([
    ['<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE a>\n<!-- <b> -->\n<a><b>x</b></a>\n<!-- end -->\n', 'x'],
    ['\ufeff<?xml version="1.0"?><a><b>x</b></a>', 'x'],
    ['<x:a xmlns:x="urn:a"><x:b>x</x:b></x:a>', 'x'],
    ['<a y = "1>2" z=\'"\'><b\n y="&nbsp;">x</b\n></a >', 'x'],
    ['<a>\r\n\t<?php hi > ?><b>\r\n  x\r\n  y\t</b>\r\n</a>\r\n\0\0', 'x\r\n  y'],
    ['<a>text<b>x</b>beside</a>', 'x'],
    ['<a><b> x<!-- -- <y> --> y <!-- z --></b></a>', 'x y'],
    ['<a><b> <![CDATA[ <x>&amp; ]]> </b></a>', ' <x>&amp; '],
    ['<a><b><![CDATA[x]]>&#121;<![CDATA[z]]></b></a>', 'xyz'],
    ['<a><b> &#32;x&#x9; </b></a>', ' x\t'],
    ['<a><b>x]]>y > z\u00a0</b></a>', 'x]]>y > z\u00a0'],
    ['<a><b>&#00000000120;</b></a>', 'x'],
  ])('%j is read as systemg 0.33.0 does', (text, expected) => {
    expect(readXml(text)).toEqual({ ok: true, root: branch('a', [leaf('b', expected)]), ignored: null });
  });

  test('what stands behind the element is told', () => {
    expect(readXml('<a/> <b/>')).toEqual({ ok: true, root: leaf('a', ''), ignored: 'character 5: expected the end of the file, got " <b/>"' });
  });

  test.each([
    ['', 'character 1: expected an element, got the end of the file'],
    ['<PidFile><services><na', 'character 20: expected a plain tag, got "<na"'],
    ['<PidFile><services>', 'character 20: expected </services>, got the end of the file'],
    ['<a></b>', 'character 4: expected </a>, got "</b>"'],
    ['hello<a/>', 'character 1: expected an element, got "hello<a/>"'],
    ['<a><!-- b</a>', 'character 4: expected a plain tag, got "<!-- b</a>"'],
    ['<a><![CDATA[b</a>', 'character 4: expected a plain tag, got "<![CDATA[b</a>"'],
    ['<a></a x="1">', 'character 4: expected </a>, got "</a x=\\"1\\">"'],
    ['<a>&#0;</a>', 'character 4: expected text whose & begins a character reference, got "&#0;</a>"'],
    ['<a>&#xd800;</a>', 'character 4: expected text whose & begins a character reference, got "&#xd800;</a>"'],
    ['<a>&#x110000;</a>', 'character 4: expected text whose & begins a character reference, got "&#x110000;</a>"'],
    ['<a>&nbsp;</a>', 'character 4: expected text whose & begins a character reference, got "&nbsp;</a>"'],
    ['{"pid": 1}', 'character 1: expected an element, got "{\\"pid\\": 1}"'],
    ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'character 1: expected a plain tag, got "<!DOCTYPE a [<!ENTITY x \\"y\\">]><a>&x;</a>"'],
  ])('%j is refused with the place', (text, reason) => {
    expect(readXml(text)).toEqual({ ok: false, reason });
  });

  test('no beginning of a real file is taken for the whole', () => {
    for (const name of readdirSync(golden)) {
      const text = readFileSync(join(golden, name), 'utf8');
      for (let length = 0; length < text.length; length += 7) expect(readXml(text.slice(0, length)).ok).toBe(false);
    }
  });
});

describe('files recorded from systemg 0.33.0', () => {
  test('pid.xml: processes, groups and spawned children', () => {
    const file = pidFile.decode(goldenRoot('pid.xml'), strict);
    expect(file.services.get('web')).toBe(22);
    expect(file.groups.get('orchestrator')).toBe(13);
    expect(file.spawned.find(({ pid }) => pid === 4748)).toEqual({
      pid: 4748, name: 'cli-job', command: 'sleep 606', startedAt: 1795418970, ttl: null, depth: 2, parentPid: 4542, serviceHash: 'cb9f1ecf2baee075',
    });
    const again = pidFile.encode(file);
    expect(pidFile.decode(rootOf(writeXml(again)), strict)).toEqual(file);
    const kinds = (root: XmlElement) => root.children.map(({ name }) => name).sort();
    expect(kinds(again)).toEqual(kinds(goldenRoot('pid.xml')));
  });

  test('state.xml is written back to the byte', () => {
    const text = readFileSync(join(golden, 'state.xml'), 'utf8');
    expect(writeXml(stateFile.encode(stateFile.decode(rootOf(text), strict)))).toBe(text);
  });

  test('cron_state.xml: what is empty or 0 is nothing', () => {
    const file = cronFile.decode(goldenRoot('cron_state.xml'), strict);
    expect(file.get('544b5a5a9ea0157c')).toMatchObject({
      timezone: null, timezoneLabel: 'local (+00:00+00:00)',
      runs: [{ startedAt: 1795418915, completedAt: null, status: null, exitCode: null, pid: null, user: 'nobody', command: 'echo bad >&2; exit 4' }],
    });
    expect(file.get('c05356c3c99d467c')).toMatchObject({ lastExecution: null, runs: [] });
    expect(cronFile.decode(rootOf(writeXml(cronFile.encode(file))), strict)).toEqual(file);
  });
});

test('failed, overlapping and unfinished runs are written in forms that systemg 0.33.0 reads', () => {
  const run: RecordedRun = { startedAt: 5, completedAt: 6, status: { Failed: 'exit <4>' }, exitCode: 4, pid: 9, user: 'me', command: 'a', samples: [] };
  const runs = [run, { ...run, status: 'OverlapError' as const, exitCode: null, pid: null, user: null, command: null }, { ...run, completedAt: null, status: null, exitCode: null }];
  const file: CronFile = new Map([['h', { lastExecution: 5, runs, timezoneLabel: 'UTC', timezone: 'UTC' }]]);
  const text = writeXml(cronFile.encode(file));
  expect(text).toContain('<completed_at>6</completed_at><status><Failed>exit &lt;4&gt;</Failed></status><exit_code>4</exit_code>');
  expect(text).toContain('<completed_at>6</completed_at><status>OverlapError</status></execution_history>');
  expect(text).toContain('<completed_at>0</completed_at><pid>9</pid>');
  expect(cronFile.decode(rootOf(text), strict)).toEqual(file);
});

test.each([
  ['pid.xml', '<ServiceStateFile/>', 'root: expected <PidFile>, got "<ServiceStateFile>"'],
  ['pid.xml', '<PidFile><serv', 'expected a plain tag'],
])('a damaged %s is told, copied and left out, and the others are read: %s', (name, text, reason) => {
  const { files, problems } = damaged(name, text);
  expect(problems).toEqual([expect.stringContaining(reason)]);
  expect([files.pid, files.state, files.cron].filter((content) => content === null)).toHaveLength(1);
});

test.each([
  ['pid.xml', '<PidFile><services><name>a</name></services></PidFile>', 'services[0].pid: expected an element, got nothing'],
  ['pid.xml', '<PidFile><services><name>a</name><pid>-7</pid></services></PidFile>', 'services[0].pid: expected a whole number from 0 to 4294967295, got "-7"'],
  ['pid.xml', '<PidFile><services><name>a</name><pid>99999999999</pid></services></PidFile>', 'services[0].pid: expected a whole number from 0 to 4294967295, got "99999999999"'],
  ['state.xml', '<ServiceStateFile><services><name>a</name><state><status>gone</status></state></services></ServiceStateFile>', 'services[0].state.status: expected one of running, skipped'],
  [
    'state.xml', '<ServiceStateFile><services><name>a</name><state><status>stopped</status><exit_code>2147483648</exit_code></state></services></ServiceStateFile>',
    'services[0].state.exit_code: expected a whole number from -2147483648 to 2147483647, got "2147483648"',
  ],
  ['cron_state.xml', '<CronStateFile><jobs><hash>a</hash></jobs></CronStateFile>', 'jobs[0].state: expected an element, got nothing'],
  [
    'cron_state.xml', '<CronStateFile><jobs><hash>a</hash><state><last_execution>8640000000001</last_execution></state></jobs></CronStateFile>',
    'jobs[0].state.last_execution: expected a whole number from 0 to 8640000000000, got "8640000000001"',
  ],
  [
    'cron_state.xml', '<CronStateFile><jobs><hash>a</hash><state><execution_history><started_at>9007199254740991</started_at></execution_history></state></jobs></CronStateFile>',
    'jobs[0].state.execution_history[0].started_at: expected a whole number from 0 to 8640000000000, got "9007199254740991"',
  ],
])('what is wrong in %s is told, copied and left out, and the rest is read: %s', (name, text, reason) => {
  const { files, problems } = damaged(name, text);
  expect(problems).toEqual([expect.stringMatching(/what is wrong is left out; a copy is kept as /)]);
  expect(problems[0]).toContain(reason);
  expect([files.pid, files.state, files.cron]).not.toContain(null);
});

test('one bad run, service, sample or state costs none of the others', () => {
  const good = (at: number, more = '') => `<execution_history><started_at>${at}</started_at><completed_at>${at}</completed_at><status>Success</status>${more}</execution_history>`;
  const job = (hash: string, ...runs: readonly string[]) => `<jobs><hash>${hash}</hash><state>${runs.join('')}</state></jobs>`;
  const sample = (cpu: string) => `<metrics><timestamp>2026-11-23T07:28:18Z</timestamp><cpu_percent>${cpu}</cpu_percent>${['rss_bytes', 'io_read_bytes', 'io_write_bytes', 'net_rx_bytes', 'net_tx_bytes'].map((name) => `<${name}>1</${name}>`).join('')}</metrics>`;
  const jobs = [job('a', good(1), good(2).replace('Success', 'Maybe'), good(3, sample('1') + sample('many'))), job('b', good(4)), '<jobs><hash>c</hash></jobs>'];
  const cron = damaged('cron_state.xml', `<CronStateFile>${jobs.join('')}</CronStateFile>`);
  expect([...cron.files.cron ?? []].map(([hash, { runs }]) => [hash, runs.map(({ startedAt, samples }) => [startedAt, samples.length])])).toEqual([['a', [[1, 0], [3, 1]]], ['b', [[4, 0]]]]);
  expect(cron.problems).toEqual([expect.stringMatching(/jobs\[0\]\.state\.execution_history\[1\]\.status: expected one of Success, .*, got "Maybe", and 2 more like that; what is wrong is left out; a copy is kept as /)]);

  const entry = (name: string, pid: string) => `<services><name>${name}</name><pid>${pid}</pid></services>`;
  expect(damaged('pid.xml', `<PidFile>${entry('web', '7')}${entry('bad', 'x')}${entry('api', '8')}</PidFile>`).files.pid?.services).toEqual(new Map([['web', 7], ['api', 8]]));
  const state = (hash: string, status: string) => `<services><name>${hash}</name><state><status>${status}</status></state></services>`;
  expect([...damaged('state.xml', `<ServiceStateFile>${state('a', 'stopped')}${state('b', 'gone')}</ServiceStateFile>`).files.state?.keys() ?? []]).toEqual(['a']);
});

/** The golden files, one of them with another content. */
function damaged(name: string, text: string): { readonly files: StateFiles; readonly problems: readonly string[] } {
  const stateDir = tempDir();
  for (const other of readdirSync(golden)) writeFileSync(join(stateDir, other), readFileSync(join(golden, other)));
  writeFileSync(join(stateDir, name), text);
  const problems: string[] = [];
  const files = readStateFiles(stateDir, { quarantine: xmlFiles, onProblem: (problem) => problems.push(problem) });
  expect(problems[0]).toContain(`${name}.corrupt-1`);
  expect(readFileSync(join(stateDir, `${name}.corrupt-1`), 'utf8')).toBe(text);
  return { files, problems };
}

function strict(problem: string): never {
  throw new Error(problem);
}

test('a file longer than any that systemg 0.33.0 writes is kept as a copy and read no further', () => {
  const stateDir = tempDir();
  const path = join(stateDir, 'pid.xml');
  writeFileSync(path, '<PidFile/>');
  truncateSync(path, 2 ** 24 + 1);
  const problems: string[] = [];
  expect(readStateFiles(stateDir, { quarantine: xmlFiles, onProblem: (problem) => problems.push(problem) }).pid).toBeNull();
  expect(problems).toEqual([`${path}: expected at most ${2 ** 24} bytes, got ${2 ** 24 + 1}; it is ignored; a copy is kept as ${path}.corrupt-1`]);
});

test('what systemg 0.33.0 takes for the number of a process, a group, a code or a signal is no damage', () => {
  const pids = pidFile.decode(rootOf('<PidFile><services><name>a</name><pid>0</pid></services><service_groups><name>a</name><pgid>-5</pgid></service_groups></PidFile>'), strict);
  expect([pids.services.get('a'), pids.groups.get('a')]).toEqual([0, -5]);
  const state = '<state><status> stopped\n</status><pid>4294967295</pid><exit_code>+03</exit_code><signal>-1</signal></state>';
  const states = stateFile.decode(rootOf(`<ServiceStateFile><services><name>a</name>${state}</services></ServiceStateFile>`), strict);
  expect(states.get('a')).toEqual({ status: 'stopped', pid: 4_294_967_295, exitCode: 3, signal: -1 });
});

test('bytes that are no UTF-8, and what follows the end of a file, are told and cost nothing else', () => {
  const stateDir = tempDir();
  const text = '<PidFile><services><name>caf\xe9</name><pid>5</pid></services><services><name>web</name><pid>7</pid></services></PidFile>';
  writeFileSync(join(stateDir, 'pid.xml'), Buffer.from(`${text}services>`, 'latin1'));
  const problems: string[] = [];
  const { pid } = readStateFiles(stateDir, { quarantine: xmlFiles, onProblem: (problem) => problems.push(problem) });
  expect(pid?.services).toEqual(new Map([['caf\ufffd', 5], ['web', 7]]));
  expect(problems.map((problem) => problem.slice(stateDir.length + 1))).toEqual([
    'pid.xml: some of its bytes are no UTF-8 and are read as U+FFFD',
    `pid.xml: character ${text.length + 1}: expected the end of the file, got "services>"; that is ignored`,
  ]);
});
