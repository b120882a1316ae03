import { dirname, resolve } from 'node:path';
import { unknownProfile } from '../../config/profiles.ts';
import { formatProblem } from '../../config/problem.ts';
import { readText } from '../../config/source-file.ts';
import { firstConfigPath } from '../../config-path.ts';
import { refusals, type Refusal, type Result } from '../../errors.ts';
import { parseEvent, parseInstant, type ScenarioEvent } from '../../simulate/events.ts';
import { simulationJson, simulationReport } from '../../simulate/report.ts';
import { emptyScenario, readScenario, type Scenario } from '../../simulate/scenario.ts';
import { simulate as run, type Definitions } from '../../simulate/simulate.ts';
import { parseDuration } from '../../words.ts';
import { lookOf, type Call } from '../call.ts';
import { chooseConfigToRead } from '../config-choice.ts';
import { loadOrRefuse } from '../load-config.ts';
import { unknownUnit } from '../names.ts';
import { options } from '../options.ts';
import { palette } from '../print/palette.ts';
import { explainProblem } from '../print/problem.ts';

/** Shows what would happen. Starts nothing, and asks no supervisor. */
export async function simulate(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return terminal.refuse(chosen.refusal);
  const config = readSpecs(call, chosen.path);
  if (!config.ok) return terminal.refuse(config.refusal);
  const profiles = flags.texts(options.profile);
  const unknown = unknownProfile(config, profiles);
  if (unknown !== null) return terminal.refuse(refusals.config(unknown));
  const read = scenarioOf(call);
  if (!read.ok) return terminal.refuse(read.refusal);
  const { scenario, directory } = read;
  const files = new Map<string, Definitions>();
  for (const file of new Set(scenario.events.flatMap((event) => (event.kind === 'command' && event.command.file !== null ? [event.command.file] : [])))) {
    const next = readSpecs(call, resolve(directory, file));
    if (!next.ok) return terminal.refuse(next.refusal);
    files.set(file, next);
  }
  const stranger = strangerIn(scenario, [config, ...files.values()].flatMap(({ specs }) => specs.map(({ name }) => name)));
  if (stranger !== null) return terminal.refuse(stranger);
  const simulation = run({ ...config, scenario, files, chosen: { profiles, names: new Set() } });
  if (flags.has(options.json)) {
    terminal.print(simulationJson(simulation));
    return 0;
  }
  const paint = palette(lookOf(call).color);
  const look = { strong: paint.title, faint: paint.faint, good: paint.state('running'), bad: paint.state('failed') };
  for (const line of simulationReport(simulation, { look, whole: flags.has(options.full) })) terminal.print(line);
  return 0;
}

function readSpecs(call: Call, path: string): Result<Required<Definitions>> {
  const loaded = loadOrRefuse(call, path);
  if (!loaded.ok) return loaded;
  for (const warning of loaded.config.warnings) call.terminal.warn(formatProblem(warning));
  const { services, profiles } = loaded.config;
  return { ok: true, specs: services, profiles };
}

/** The scenario file, with what the command line says on top. */
function scenarioOf(call: Call): Result<{ readonly scenario: Scenario; readonly directory: string }> {
  const { flags, cwd } = call;
  const file = flags.text(options.scenario);
  const path = file === null ? null : resolve(cwd, file);
  const written = path === null ? { ok: true as const, scenario: emptyScenario } : fileScenario(path);
  if (!written.ok) return written;
  const startText = flags.text(options.startTime);
  const startWallMs = startText === null ? written.scenario.startWallMs : (parseInstant(startText) ?? written.scenario.startWallMs);
  const events: ScenarioEvent[] = [...written.scenario.events];
  for (const text of flags.texts(options.event)) {
    const parsed = parseEvent(text, startWallMs);
    if (!parsed.ok) return { ok: false, refusal: refusals.usage(`--event: ${parsed.problem}`) };
    events.push(parsed.event);
  }
  const duration = parseDuration(flags.text(options.duration) ?? '');
  const seed = flags.text(options.seed);
  return {
    ok: true, directory: path === null ? cwd : dirname(firstConfigPath(path)),
    scenario: {
      ...written.scenario, startWallMs, events: events.toSorted((one, other) => one.atMs - other.atMs),
      ...(duration.ok && { forMs: duration.value }), ...(seed !== null && { seed: Number(seed) }),
    },
  };
}

function fileScenario(path: string): Result<{ readonly scenario: Scenario }> {
  const read = readText(path, 'cannot be read');
  if (!read.ok) return { ok: false, refusal: refusals.runtime(`scenario: ${read.message}`) };
  const result = readScenario(path, read.text);
  return result.ok ? result : { ok: false, refusal: refusals.config(result.problems.map(explainProblem).join('\n')) };
}

function strangerIn({ services, events }: Scenario, known: readonly string[]): Refusal | null {
  const named = [
    ...services.keys(), ...events.flatMap((event) => (event.kind === 'command' ? (event.command.unit === null ? [] : [event.command.unit]) : [event.unit])),
  ];
  const unknown = named.find((name) => !known.includes(name));
  return unknown === undefined ? null : unknownUnit(unknown, known);
}
