import type { ServiceSpec, UnitRecord } from '../../machines/types.ts';
import type { JournalRecord, UnitStatus } from '../../src/wire/payloads.ts';
import { examine } from '../../src/doctor/examine.ts';
import type { Facts, PathFact } from '../../src/doctor/facts.ts';
import { knownTools } from '../../src/doctor/tools.ts';
import type { ScannedProcess } from '../../src/process/scan.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { emptySum } from '../../src/state/ledger-lines.ts';
import { serviceSpec } from '../process/spec.ts';

export const paths = runtimePaths({ system: false, env: { HOME: '/home/me' } });
export const token = '0123456789ab.1.1';
export const nowWallMs = Date.parse('2026-01-01T00:01:00Z');

export const record: UnitRecord = {
  unit: 'web', hash: 'a'.repeat(16), definition: { process: 'p', policy: 'q' }, wanted: 'up', state: 'running', cause: null, generation: 1,
  process: { generation: 1, role: 'main', token, identity: { pid: 70, startTime: '500', bootId: 'boot' }, adopted: false },
  outcome: 'none', exit: null, reason: null, failures: [], streak: 0, restarts: 0, deadline: null, since: 0,
};

export const unit: UnitStatus = {
  name: 'web', hash: 'a'.repeat(16), kind: 'service', lifecycle: 'running', health: 'healthy', process: { pid: 70, state: 'running' },
  phase: 'running', wanted: 'up', generation: 1, last_event: 4, since: '2026-01-01T00:00:00Z',
};

export const told: JournalRecord = {
  seq: 4, at: '2026-01-01T00:00:00Z', unit: 'web', generation: 1, event: 'deadline.alive', from: 'starting', to: 'running', cause: { kind: 'boot' }, detail: {},
};

export function spec(extra: Partial<ServiceSpec> = {}): ServiceSpec {
  return { ...serviceSpec(['true'], '/'), name: 'web', ...extra };
}

export function processRow(pid: number, row: Partial<ScannedProcess> = {}): ScannedProcess {
  return { pid, ppid: 50, pgrp: pid, session: pid, state: 'S', startTime: '500', tokens: [], ...row };
}

export function path(path: string, fact: Partial<PathFact> = {}): [string, PathFact] {
  return [path, { path, kind: 'file', mode: 0o600, uid: 1000, identity: `1:${path}`, ...fact }];
}

const fifos = ['stdout', 'stderr'] as const;
const entries = new Map([
  ...[paths.stateDir, paths.logDir, paths.fifoDir].map((directory) => path(directory, { kind: 'directory', mode: 0o700 })),
  path(paths.socket, { kind: 'socket' }), path(paths.ledger), path(paths.pidFile), path(paths.supervisorLog, { mode: 0o640 }),
  ...fifos.flatMap((stream) => [path(`/fifo/web.${stream}`, { kind: 'fifo' }), path(`/logs/web_${stream}.log`, { mode: 0o640 })]),
]);

/** One service that runs under a supervisor, and nothing wrong. */
export const healthy: Facts = {
  nowWallMs, uid: 1000, bootId: 'boot', paths, obstacle: null, command: 'sysg ', lock: { state: 'held', reason: null }, pidText: '50', hint: '/home/me/sysg.yaml', moving: new Set(),
  owner: { pid: 50, guardian: 49, isForeground: false, open: new Set([...entries.values()].map(({ identity }) => identity)) },
  serving: { kind: 'answers', tookMs: 3, snapshot: { schema_version: 'status.v1', captured_at: '2026-01-01T00:01:00Z', overall_health: 'healthy', units: [unit] } },
  config: { kind: 'loaded', path: '/home/me/sysg.yaml', specs: [spec()], profiles: {} },
  ledger: {
    entries: new Map([['web', { record, written: { at: 1, wallMs: 1, bootId: 'boot' } }]]), sum: emptySum(), fresh: false, clean: false, damaged: false,
    unreadable: null, soundBytes: 1, unterminated: false, reserved: new Map(), problems: [],
    meta: new Map<string, unknown>([['token seeds', ['0123456789ab']], ...['pid.xml', 'state.xml', 'cron_state.xml'].map((name): [string, unknown] => [`digest ${name}`, [`of ${name}`]])]),
  },
  journal: { count: 4, last: 4, newest: new Map([['web', told]]), torn: 0, problems: [] },
  files: {
    pid: { services: new Map([['web', 70]]), groups: new Map([['web', 70]]), spawned: [] },
    state: new Map([[unit.hash, { status: 'running', pid: 70, exitCode: null, signal: null }]]), cron: new Map(),
    digests: { 'pid.xml': 'of pid.xml', 'state.xml': 'of state.xml', 'cron_state.xml': 'of cron_state.xml' }, writtenWallMs: { 'pid.xml': 0, 'state.xml': 0, 'cron_state.xml': 0 }, problems: [],
  },
  feeders: new Set(), seesProcesses: true,
  processes: new Map([processRow(49), processRow(50, { ppid: 49 }), processRow(70, { tokens: [token] })].map((row) => [row.pid, row])),
  outputs: fifos.map((stream) => ({ unit: 'web', stream, fifo: `/fifo/web.${stream}`, file: `/logs/web_${stream}.log`, writesTo: `1:/fifo/web.${stream}` })),
  entries, volumes: [{ path: '/home', freeBytes: 1e12, freeFiles: 1e6, files: 2e6, writable: true }],
  tools: new Map(knownTools.map(({ name }) => [name, `/usr/bin/${name}`])),
};

export function withUnit(change: Partial<UnitStatus>): Facts['serving'] {
  return healthy.serving.kind === 'answers' ? { ...healthy.serving, snapshot: { ...healthy.serving.snapshot, units: [{ ...unit, ...change }] } } : healthy.serving;
}

export function withRecord(change: Partial<UnitRecord>): Facts['ledger'] {
  return { ...healthy.ledger, entries: new Map([['web', { record: { ...record, ...change }, written: { at: 1, wallMs: 1, bootId: 'boot' } }]]) };
}

/** What disagrees, by its check. */
export function wrong(facts: Facts): Readonly<Record<string, string>> {
  return Object.fromEntries(examine(facts).filter(({ ok }) => !ok).map(({ check, detail }) => [check, detail]));
}
