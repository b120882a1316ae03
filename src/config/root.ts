import { commandKeys } from './command.ts';
import { envSchema } from './env.ts';
import { raw, scalarSchema, text, type JsonSchema, type Kind } from './kind.ts';
import { metrics } from './metrics.ts';
import { wrongProject } from '../runtime-paths.ts';
import { quote } from './document.ts';
import { complain, complainExpected, complainKey, entries, warn, type Place } from './place.ts';
import { complainUnknown, optional, recordSchema, required } from './record.ts';
import { defaultableKeys, serviceKeys } from './service.ts';

/** As `--project`. */
const projectName: Kind<string> = {
  schema: { type: 'string', pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$' },
  read(place) {
    const name = place.node.kind === 'scalar' ? place.node.text : null;
    if (name === null) return complainExpected(place, 'the name of a project');
    const wrong = wrongProject(name);
    return wrong === null ? name : complain(place, wrong);
  },
};

/** The keys of the file itself. */
export const rootKeys = {
  version: required(raw(scalarSchema), 'Version of the format: "1".'),
  services: required(raw({ type: 'object', additionalProperties: recordSchema(serviceKeys) }), 'The services by name.'),
  env: optional(raw(envSchema), 'Variables of all services: directly, or in `vars` beside a `file`.'),
  metrics: optional(metrics, 'How long and how often metrics are sampled.'),
  defaults: optional(raw(recordSchema(defaultableKeys)), 'Service keys used where a service says nothing.'),
  project: optional(projectName, 'The name of a supervisor of its own for this file, with state and logs of its own; without it, it is the one that every file without a name shares.'),
  include: optional(raw({ anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] }), 'Other files whose services belong to this one; each keeps its own `env`, `defaults` and directory.'),
  project_dir: optional(text, 'Has no effect: always the directory of the file.'),
};

/** JSON Schema (draft 2020-12) of the configuration file, from the definitions that read it. */
export function jsonSchema(): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'sysg configuration', ...recordSchema(rootKeys) };
}

export function checkDefaults(place: Place): void {
  if (place.node.kind !== 'map') return complainExpected(place, 'a map of service keys');
  const commands = Object.keys(commandKeys);
  for (const [key, inner] of entries(place)) {
    if (commands.includes(key)) complainKey(inner, 'belongs to a service, not to defaults');
  }
  complainUnknown(place, [...commands, ...Object.keys(defaultableKeys)]);
}

/** Log files are called `<name>_stdout.log`, and a file name has at most 255 bytes. */
const maxNameBytes = 200;

/** The services of the file by name, those with a name that cannot be a file name left out. */
export function servicePlaces(services: Place): ReadonlyMap<string, Place> {
  if (services.node.kind !== 'map') complainExpected(services, 'a map of services by name');
  return new Map(entries(services).filter(([name, place]) => {
    const wrong = wrongName(name);
    if (wrong !== null) complainKey(place, `${wrong}, got ${quote(name)}`);
    else if (!/^[A-Za-z0-9_.-]+$/.test(name)) warn(place, `the name ${quote(name)} needs quoting in a shell; letters, digits, '_', '.' and '-' do not`);
    return wrong === null;
  }));
}

function wrongName(name: string): string | null {
  if (name === '') return 'expected a name that is not empty';
  if (name === '.' || name === '..') return "expected a name other than '.' and '..'";
  if (/\/|\p{Cc}/u.test(name)) return "expected a name without '/' and control characters";
  return Buffer.byteLength(name) > maxNameBytes ? `expected a name of at most ${maxNameBytes} bytes` : null;
}
