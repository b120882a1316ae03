import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSource } from '../../src/config/document.ts';
import { readAdHoc, writeAdHoc } from '../../src/config/ad-hoc-list.ts';
import { readSlots } from '../../src/compat/slot-file.ts';
import { readStateFiles, xmlFiles } from '../../src/compat/read-files.ts';
import { readConfigHint, readSupervisorPid } from '../../src/control/runtime-files.ts';
import { keepConfig, lastConfig } from '../../src/daemon/last-config.ts';
import { openJournal, type Journal } from '../../src/journal/journal.ts';
import { surveyJournal } from '../../src/journal/read.ts';
import { readTimesAt, timesHeader, timesLine } from '../../src/logs/times.ts';
import { isControlError } from '../../src/wire/control-error.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { openLedger, type Ledger } from '../../src/state/ledger.ts';
import { isLocked, lockHolder, takeLock } from '../../src/state/lock.ts';
import { openSmallFiles } from '../../src/state/small-files.ts';
import { prepareRuntime } from '../../src/state/runtime.ts';
import { readToken } from '../../src/web/access.ts';
import { serviceSpec } from '../process/spec.ts';
import { record } from './record.ts';
import { tempDir } from '../temp-dir.ts';

const source = parseSource('version: "1"\n', []).root;

type Say = (text: string) => void;

/** A file that is kept: what is in it when it is sound, who reads it, and who makes it anew. */
interface Kept {
  readonly sound: (path: string) => void;
  readonly read: (path: string, say: Say) => unknown;
  readonly renew?: (path: string, say: Say) => void;
  /** Whether damage is said; of what is made anew without a loss it is not. */
  readonly isNamed: boolean;
}

const green = serviceSpec(['sleep'], '/', { name: 'green' });
const blueGreen: typeof green = { ...green, deployment: { ...green.deployment, blueGreen: { statePath: null, slots: ['a', 'b'], envVar: 'PORT', switchCommand: 'true', candidateCheck: null, switchVerify: null } } };
const openedLedger = (path: string, onProblem: Say): Ledger => openLedger(path, { onProblem, bootId: 'boot-1', now: () => 42, wallNow: () => 1_700_000_000_000 });
const openedJournal = (path: string, onProblem: Say): Journal => openJournal({ stateDir: dirname(path), onProblem });
const readLedgerAt = (path: string, say: Say): void => {
  const ledger = openedLedger(path, say);
  if (ledger.unreadable !== null) say(ledger.unreadable);
  ledger.close();
};
const recordAt = (path: string, say: Say): void => {
  const ledger = openedLedger(path, say);
  ledger.record(record('web'), true);
  ledger.close();
};
const appendAt = (path: string, say: Say): void => {
  const journal = openedJournal(path, say);
  for (let count = 0; count < 3; count += 1) journal.append({ at: '2026-01-01T00:00:00.000Z', unit: 'web', event: 'start', to: 'waiting' });
  journal.close();
};
/** Of what is for programs, which throws errors that name the file. */
const sentenceOf = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    if (!isControlError(error)) throw error;
  }
};
const xml = (text: string): Pick<Kept, 'sound' | 'read' | 'isNamed'> => ({
  sound: (path) => writeFileSync(path, text), read: (path, onProblem) => readStateFiles(dirname(path), { onProblem, quarantine: xmlFiles }), isNamed: true,
});

const files: Readonly<Record<string, Kept>> = {
  'ledger.ndjson': { sound: (path) => recordAt(path, () => undefined), read: readLedgerAt, renew: recordAt, isNamed: true },
  'ledger.ndjson.reserve': { sound: (path) => writeFileSync(path, '\n'.repeat(128 * 1024)), read: (path, say) => readLedgerAt(join(dirname(path), 'ledger.ndjson'), say), isNamed: false },
  'journal.ndjson': { sound: (path) => appendAt(path, () => undefined), read: (path, say) => [openedJournal(path, say).last, surveyJournal(dirname(path))], renew: appendAt, isNamed: false },
  'journal.1.ndjson': { sound: (path) => writeFileSync(path, '{"seq":1}\n'), read: (path, say) => [openedJournal(path, say).last, surveyJournal(dirname(path))], renew: appendAt, isNamed: false },
  'config.last.json': {
    sound: (path) => source !== null && keepConfig(dirname(path), { path: '/x.yaml', source, included: {}, envFiles: {}, units: {} }, openSmallFiles(() => undefined)),
    read: (path) => expect(lastConfig(dirname(path))).toBeNull(), isNamed: false,
  },
  'ad-hoc.json': {
    sound: (path) => writeAdHoc(dirname(path), new Map([['extra', '/x/extra.yaml']])), read: (path, say) => expect(readAdHoc(dirname(path), say, true).size).toBe(0),
    renew: (path) => writeAdHoc(dirname(path), new Map([['extra', '/x/extra.yaml']])), isNamed: true,
  },
  'blue_green_green.json': {
    sound: (path) => writeFileSync(path, '<?xml version="1.0"?><BlueGreenState><active_slot_index>1</active_slot_index></BlueGreenState>'),
    read: (path, say) => expect(readSlots([blueGreen], dirname(path), say)).toEqual({ green: 0 }), isNamed: true,
  },
  'pid.xml': xml('<?xml version="1.0"?><PidFile><services><x>1</x></services></PidFile>'),
  'state.xml': xml('<?xml version="1.0"?><ServiceStateFile><services></services></ServiceStateFile>'),
  'cron_state.xml': xml('<?xml version="1.0"?><CronStateFile><jobs></jobs></CronStateFile>'),
  'sysg.pid': { sound: (path) => writeFileSync(path, '4711'), read: (path) => [lockHolder(path), sentenceOf(() => readSupervisorPid(dirname(path)))], isNamed: false },
  config_hint: { sound: (path) => writeFileSync(path, '/etc/x.yaml'), read: (path) => sentenceOf(() => readConfigHint(dirname(path))), isNamed: false },
  'supervisor.lock': {
    sound: (path) => writeFileSync(path, ''), read: () => undefined, isNamed: false,
    renew: (path) => {
      const lock = takeLock(path);
      expect([lock.ok, isLocked(path)]).toEqual([true, true]);
      if (lock.ok) lock.release();
    },
  },
  'logs/web_stdout.log.times': { sound: (path) => writeFileSync(path, timesHeader(7) + timesLine({ at: 1000, latest: null, offset: 0 })), read: readTimesAt, isNamed: false },
  'token': {
    sound: (path) => writeFileSync(path, 'a-token-of-24-characters', { mode: 0o600 }),
    read: (path, say) => {
      const token = readToken(path);
      if (!token.ok) say(token.reason);
    },
    isNamed: false,
  },
};

const damages: Readonly<Record<string, (path: string) => void>> = {
  torn: (path) => writeFileSync(path, readFileSync(path).subarray(0, Math.floor(readFileSync(path).length / 2) - 3)),
  'full of rubbish': (path) => writeFileSync(path, Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 256))),
  'full of zeroes': (path) => writeFileSync(path, Buffer.alloc(5000)),
  empty: (path) => writeFileSync(path, ''),
  'of another program': (path) => writeFileSync(path, path.endsWith('xml') ? '<?xml version="1.0"?><Other><thing>1</thing></Other>' : '{"form":99,"other":[1,{"x":null}],"__proto__":1}\n'),
  'a directory': (path) => mkdirSync(path),
  'a FIFO': (path) => void spawnSync('mkfifo', [path]),
  'a link to itself': (path) => symlinkSync(path, path),
  'a device': (path) => symlinkSync('/dev/zero', path),
};
const inItsPlace = ['a directory', 'a FIFO', 'a link to itself', 'a device'];

describe.each(Object.entries(files))('%s', (name, { sound, read, renew, isNamed }) => {
  test.each(Object.entries(damages))('that is %s ends nobody who reads it and holds nobody up, is named, and is there again', (damage, change) => {
    const paths = runtimePaths({ system: false, env: { HOME: tempDir() } });
    expect(prepareRuntime(paths)).toBeNull();
    const path = join(paths.stateDir, name);
    sound(path);
    if (inItsPlace.includes(damage)) rmSync(path);
    change(path);
    const said: string[] = [];
    // While a supervisor runs, and when it starts.
    read(path, (text) => said.push(text));
    if (isNamed && damage !== 'empty' && damage !== 'torn') expect(said.join('\n')).toContain(path);
    expect(prepareRuntime(paths, (text) => said.push(text))).toBeNull();
    if (inItsPlace.includes(damage) && name !== 'token' && !name.endsWith('.times')) expect(existsSync(path)).toBe(false);
    read(path, (text) => said.push(text));
    renew?.(path, (text) => said.push(text));
    if (renew !== undefined) expect(lstatSync(join(dirname(path), name === 'journal.1.ndjson' ? 'journal.ndjson' : name)).isFile()).toBe(true);
    expect(said.filter((text) => /\bat .*\.ts:|undefined|\[object/.test(text))).toEqual([]);
  });
});
