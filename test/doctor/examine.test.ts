import { describe, expect, test } from 'vitest';
import { diagnose, examine } from '../../src/doctor/examine.ts';
import { startCommand, type Facts, type Finding } from '../../src/doctor/facts.ts';
import { movingUnits } from '../../src/doctor/gather.ts';
import { toolsOn } from '../../src/doctor/tools.ts';
import type { UnitStatus } from '../../src/wire/payloads.ts';
import { healthy, nowWallMs, path, paths, processRow, record, spec, token, told, unit, withRecord, withUnit, wrong } from './facts-rig.ts';

const atRest: Partial<Facts> = {
  lock: { state: 'free', reason: null }, owner: null, serving: { kind: 'nobody' }, pidText: null, hint: null,
  entries: new Map([...healthy.entries].filter(([name]) => name !== paths.socket)),
};
const rows = (...added: ReturnType<typeof processRow>[]): Facts['processes'] => new Map([...healthy.processes.values(), ...added].map((row) => [row.pid, row]));

test('a supervisor whose parts agree has nothing wrong with it, and every part is reported', () => {
  expect(wrong(healthy)).toEqual({});
  expect(examine(healthy).map(({ check }) => check)).toEqual([
    'state directory', 'log directory', 'FIFO directory', 'supervisor', 'guardian', 'control socket', 'configuration', 'writing', 'ledger', 'journal', 'unit web', 'pid.xml', 'state.xml',
    'cron_state.xml', 'process of web', 'strays', 'zombies', 'FIFOs', 'log files', 'disk space', 'tools',
  ]);
});

const owner = { pid: 50, guardian: 49, isForeground: false, open: healthy.owner?.open ?? null };

/** Each: what is changed, the check that must see it, and words of what it says. */
const faults: readonly (readonly [what: string, change: Partial<Facts>, check: string, said: RegExp])[] = [
  ['the state directory is open to others', { entries: new Map([...healthy.entries, path(paths.stateDir, { kind: 'directory', mode: 0o755 })]) }, 'state directory', /mode 0755.*expected.*0700.*chmod 700/],
  ['the log directory is somebody else\'s', { entries: new Map([...healthy.entries, path(paths.logDir, { kind: 'directory', mode: 0o700, uid: 7 })]) }, 'log directory', /belongs to uid 7/],
  ['the ledger can be read by everybody', { entries: new Map([...healthy.entries, path(paths.ledger, { mode: 0o644 })]) }, 'ledger file', /mode 0644/],
  ['the socket lets everybody in', { entries: new Map([...healthy.entries, path(paths.socket, { kind: 'socket', mode: 0o777 })]) }, 'control socket', /mode 0777.*expected.*0600/],
  ['the pid file names another process', { owner: null, pidText: '1' }, 'sysg.pid', /naming "1".*expected the pid of the process that holds the lock/],
  ['no socket can have the path', { paths: { ...paths, socket: `/${'x'.repeat(120)}` } }, 'control socket', /has 121 bytes.*use a shorter HOME; expected a path that a socket can have/],
  ['the supervisor does not answer', { serving: { kind: 'silent', reason: 'no answer within 10000 ms' } }, 'control socket', /no answer within 10000 ms.*kill -KILL 50/],
  ['the supervisor is halted', { serving: { kind: 'silent', reason: 'no answer' }, processes: new Map([[50, processRow(50, { state: 'T' })], [70, processRow(70, { tokens: [token] })]]) }, 'control socket', /halted by a signal.*kill -CONT 50/],
  ['the guardian was killed', { owner: { ...owner, guardian: null } }, 'guardian', /none: it was killed, and supervisor 50 runs alone.*kill -KILL 50; sysg start --daemonize -c/],
  ['the guardian is halted', { processes: rows(processRow(49, { state: 'T' })) }, 'guardian', /pid 49 halted by a signal.*kill -CONT 49/],
  ['another program serves the socket', { lock: { state: 'free', reason: null }, owner: null }, 'lock', /no process holds .*supervisor\.lock.*systemg 0\.33\.0/],
  ['the lock cannot be asked about', { lock: { state: 'unknown', reason: 'locking needs the program flock' } }, 'lock', /needs the program flock/],
  ['the file in use no longer loads', { config: { kind: 'refused', path: '/x.yaml', problems: ['/x.yaml:3:1: services: bad', 'two'] } }, 'configuration', /x\.yaml:3:1: services: bad \(and 1 more\)/],
  ['the file in use is gone', { config: { kind: 'none', reason: '/x.yaml: No such file' } }, 'configuration', /x\.yaml: No such file; expected the file that the supervisor runs\. Put it back.*sysg restart -c FILE/],
  ['the ledger is damaged', { ledger: { ...healthy.ledger, problems: ['line 3: not JSON'] } }, 'ledger', /line 3: not JSON/],
  ['the ledger was taken away', { entries: new Map([...healthy.entries, path(paths.ledger, { identity: 'new' })]) }, 'ledger', /not to be the file that the supervisor writes to/],
  ['the ledger knows another pid', { ledger: withRecord({ process: { ...record.process!, identity: { pid: 71, startTime: '500', bootId: 'boot' } } }), processes: rows(processRow(71, { tokens: [token] })) }, 'unit web', /pid 71 in the ledger.*expected pid 70/],
  ['the ledger knows another state', { ledger: withRecord({ state: 'backoff' }) }, 'unit web', /phase backoff in the ledger.*expected phase running/],
  ['the ledger knows another wish', { ledger: withRecord({ wanted: 'down' }) }, 'unit web', /wanted down in the ledger.*expected wanted up/],
  ['the ledger does not know the unit', { ledger: { ...healthy.ledger, entries: new Map() } }, 'unit web', /nothing of it in the ledger.*expected a record of pid 70/],
  ['the journal tells of another state', { journal: { ...healthy.journal, newest: new Map([['web', { ...told, to: 'failed' }]]) } }, 'unit web', /"failed" in the journal \(record 4\)/],
  ['the journal lacks the newest record', { journal: { ...healthy.journal, newest: new Map([['web', { ...told, seq: 3 }]]) } }, 'journal', /record 3 of web.*expected record 4/],
  ['the journal has foreign lines', { journal: { ...healthy.journal, problems: ['j:5: not a record: "x"'] } }, 'journal', /j:5: not a record/],
  ['a retry is overdue', { serving: withUnit({ next_at: new Date(nowWallMs - 60_000).toISOString() }) }, 'unit web', /a try due 60 s ago/],
  ['pid.xml is not ours', { files: { ...healthy.files, digests: { ...healthy.files.digests, 'pid.xml': 'other' } } }, 'pid.xml', /written by another program/],
  ['pid.xml is torn', { files: { ...healthy.files, problems: [`${paths.stateDir}/pid.xml: ends within a tag; it is ignored`] } }, 'pid.xml', /ends within a tag/],
  ['pid.xml has another pid', { files: { ...healthy.files, pid: { services: new Map([['web', 9]]), groups: new Map(), spawned: [] } } }, 'pid.xml', /pid 9 of web instead of 70/],
  ['state.xml has another state', { files: { ...healthy.files, state: new Map([[unit.hash, { status: 'stopped', pid: null, exitCode: null, signal: null }]]) } }, 'state.xml', /"stopped" of web instead of "running"/],
  ['the process is dead', { processes: new Map() }, 'process of web', /pid 70 is dead.*sysg restart -s web/],
  ['the pid is another process by now', { processes: new Map([[70, processRow(70, { startTime: '900' })]]) }, 'process of web', /another process by now \(began at tick 900, not 500\)/],
  ['the process is of another boot', { bootId: 'later' }, 'process of web', /before the machine was started anew/],
  ['the process is a zombie', { processes: new Map([[70, processRow(70, { state: 'Z' })]]) }, 'process of web', /zombie, which its parent 50 has not reaped/],
  ['the process has a foreign token', { processes: new Map([[70, processRow(70, { tokens: ['ffffffffffff.1.1'] })]]) }, 'process of web', /token ffffffffffff\.1\.1.*expected the token 0123456789ab\.1\.1/],
  ['two generations live at once', { processes: rows(processRow(80, { tokens: ['0123456789ab.1.2'] })) }, 'groups of web', /generation 1 \(pid 70\) and generation 2 \(pid 80\)/],
  ['a process was left behind', { processes: rows(processRow(81, { tokens: ['0123456789ab.9.1'], pgrp: 80 })) }, 'strays', /pid 81 \(group 80, token 0123456789ab\.9\.1\)/],
  ['a process was left behind, whose ledger was lost', { feeders: new Set([70, 83]), processes: rows(processRow(83, { tokens: ['ffffffffffff.1.1'], pgrp: 83 })) }, 'strays', /^found pid 83 \(group 83, token ffffffffffff\.1\.1\)/],
  ['a child is not reaped', { processes: rows(processRow(82, { state: 'Z', ppid: 50 })) }, 'zombies', /1 zombie \(pid 82\) that pid 50 does not reap/],
  ['/proc is not mounted', { seesProcesses: false, processes: new Map() }, 'processes', /no process in \/proc; expected all that run/],
  ['a FIFO is gone', { entries: new Map([...healthy.entries, path('/fifo/web.stdout', { kind: 'missing' })]) }, 'FIFOs', /no \/fifo\/web\.stdout/],
  ['a FIFO is not the one that is written to', { entries: new Map([...healthy.entries, path('/fifo/web.stderr', { kind: 'fifo', identity: '1:new' })]) }, 'FIFOs', /web writing to a FIFO that is no longer at .*web\.stderr/],
  ['nobody reads a FIFO', { owner: { pid: 50, guardian: 49, isForeground: false, open: new Set([`1:${paths.ledger}`]) } }, 'FIFOs', /web\.std\w+ that the supervisor does not read/],
  ['a log file is a directory', { entries: new Map([...healthy.entries, path('/logs/web_stdout.log', { kind: 'directory' })]) }, 'log files', /is a directory/],
  ['a log file is open to everybody', { entries: new Map([...healthy.entries, path('/logs/web_stdout.log', { mode: 0o666 }), path(paths.logDir, { kind: 'directory', mode: 0o755 })]) }, 'log files', /mode 0666/],
  ['the disk is full', { volumes: [{ path: '/home', freeBytes: 4096, freeFiles: 1e6, files: 2e6, writable: true }] }, 'disk space', /4\.0 KiB free/],
  ['there are no inodes left', { volumes: [{ path: '/home', freeBytes: 1e12, freeFiles: 3, files: 2e6, writable: true }] }, 'disk space', /room for 3 more files/],
  ['the disk has room for neither', { volumes: [{ path: '/home', freeBytes: 4096, freeFiles: 3, files: 60, writable: true }] }, 'disk space', /4\.0 KiB free and room for 3 more files at .*expected at least 64\.0 MiB and 1000 files/],
  ['the disk is read-only', { volumes: [{ path: '/home', freeBytes: 1e12, freeFiles: 1e6, files: 2e6, writable: false }] }, 'disk space', /cannot be written/],
  ['a tool that every supervisor needs is missing', { tools: new Map([...healthy.tools, ['flock', null]]) }, 'tool flock', /Install the package util-linux/],
  ['a tool that a unit needs is missing', { tools: new Map([...healthy.tools, ['setpriv', null]]), config: { kind: 'loaded', path: '/c', specs: [spec({ privileges: { ...spec().privileges, user: 'nobody' } })], profiles: {} } }, 'tool setpriv', /which web asks for/],
];

test.each([
  [{ path: '/home/me', kind: 'file' }, /^found \/home\/me is a file, on the way to \/home\/me\/.*; expected a directory .*Set HOME/],
  [{ path: paths.stateDir, kind: 'fifo' }, /is a fifo; expected .*Move it away/],
  [{ path: '/home', kind: 'locked' }, /found \/home, which uid 1000 may not enter, on the way to .*chmod u\+x \/home/],
  [{ path: '/home/me', kind: 'link' }, /is a link to what is no directory/],
] as const)('%j in the way of the state directory is all that is said of its files', (obstacle, said) => {
  expect(wrong({ ...healthy, ...atRest, obstacle })).toEqual({ 'state directory': expect.stringMatching(said) });
});

test('a service that profiles leave out is not new, and needs no tool, until the supervisor has it', () => {
  const debug = spec({ name: 'debug', privileges: { ...spec().privileges, user: 'nobody' } });
  const facts: Facts = { ...healthy, tools: new Map([...healthy.tools, ['setpriv', null]]), config: { kind: 'loaded', path: '/c', specs: [spec(), debug], profiles: { debug: ['dev'] } } };
  expect(wrong(facts)).toEqual({});
  expect(examine(facts).find(({ check }) => check === 'configuration')?.detail).toBe('/c: valid');
  expect(wrong({ ...facts, serving: withUnit({ name: 'debug' }) })).toHaveProperty('tool setpriv');
});

test.each(faults)('%s: it is seen, and by the right check', (_, change, check, said) => {
  const findings = wrong({ ...healthy, ...change });
  expect(Object.keys(findings)).toContain(check);
  expect(findings[check]).toMatch(said);
  expect(findings[check]).toMatch(/^found .+; expected .+\. \S.+$/s);
});

test('elsewhere than on Linux no tool is asked for that only Linux has', () => {
  expect(toolsOn('darwin').map(({ name }) => name)).toEqual(['sh', 'mkfifo', 'gzip', 'nice']);
  expect(toolsOn('linux').map(({ name }) => name)).toEqual(expect.arrayContaining(['sh', 'flock', 'setpriv', 'unshare', 'mount']));
});

describe('what is no fault', () => {
  const fine: readonly (readonly [what: string, change: Partial<Facts>])[] = [
    ['a unit at rest whose newest record is of its rollout', {
      journal: { ...healthy.journal, newest: new Map([['web', { seq: told.seq, at: told.at, unit: 'web', event: 'rollout', detail: { step: 'done' } }]]) },
    }],
    ['a program that cleared its environment', { processes: new Map([[70, processRow(70, { tokens: [] })]]) }],
    ['an environment that may not be read', { processes: new Map([[70, processRow(70, { tokens: null })]]) }],
    ['another supervisor\'s processes', { processes: rows(processRow(90, { tokens: ['ffffffffffff.1.1'] })) }],
    ['a supervisor inside a service', { processes: rows(processRow(90, { tokens: [token, 'ffffffffffff.1.1'] })) }],
    ['what a unit left that is being ended', { ledger: withRecord({ state: 'clearing' }), serving: withUnit({ phase: 'stopping', process: undefined }), processes: new Map(), files: { ...healthy.files, pid: null, state: null } }],
    ['a unit that changed while it was looked at', { ledger: withRecord({ state: 'backoff', process: null }), processes: new Map(), moving: new Set(['web']) }],
    ['lines that killed supervisors left', { journal: { ...healthy.journal, torn: 2 } }],
    ['log files that systemg 0.33.0 left behind a closed door', { entries: new Map([...healthy.entries, path('/logs/web_stdout.log', { mode: 0o644 })]) }],
    ['a process that was taken over with its pipe', { outputs: healthy.outputs.map((output) => ({ ...output, writesTo: '9:7' })) }],
    ['a tool that no unit asks for', { tools: new Map([...healthy.tools, ['unshare', null]]) }],
    ['a file that is not taken over yet', { config: { kind: 'loaded', path: '/c', specs: [spec(), spec({ name: 'new' })], profiles: {} } }],
    ['no file at all, where nothing runs', { ...atRest, config: { kind: 'none', reason: 'no file' }, ledger: { ...withRecord({ state: 'stopped', process: null }), clean: true }, processes: new Map() }],
    ['files at rest after an orderly end', { ...atRest, ledger: { ...withRecord({ state: 'stopped', process: null }), clean: true }, processes: new Map() }],
    ['files that systemg 0.33.0 wrote meanwhile', { ...atRest, ledger: withRecord({ state: 'stopped', process: null }), files: { ...healthy.files, digests: { ...healthy.files.digests, 'pid.xml': 'other' } }, processes: new Map() }],
    ['a process that died with its supervisor and its pid file', { ...atRest, processes: new Map() }],
  ];
  test.each(fine)('%s', (_, change) => expect(wrong({ ...healthy, ...change })).toEqual({}));
});

test('a service that runs on without its supervisor is reported, with what the dead one left', () => {
  const findings = wrong({ ...healthy, ...atRest, pidText: '50', hint: '/c', entries: healthy.entries });
  expect(Object.keys(findings)).toEqual(['supervisor', 'process of web']);
  expect(findings['supervisor']).toMatch(/left: sysg\.pid, control\.sock, config_hint/);
  expect(findings['process of web']).toMatch(/pid 70 running without a supervisor.*sysg start --daemonize.*sysg stop/);
});

test('what disagrees only for a moment is not reported', async () => {
  const looks = [{ ...healthy, processes: new Map() }, healthy];
  expect(await diagnose(() => Promise.resolve(looks.shift() ?? healthy), 0)).toMatchObject({ ok: true });
});

test('what disagrees twice is reported, and what begins to disagree at the second look is not', async () => {
  const looks = [{ ...healthy, processes: new Map() }, { ...healthy, processes: new Map(), pidText: '1', owner: null }];
  const { ok, findings } = await diagnose(() => Promise.resolve(looks.shift() ?? healthy), 0);
  expect(ok).toBe(false);
  expect(findings.filter((finding) => !finding.ok).map(({ check }) => check)).toEqual(['process of web']);
});

test('every unit has a line in every report: one that has just changed, and one that begins to disagree between two looks', async () => {
  const units = (findings: readonly Finding[]): readonly Finding[] => findings.filter(({ check }) => check === 'unit web');
  const stale = { ...healthy, ledger: withRecord({ state: 'backoff' }) };
  expect(units(examine({ ...stale, moving: new Set(['web']) }))).toEqual([{ check: 'unit web', ok: true, detail: expect.stringContaining('it has just changed and is not compared') }]);
  const looks = [{ ...healthy, pidText: '1', owner: null }, stale];
  const { findings } = await diagnose(() => Promise.resolve(looks.shift() ?? stale), 0);
  expect(units(findings)).toMatchObject([{ ok: true }]);
});

test('a supervisor in the foreground needs no guardian', () => {
  expect(wrong({ ...healthy, owner: { ...owner, guardian: null, isForeground: true } })).toEqual({});
});

test('a unit keeps still when two answers are a millisecond apart about when its phase began, and moves when anything else differs', () => {
  const at = (change: Partial<UnitStatus>): Facts['serving'] => withUnit({ since: '2026-01-01T00:00:00.000Z', ...change });
  const moves = (change: Partial<UnitStatus>): boolean => movingUnits(at({}), at(change)).has('web');
  expect([moves({}), moves({ since: '2026-01-01T00:00:00.001Z' }), moves({ since: '2025-12-31T23:59:59.999Z' })]).toEqual([false, false, false]);
  expect([moves({ since: '2026-01-01T00:00:01Z' }), moves({ generation: 2 }), moves({ phase: 'backoff' }), moves({ last_event: 5 })]).toEqual([true, true, true, true]);
});

test('remedies name the file of the last supervisor: a start from elsewhere would not find it', () => {
  expect(startCommand({ command: 'sysg ', config: { kind: 'none', reason: '' }, hint: '/srv/my app/sysg.yaml' })).toBe("sysg start --daemonize -c '/srv/my app/sysg.yaml'");
  expect(startCommand({ command: 'sysg ', config: { kind: 'loaded', path: '/srv/sysg.yaml', specs: [], profiles: {} }, hint: null })).toBe('sysg start --daemonize -c /srv/sysg.yaml');
  expect(startCommand({ command: 'sysg ', config: { kind: 'none', reason: '' }, hint: null })).toBe('sysg start --daemonize');
  expect(startCommand({ command: 'sysg --sys -p shop ', config: { kind: 'none', reason: '' }, hint: null })).toBe('sysg --sys -p shop start --daemonize');
});

test('what a disk does not take is named, and nothing is held against files that are known to be behind', () => {
  if (healthy.serving.kind !== 'answers') throw new Error('the healthy one answers');
  const behind = (...files: readonly string[]): Facts['serving'] => (
    healthy.serving.kind === 'answers' ? { ...healthy.serving, snapshot: { ...healthy.serving.snapshot, unwritten: files.map((file) => `${file}: cannot be written: EROFS`) } } : healthy.serving
  );
  const stale: Facts = {
    ...healthy, processes: new Map([...healthy.processes].filter(([pid]) => pid !== 70)), ledger: withRecord({ state: 'backoff', generation: 7 }),
    files: { ...healthy.files, pid: { services: new Map([['web', 9]]), groups: new Map(), spawned: [] } },
  };
  expect(Object.keys(wrong(stale))).toEqual(['unit web', 'pid.xml', 'process of web']);
  const pidXml = `${paths.stateDir}/pid.xml`;
  expect(wrong({ ...stale, serving: behind(paths.ledger, pidXml) })).toEqual({
    writing: expect.stringContaining(`found ${paths.ledger}: cannot be written: EROFS; ${pidXml}: cannot be written: EROFS; expected a disk that takes`),
  });
  // Each for itself.
  expect(Object.keys(wrong({ ...stale, serving: behind(pidXml) }))).toEqual(['writing', 'unit web', 'process of web']);
});
