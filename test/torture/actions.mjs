// The grammar of a torture run: what may happen to a supervisor, as plain data, so that a run can be written down, cut and replayed.
import { NAMES, STEADY } from './units.mjs';

const VERBS = ['Stop', 'Start', 'Restart'];
const LOOKS = [
  ['status'], ['status', '--json'], ['inspect', 'talk'], ['logs', '--no-follow', '-s', 'talk', '-k', 'stdout', '-l', '5'], ['why', 'flaps'], ['events', '-s', 'spent'],
  ['doctor'], ['validate'], ['chart', 'talk'], ['plan'], ['wait', '-s', 'nobody'],
];
const REQUESTS = [
  'Status', { Inspect: { unit: 'talk', samples: 3 } }, { History: { unit: null, limit: 20, since: null } }, { Plan: { config: null } },
  { Logs: { service: 'talk', lines: 3, kind: 'stdout', follow: false } },
];

/** Of the state directory. */
const ENTRIES = [
  'logs', 'fifo', 'ledger.ndjson', 'ledger.ndjson.reserve', 'journal.ndjson', 'state.xml', 'pid.xml', 'cron_state.xml', 'config.last.json', 'config_hint', 'sysg.pid',
  'control.sock',
];

/** Weights: how often each comes. `slow`: those that take seconds come as often as that; `testBuild`: whether the supervisor can be one. */
export function grammar(chance, { slow = 0.1, freezeMs = 700, testBuild = true } = {}) {
  const command = () => (chance.below(8) === 0
    ? { verb: 'Signal', unit: chance.pick(STEADY), signal: chance.pick(['SIGCONT', 'SIGKILL']) }
    : { verb: chance.pick(VERBS), unit: chance.pick(NAMES) });
  const commands = (most) => Array.from({ length: 1 + chance.below(most) }, command);
  const kinds = [
    [24, () => ({ do: 'commands', commands: [command()], line: chance.below(12) === 0 })],
    [14, () => ({ do: 'commands', commands: [command(), ...commands(4)] })],
    [8, () => ({ do: 'commands', commands: commands(3), kill: chance.pick(['supervisor', 'both', 'all']), afterMs: chance.below(60) })],
    [10, () => ({ do: 'edit', unit: chance.pick(NAMES), to: chance.below(3) === 0 ? 'absent' : chance.below(1000) })],
    [3, () => ({ do: 'spoil', text: chance.pick(['services: [', '', '\0', 'version: "1"\nservices:\n  talk: {command: 5, nonsense: 1}\n']) })],
    [12, () => ({ do: 'kill', who: chance.pick([...STEADY, 'after', 'flaps', 'supervisor', 'guardian', 'both', 'all']) })],
    [2, () => {
      const entry = chance.pick(ENTRIES);
      const kind = chance.pick(['fifo', 'directory', 'text', 'dangling', 'loop']);
      // Without its ledger the next supervisor neither ends nor doubles what it cannot prove to be a unit's: not what is asked for here.
      return { do: 'foreign', entry, kind, ...(entry !== 'ledger.ndjson' && chance.below(2) === 0 && { who: 'supervisor' }) };
    }],
    [2, () => ({ do: 'readonly', commands: commands(3), ...(chance.below(2) === 0 && { who: 'supervisor' }) })],
    [testBuild ? 3 * slow : 0, () => ({ do: 'power' })],
    [4, () => ({ do: 'freeze', who: chance.pick(['supervisor', 'guardian', ...STEADY]), ms: chance.below(freezeMs), commands: commands(2) })],
    [testBuild ? 4 : 0, () => ({ do: 'clock', ms: chance.pick([0, 3_600_000, -3_600_000, 90_000]) })],
    [3, () => ({ do: 'disk', commands: commands(3) })],
    [3, () => ({ do: 'descriptors', spare: chance.below(12), commands: commands(3) })],
    [2, () => ({ do: 'processes', commands: commands(2) })],
    [2 * slow, () => ({ do: 'unstate' })],
    [3, () => ({ do: 'movelogs', file: chance.pick(['talk_stdout.log', 'talk_stderr.log', 'burst_stdout.log']), signal: chance.below(2) === 0 })],
    [3, () => ({ do: 'handover', commands: chance.below(2) === 0 ? commands(2) : [] })],
    [2 * slow, () => ({ do: 'shutdown' })],
    [6, () => ({ do: 'look', args: chance.pick(LOOKS) })],
    [6, () => ({ do: 'ask', requests: Array.from({ length: 1 + chance.below(6) }, () => chance.pick(REQUESTS)) })],
    [4, () => ({ do: 'ask', requests: Array.from({ length: 3 }, () => `raw ${chance.pick(['{', '"Stat', '{"Spawn":{}}', '{"Stop":{"service":5}}', '\u0000', '[]', '{"Nope":1}', `"${'x'.repeat(5000)}`])}`) })],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  return () => {
    let at = chance.next() * total;
    for (const [weight, make] of kinds) {
      at -= weight;
      if (at < 0) return make();
    }
    return kinds[0][1]();
  };
}
