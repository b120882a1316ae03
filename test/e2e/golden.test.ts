import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { InspectPayload } from '../../src/wire/payloads.ts';
import { tempDir } from '../temp-dir.ts';
import { readGolden, type Golden } from '../wire/golden.ts';
import { makeHome, soon, type Home } from './rig.ts';
import { differences, readWire } from './shape.ts';

interface Allowed {
  /** `file/name` of the exchanges. */
  readonly exchange: RegExp;
  readonly difference: RegExp;
  readonly reason: string;
  /** Whether it differs depends on the moment, so that the row may go unused. */
  readonly sometimes?: true;
}

/** Every difference from the recorded program that may be, and why. A row that nothing needs any more fails the suite. */
const allowed: readonly Allowed[] = [
  { exchange: /./, difference: /\.(?:phase|wanted|generation|restarts|reason|since|next_at|last_event): further key$/, reason: 'our keys of a unit' },
  { exchange: /./, difference: /\.metrics\.(?:average|max)_rss_bytes: further key$/, reason: 'our keys of the metrics summary' },
  { exchange: /./, difference: /runtime_command: "sh -c (sleep 100[02]|sh worker\.sh)" became "\1"$|"sh -c python3 -u web\.py" became "sh web\.py"$/, reason: 'plain commands run without a shell around them' },
  { exchange: /./, difference: /\[(?:extra|orchestrator)\]\.spawned_children: missing$/, reason: 'without that shell `sleep` has no parent in the unit' },
  {
    exchange: /./, reason: 'a crashed unit has no process and is failing',
    difference: /\[(?:failing|signalled)\]\.(?:process: missing|health: "degraded" became "failing")$|overall_health: "degraded" became "failing"$/,
  },
  { exchange: /^inspect\/inspect-(?:failed|signalled)$/, difference: /unit\.(?:process: missing|health: "degraded" became "failing")$/, reason: 'a crashed unit has no process and is failing (Inspect)' },
  { exchange: /./, difference: /units\[(?!web|worker|orchestrator)\w+\]\.metrics: missing$/, reason: 'no samples are made up for what never ran while sampling went on' },
  { exchange: /^(?:inspect\/inspect-(?:cron-\w+|cron-never-run|skipped|oneshot-done|failed|signalled)|cron\/cron-inspect)/, difference: /unit\.metrics: missing$|samples: \d+ elements became \d+$/, reason: 'no samples are made up for what never ran while sampling went on (Inspect)' },
  { exchange: /^inspect\/inspect-(?:running-5|more-than-kept|cli-json|cron-overlap|cron-history)$/, difference: /\.samples: \d+ elements became \d+$/, reason: 'as many samples as there are' },
  {
    exchange: /^(?:status|malformed|inspect)\//, reason: 'cron units show their runs, running and failed ones included, which 0.33.0 hides',
    difference: /\.(?:units\[tick(?:slow|fail|idle)?\]|unit)\.(?:cron|process|uptime|runtime_command|spawned_children|last_exit|metrics): (?:further key|missing)$|\.(?:units\[tick(?:slow|fail|idle)?\]|unit)\.(?:lifecycle|health|process\.state): /,
  },
  { exchange: /^status\/status-after-stop/, difference: /\.last_exit: further key$/, reason: 'how the process of a stopped unit ended is kept' },
  {
    exchange: /./, difference: /\[(?:web|worker)\]\.spawned_children\[1\]\.child\.(?:user|cpu_percent|rss_bytes): missing$|\.unit\.spawned_children\[1\]\.child\.(?:user|cpu_percent|rss_bytes): missing$/,
    reason: 'the short `sleep` of a loop may be new, or gone, while it is looked at', sometimes: true,
  },
  { exchange: /^malformed\//, difference: /"failed to serialise control message: .* became "failed to serialise control message: ./, reason: 'our words behind the prefix' },
  { exchange: /^malformed\/no-newline-open$/, difference: /timed out reading command|missing line/, reason: 'a silent client is answered after 5 s' },
  { exchange: /^control\/stop-unknown$/, difference: /^\.Message: missing$|^\.Error: further key$/, reason: 'Stop of an unknown service is refused' },
  { exchange: /^control\/start-one-cli-already-running$/, difference: /became "Service 'extra' is already running"$/, reason: 'no second copy' },
  { exchange: /^control\/restart-unknown$/, difference: /became "Service 'nope' not found in configuration"$/, reason: 'one text for an unknown service' },
  { exchange: /^control\/restart-config-cycle$/, difference: /Detected dependency cycle: a -> b -> a"$/, reason: 'place and whole cycle' },
  { exchange: /^control\/restart-config-unknown-dep$/, difference: /unk\.yaml:3:40: services\.a\.depends_on\.0: Service 'a' declares unknown dependency 'zz'"$/, reason: 'place of an unknown dependency' },
  { exchange: /^control\/restart-config-invalid-yaml$/, difference: /became "Invalid YAML format: \S+bad\.yaml:2:11: services: expected a map of services by name, got a list"$/, reason: 'the place, and our words behind the prefix' },
  { exchange: /^logs\/logs-kind-unknown$/, difference: /^(?:missing line "==> \S+_std(?:out|err)\.log <=="|further line "==> worker std(?:out|err) <==")$/, reason: 'headings of our own, without a path' },
  { exchange: /^logs\/logs-(?:all-kind-supervisor|kind-supervisor-one-service)$/, difference: /^titles: |^(?:missing|further) line /, reason: 'kind supervisor shows the supervisor log' },
  { exchange: /^logs\/logs-(?:all-services|all-services-follow-is-ignored|cli-all|by-hash|stdout-3|stderr-2)$/, difference: /^further line "(?:slow|GET N|GET \/N|work N|setup done|trace N|about to fail|warn line|bad|tick)"$/, reason: 'exactly as many lines as asked for' },
  { exchange: /^logs\/logs-(?:all-services|all-services-follow-is-ignored|cli-all)$/, difference: /^(?:missing|further) line "│ tick\w* \[|^titles: /, reason: 'a cron unit that runs is among the running', sometimes: true },
  { exchange: /^cron\//, difference: /\.hash: "(?:06d80a1477becda8|624342a521c23da1)" became /, reason: 'another schedule, so that runs come when the test asks for them' },
  { exchange: /^cron\//, difference: /\.(?:units\[(?:tick|long|bad)\]|unit)\.(?:lifecycle: "stopped" became "(?:exited_successfully|exited_with_error|running)"|last_exit: further key)$/, reason: 'the lifecycle of a cron unit is that of its newest run' },
  { exchange: /^cron\//, difference: /\.(?:last_run|recent_runs\[\d\])\.(?:metrics: missing|metrics: \d+ elements became \d+|pid: further key)$/, reason: 'a run has its own samples only, and its pid' },
  { exchange: /./, difference: /health: "degraded" became "healthy"$/, reason: 'a cron unit is healthy before its first run' },
  { exchange: /^cron\/cron-status-(?:while-running|after-failed-runs)$/, difference: /\.(?:cron|process|uptime|runtime_command|spawned_children): further key$|health: "healthy" became "degraded"$/, reason: 'cron blocks are not hidden' },
];

const files = ['control', 'malformed', 'status', 'inspect', 'logs', 'cron'] as const;
const golden = readGolden(...files);
const replayed = new Set<string>();
const used = new Set<Allowed>();

afterAll(() => {
  expect(golden.map(title).filter((name) => !replayed.has(name)), 'recorded, but never replayed').toEqual([]);
  expect(allowed.filter((row) => !used.has(row) && row.sometimes !== true).map(({ reason }) => reason), 'allowed, but nothing differs so').toEqual([]);
});

describe('the recorded exchanges of systemg 0.33.0, sent to the built supervisor', () => {
  test('services, commands and malformed requests get answers of the recorded shape', { timeout: 240_000 }, async () => {
    const home = mixedHome();
    expect(await home.sysg('start', '--daemonize', '-c', `${home.dir}/app/systemg.yaml`)).toMatchObject({ code: 0 });
    await home.until('signalled', ({ last_exit: exit }) => exit?.signal === 9, 'was killed');
    await home.until('failing', ({ last_exit: exit }) => exit?.exit_code === 3, 'failed');
    await home.until('oneshot', ({ last_exit: exit }) => exit?.exit_code === 0, 'finished');
    await soon('five samples of web', async () => (await inspect(home, 'web')).samples.length >= 5);
    await soon('web and worker wrote', () => home.log('web').split('\n').length > 4 && home.log('web', 'stderr').split('\n').length > 4 && home.log('worker').split('\n').length > 4);
    const replay = replayer(home);
    await replay('status', 'status-running-mixed', 'status-cli-json');
    await replay('inspect');
    await replay('logs');
    await replay('control', 'stop-one');
    await replay('status', 'status-after-stop');
    await replay('control', 'stop-one-cli', 'stop-unknown', 'stop-cron', 'start-one', 'start-one-cli-already-running', 'start-unknown', 'start-skipped', 'start-oneshot', 'start-cron-unit');
    await replay('control', 'restart-one-no-config', 'restart-unknown', 'restart-config-missing', 'restart-config-relative-missing', 'restart-config-invalid-yaml', 'restart-config-cycle', 'restart-config-unknown-dep');
    await replay('malformed');
    await replay('control', 'stop-all-null');
    await replay('status', 'status-after-stop-all');
    // Ours leaves down what was stopped; the recorded program had everything up again from here on. It never answered this request.
    expect(await home.exchange('{"Start":{"service":null}}')).toBe('{"Message":"All services started"}\n');
    await replay('control', 'restart-all-null', 'restart-all-config', 'restart-cli', 'restart-cli-one', 'restart-cli-other-cwd');
    await home.until('failing', ({ last_exit: exit, phase }) => exit?.exit_code === 3 && phase === 'failed', 'failed again');
    await home.until('signalled', ({ last_exit: exit }) => exit?.signal === 9, 'was killed again');
    await replay('status', 'status-after-restart');
    await replay('control', 'stop-cli-shutdown');
    expect(replay.left()).toEqual({});
  });

  test('cron units get answers of the recorded shape', { timeout: 120_000 }, async () => {
    const home = makeHome();
    const replay = replayer(home);
    const never = 'never: {command: "echo never", cron: {expression: "0 0 1 1 *", timezone: America/New_York}}';
    const serve = async (...services: readonly string[]): Promise<void> => {
      home.configure(`version: "1"\nservices:\n${services.map((service) => `  ${service}\n`).join('')}`);
      expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    };
    const run = async (unit: string): Promise<void> => void (await home.exchange(JSON.stringify({ Start: { service: unit } })));
    const ended = (unit: string): Promise<unknown> => home.until(unit, ({ cron }) => cron?.last_run?.completed_at !== undefined, 'ran');

    await serve('tick: {command: "echo tick", cron: {expression: "0 0 1 1 *", timezone: UTC}}', never);
    await replay('cron', 'cron-status-before-first-run');
    await run('tick');
    await ended('tick');
    await replay('cron', 'cron-status-after-runs', 'cron-inspect');
    for (let runs = 1; runs < 10; runs += 1) {
      await run('tick');
      await home.until('tick', ({ cron }) => cron?.recent_runs?.length === runs + 1 && cron.last_run?.completed_at !== undefined, `ran ${runs + 1} times`);
    }
    await replay('cron', 'cron-status-full-history');
    await home.sysg('stop');

    await serve('long: {command: "sleep 4", cron: {expression: "0 0 1 1 *", timezone: UTC}}');
    await run('long');
    await home.until('long', ({ process: running }) => running !== undefined, 'runs');
    await replay('cron', 'cron-status-while-running');
    await ended('long');
    await replay('cron', 'cron-status-after-long-run');
    await home.sysg('stop');

    await serve('bad: {command: "exit 4", cron: {expression: "*/3 * * * * *", timezone: UTC}}');
    await ended('bad');
    await replay('cron', 'cron-status-after-failed-runs');
    expect(replay.left()).toEqual({});
  });

  test('a cron history written by 0.33.0 is shown in the recorded shape', async () => {
    const home = makeHome(`version: "1"\nservices:\n  never: {command: "echo never", cron: {expression: "0 0 1 1 *", timezone: America/New_York}}\n`);
    mkdirSync(home.state, { recursive: true });
    chmodSync(home.state, 0o700);
    writeFileSync(join(home.state, 'cron_state.xml'), preparedHistory);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    const replay = replayer(home);
    await replay('cron', 'cron-status-failed-and-overlap-from-prepared-state-file');
    expect(replay.left()).toEqual({});
  });
});

interface Replayer {
  /** Sends the named exchanges of a file, or all that were not sent yet, in their order. */
  (file: typeof files[number], ...names: readonly string[]): Promise<void>;
  /** What differs and is not in the table. */
  left(): Readonly<Record<string, readonly string[]>>;
}

function replayer(home: Home): Replayer {
  const left: Record<string, readonly string[]> = {};
  const replay = async (file: string, ...names: readonly string[]): Promise<void> => {
    const chosen = golden.filter((one) => one.file === file && (names.length === 0 ? !replayed.has(title(one)) : names.includes(one.name)));
    expect(chosen).not.toHaveLength(0);
    for (const one of chosen) {
      replayed.add(title(one));
      const answer = await send(home, one);
      const found = compare(localised(one.response, home), answer).filter((difference) => {
        const row = allowed.find((candidate) => candidate.exchange.test(title(one)) && candidate.difference.test(difference));
        if (row !== undefined) used.add(row);
        return row === undefined;
      });
      if (found.length > 0) left[title(one)] = found;
    }
  };
  return Object.assign(replay, { left: () => left });
}

function compare(recorded: string, ours: string): readonly string[] {
  if (!recorded.startsWith('{') || !ours.startsWith('{')) return compareText(recorded, ours);
  const end = /^[^\n]+\n$/.test(ours) ? [] : ['the answer is not one line'];
  return [...end, ...differences(readWire(recorded), readWire(ours))];
}

/** Titles in their order; other lines as a set, since how much was written meanwhile varies, with numbers alike. */
function compareText(recorded: string, ours: string): readonly string[] {
  const alike = (text: string): readonly string[] => text.split('\n').map((line) => line.replace(/\d+/g, 'N').replace(/^│ *(.*?) *│$/, '│ $1 │'));
  const theirs = alike(recorded);
  const mine = alike(ours);
  const titles = (lines: readonly string[]): string => lines.filter((line) => line.startsWith('│')).join('');
  const widths = new Set(ours.split('\n').filter((line) => /^[┌│└]/.test(line)).map((line) => line.length));
  return [
    ...(titles(theirs) === titles(mine) ? [] : [`titles: ${titles(theirs)} became ${titles(mine)}`]),
    ...(widths.size === 0 || (widths.size === 1 && widths.has(100)) ? [] : [`banners ${[...widths].join()} wide`]),
    ...[...new Set(theirs)].filter((line) => !mine.includes(line)).map((line) => `missing line ${JSON.stringify(line)}`),
    ...[...new Set(mine)].filter((line) => !theirs.includes(line)).map((line) => `further line ${JSON.stringify(line)}`),
  ];
}

/** The request byte for byte; the client shuts its side only where the recorded one did. A follower leaves when it has seen a line. */
function send(home: Home, { request, name, note }: Golden): Promise<string> {
  const isText = request.equals(Buffer.from(request.toString()));
  const bytes = isText ? Buffer.from(localised(request.toString(), home)) : request;
  const follows = note !== null && request.includes('"follow":true');
  return new Promise((done, fail) => {
    const socket = connect(join(home.state, 'control.sock'));
    let text = '';
    socket.setEncoding('utf8').on('error', fail).on('end', () => done(text)).on('data', (chunk: string) => {
      text += chunk;
      if (follows && (/work \d+\nwork \d+\nwork \d+\n/.test(text) || (name === 'logs-follow-no-output-yet' && text.endsWith('┘\n\n')))) {
        socket.destroy();
        done(text);
      }
    });
    if (name === 'eof-without-data' || name === 'no-newline-half-close') socket.end(bytes);
    else socket.write(bytes);
  });
}

function localised(text: string, home: Home): string {
  return text.replaceAll('$HOME', home.dir).replaceAll('/tmp/systemg.yaml', `${home.dir}/elsewhere/systemg.yaml`);
}

function title({ file, name }: Golden): string {
  return `${file}/${name}`;
}

async function inspect(home: Home, unit: string): Promise<InspectPayload> {
  return (JSON.parse(await home.exchange(JSON.stringify({ Inspect: { unit, samples: 100 } }))) as { Inspect: InspectPayload }).Inspect;
}

/** The home of the recording; its python3 is a shell script that runs web.py, which is one too. */
function mixedHome(): Home {
  const tools = tempDir();
  vi.stubEnv('PATH', `${tools}:${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  writeFileSync(join(tools, 'python3'), '#!/bin/sh\nexec sh "$2"\n');
  chmodSync(join(tools, 'python3'), 0o755);
  const home = makeHome();
  const app = join(home.dir, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'systemg.yaml'), mixed);
  writeFileSync(join(app, 'web.py'), 'sh -c "sleep 2000; true" &\nn=0\nwhile :; do n=$((n + 1)); echo "GET /$n"; echo "trace $n" >&2; sleep 0.5; done\n');
  writeFileSync(join(app, 'worker.sh'), 'sleep 2000 &\nn=0\nwhile :; do n=$((n + 1)); echo "work $n"; sleep 1; done\n');
  writeFileSync(join(app, 'bad.yaml'), 'version: "1"\nservices: [a]\n');
  writeFileSync(join(app, 'cycle.yaml'), 'version: "1"\nservices:\n  a: {command: "sleep 1", depends_on: [b]}\n  b: {command: "sleep 1", depends_on: [a]}\n');
  writeFileSync(join(app, 'unk.yaml'), 'version: "1"\nservices:\n  a: {command: "sleep 1", depends_on: [zz]}\n');
  return home;
}

/** As recorded. */
const mixed = `version: "1"
services:
  web:
    command: "python3 -u web.py"
    restart_policy: always
    backoff: "1s"
  worker:
    command: "sh worker.sh"
    depends_on: ["web"]
  oneshot:
    command: "echo setup done; echo warn line >&2"
  failing:
    command: "echo about to fail >&2; sleep 2; exit 3"
    restart_policy: never
  signalled:
    command: "sleep 2; kill -9 $$"
    restart_policy: never
  skipped:
    command: "sleep 1000"
    skip: true
  skipcmd:
    command: "sleep 1001"
    skip: "true"
  tick:
    command: "echo tick; sleep 2"
    cron:
      expression: "*/5 * * * * *"
      timezone: "UTC"
  tickfail:
    command: "echo bad >&2; exit 4"
    cron:
      expression: "*/7 * * * * *"
  tickslow:
    command: "echo slow; sleep 9"
    cron:
      expression: "*/4 * * * * *"
      timezone: "Europe/Paris"
  tickidle:
    command: "echo never"
    cron:
      expression: "0 0 1 1 *"
      timezone: "UTC"
  orchestrator:
    command: "sleep 1000"
    spawn:
      mode: dynamic
      limits:
        children: 3
        depth: 3
        descendants: 8
        total_memory: "512M"
        termination_policy: cascade
  extra:
    command: "sleep 1002"
`;
/** As 0.33.0 would have it, could it write failures; epoch seconds as recorded. */
const runXml = (from: string, to: string, rest: string): string => `<execution_history><started_at>${Date.parse(from) / 1000}</started_at><completed_at>${Date.parse(to) / 1000}</completed_at>${rest}</execution_history>`;
const preparedHistory = `<CronStateFile><jobs><hash>bc29e85b134edc12</hash><state><last_execution>${Date.parse('2026-11-23T02:18:20Z') / 1000}</last_execution>${[
  runXml('2026-11-23T02:15:00Z', '2026-11-23T02:15:01Z', '<status>Success</status><exit_code>0</exit_code><pid>77</pid><user>nobody</user><command>echo never</command>'),
  runXml('2026-11-23T02:16:40Z', '2026-11-23T02:16:43Z', '<status><Failed>Process exited with code 4</Failed></status><exit_code>4</exit_code><pid>78</pid><user>nobody</user><command>echo never</command>'),
  runXml('2026-11-23T02:18:20Z', '2026-11-23T02:18:20Z', '<status>OverlapError</status>'),
].join('')}<timezone_label>America/New_York</timezone_label><timezone>America/New_York</timezone></state></jobs></CronStateFile>`;
