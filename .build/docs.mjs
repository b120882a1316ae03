// Writes docs/cli.md, docs/sysg.1, docs/configuration.md and docs/schema/sysg.schema.json from the definitions in src/.
//   node .build/docs.mjs [--check]
// --check writes nothing, and fails naming each file that is not what it would write.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { manPage } from './man-page.mjs';

const root = resolve(import.meta.dirname, '..');
const { values: { check } } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const { aliases, globalOptions, verbs, synopsis, jsonSchema } = await definitions();
const exitCodes = [
  ['0', 'done; `status` and `inspect`: healthy'],
  ['1', 'refused or failed, with one sentence on stderr; `wait`: nothing is under way that could bring a unit to the state; `status` and `inspect`: degraded; `status`: no unit matches'],
  ['2', 'invalid arguments; `status` and `inspect`: failing; `inspect`: unknown unit'],
  ['3', '`status` and `inspect`: no supervisor runs'],
  ['124', '`wait`: the time was over'],
  ['other', '`start` in the foreground ends with the code of the supervisor'],
];
const schema = JSON.parse(JSON.stringify(jsonSchema()));

const files = new Map([
  ['docs/cli.md', commandLine()],
  ['docs/configuration.md', configuration()],
  ['docs/sysg.1', manPage({ verbs, globalOptions, synopsis, version: JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version, exitCodes })],
  ['docs/schema/sysg.schema.json', `${JSON.stringify(schema)}\n`],
]);
for (const [name, text] of files) {
  const path = join(root, name);
  const present = await readFile(path, 'utf8').catch(() => null);
  if (present === text) continue;
  if (check) {
    console.error(`${name} is not what the definitions say; run: npm run docs`);
    process.exitCode = 1;
    continue;
  }
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  console.log(`${name} written`);
}

/** The tables of commands and keys, without the commands themselves. */
async function definitions() {
  const { outputFiles: [bundle] } = await build({
    stdin: {
      contents: "export { globalOptions } from './src/cli/options.ts'; export { aliases, verbs, synopsis } from './src/cli/verbs.ts'; export { jsonSchema } from './src/config/root.ts';",
      resolveDir: root,
    },
    bundle: true, write: false, platform: 'node', target: 'node20', format: 'esm', absWorkingDir: root, logLevel: 'warning',
    // The yaml parser is CommonJS and asks for modules of Node.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/');" },
  });
  return import(`data:text/javascript;base64,${Buffer.from(bundle.contents).toString('base64')}`);
}

function commandLine() {
  const shown = verbs.filter(({ hidden }) => hidden !== true);
  const rows = shown.map((verb) => [`[\`${verb.name}\`](#${verb.name})`, verb.about]);
  return `<!-- Made by .build/docs.mjs from src/cli/verbs.ts: change that, then run: npm run docs -->
# Command line

\`sysg help COMMAND\`, \`sysg COMMAND --help\` and \`-h\` say what is said here; \`sysg --version\` (\`-V\`) prints the version.
Flags come before or after each other in any order, \`--name=value\` and \`--name value\` are the same.

${table(['command', 'does'], rows)}

${Object.entries(aliases).map(([alias, words]) => `\`sysg ${alias}\` is \`sysg ${words.join(' ')}\``).join(', ')}.

## Names of units

Units are named by words after the command, by \`-s\` (as often as wanted), or both: \`sysg stop web worker\`, \`sysg stop -s web -s worker\`. A name that is
also the name of a command needs nothing special: \`sysg stop status\`. Patterns are those of a shell, in quotes: \`'web*'\`, \`'web?'\`, \`'[ab]-*'\`. Where
one of several names, or a pattern, fits no unit, nothing is done, the exit code is 1, and the message says what was probably meant. \`stop\`, \`restart\`,
\`start\` and \`signal\` take several units one after the other: each is answered, and one that fails keeps none of the others from its turn. With
\`--json\`, \`inspect\` and \`why\` print a list where several names or a pattern were given.

## Flags of every command

They may also come before the command.

${optionTable(globalOptions)}

\`--log-level\` is about the process that is started: a supervisor keeps the level of its own start. Without it \`RUST_LOG\` counts,
then \`info\`. As root without \`--sys\` a start prints a warning, and every command refuses where system mode has left a supervisor's files.

## Exit codes

${table(['code', 'when'], exitCodes)}

## JSON

\`start\`, \`stop\`, \`restart\`, \`reload\`, \`signal\`, \`wait\` and \`purge\` answer with \`{"ok": bool, "message": text, "units": [{"name", "phase", "pid"?, "error"?}]}\`,
\`validate\` with \`{"ok": bool, "errors": [{"file", "line", "column", "path", "message"}], "warnings": [...], "notes": [...]}\`,
\`plan\` with \`{"unchanged": [{"unit", "why"}], "start": [...], "stop": [...], "restart": [...], "update": [...]}\`.
A refusal is on stderr too.

## Which configuration

\`start\` without \`-c\` looks for \`sysg.config.yaml\`, \`sysg.yaml\` and \`systemg.yaml\` in the working directory, then in \`~/.config/systemg\`
(\`/etc/systemg\` with \`--sys\`). Every other command without \`-c\` uses the file of the running supervisor, and without one the search,
then the file of a supervisor that was killed. With \`-c\`, \`restart\`, \`reload\`, \`plan\` and \`validate\` take the file that is named. Where it is
another one than that of the running supervisor, commands that only show something warn and show what runs; \`start\`, \`stop\`, \`signal\` and \`purge\` refuse.

${shown.map(commandSection).join('\n')}
## spawn

Deprecated: \`sysg start --parent-pid PID --name NAME [--ttl SECONDS] -- COMMAND...\` does the same.
`;
}

function commandSection(verb) {
  const operands = verb.operands === undefined ? '' : `\n\`${verb.operands.shown}\`: ${verb.operands.about}.\n`;
  return `## ${verb.name}

${capitalised(verb.about)}.

\`\`\`
${synopsis(verb)}
\`\`\`
${verb.more === undefined ? '' : `\n${wrapped(verb.more)}\n`}${operands}
${verb.options.length === 0 ? '' : `${optionTable(verb.options)}\n`}
\`\`\`sh
${verb.examples.map(([command, about]) => `${command.padEnd(Math.max(...verb.examples.map(([text]) => text.length)))}  # ${about}`).join('\n')}
\`\`\`
`;
}

function optionTable(options) {
  return table(['flag', 'meaning'], options.map(({ name, short, also = [], value, about }) => [
    `\`--${name}${value === undefined ? '' : ` ${value}`}\`${short === undefined ? '' : [short, ...also].map((letter) => `, \`-${letter}\``).join('')}`, about,
  ]));
}

function configuration() {
  const service = schema.properties.services.additionalProperties;
  return `<!-- Made by .build/docs.mjs from src/config: change that, then run: npm run docs -->
# Configuration

One YAML file. \`sysg validate\` checks it without starting anything, and names every mistake with its line. Editors that speak the
YAML language server know its keys by [the schema](schema/sysg.schema.json) when the first line names it:

\`\`\`yaml
# yaml-language-server: $schema=docs/schema/sysg.schema.json
version: "1"
services:
  api:
    command: node server.js
    depends_on: [database]
    restart_policy: on-failure
  database:
    exec: [postgres, -D, /srv/data]
    stop_signal: SIGINT
    health_check: {tcp: "127.0.0.1:5432", timeout: 20s}
\`\`\`

A file of systemg 0.33.0 is read as it is.
What it leaves to chance is refused here: unknown keys and values, durations that cannot
be read, services that depend on each other in a circle.

## Values

- **Durations**: \`500ms\`, \`5s\`, \`2m\`, \`1h\`, \`1d\`, decimals too (\`0.5s\`); a bare number is seconds.
- **Sizes**: bytes, or \`512K\`, \`10M\`, \`1G\`, in powers of 1024.
- **References** in \`command\`, \`exec\`, hooks, \`pre_start\`, \`skip\` and check commands: \`\${NAME}\` and \`\${NAME:-default}\` are replaced when NAME is
  known from the environment or an \`env\` block, and \`$\${NAME}\` is a literal \`\${NAME}\`; all else that looks like one is the shell's, and so is a
  default with quotes in it. In every other text \`$NAME\` is replaced too, \`$$\` is a dollar, and an unknown name is a mistake. A default may
  have references in it (\`\${A:-\${B}}\`); its braces stand in pairs.
- **Commands** of nothing but words and quotes are executed directly, so that the process that is watched is the program itself;
  anything else goes through \`sh -c\`, unchanged.
- **Names** of services: anything without \`/\` and control characters.

## Environment of a service

What the supervisor was started with, and over it, each before the one that wins: \`env.file\` of the top level, that of the service,
variables of the top level, those of the service.

An env file has one \`NAME=value\` a line; \`export\` may stand before the name, blanks around name and value. Lines that begin with \`#\`
are comments, and so is what follows a blank and a \`#\`; \`A=x#y\` is \`x#y\`. A value in single quotes is taken as it stands. In double quotes
\`\\"\`, \`\\\\\`, \`\\$\` and \`\\n\` are a quote, a backslash, a dollar and a new line. A quoted value may have several lines. Nothing in an env
file is replaced. A quote that is never closed, text behind a closing quote and a value in backquotes are refused with file and line.

## Top level

${keyTable(schema, ['services', 'defaults', 'env'])}

\`defaults\` takes the keys of a service but for \`command\` and \`exec\`. A key that a service has itself is not mixed with the default: it
takes its place.

## Services

Exactly one of \`command\` and \`exec\` is needed.

${keyTable(service, [])}

${sections(service, '').join('\n')}
## metrics

${schema.properties.metrics.description}

${keyTable(schema.properties.metrics, [])}

## env

Variables directly, or in \`vars\` beside a \`file\`:

\`\`\`yaml
env:
  file: .env
  vars: {PORT: "8080"}
\`\`\`

## Several files

- \`include: [parts/db.yaml]\` takes in the services of other files, and of those that these include. Each file keeps its own \`env\`, \`defaults\` and
  directory, from which its paths are taken. A service may be in one of them only; dependencies go across. \`project\` and \`metrics\` belong to the first file.
- \`sysg start -c base.yaml -c live.yaml\` lays files over each other: services key by key, variables name by name; every other value takes the place of
  the one below, and \`exec\` that of \`command\`. Paths are taken from the directory of the first file. The supervisor goes on with the same files.
- \`x-anything\` is left alone at every level, for other programs and for anchors; \`<<: *anchor\` and \`<<: [*one, *other]\` merge maps, of which the first
  one with a key wins, and the map itself before them.

\`\`\`yaml
version: "1"
x-worker: &worker {restart_policy: always, stop_timeout: 30s}
services:
  mail: {<<: *worker, command: node mail.js}
  debugger: {command: node debug.js, profiles: [dev]}
\`\`\`

## Profiles

A service with \`profiles\` is left out, unless \`sysg start --profile dev\` chooses one of its profiles, a service that is started needs it, or somebody
names it in a start, alone, with others or by a pattern (\`sysg start debugger\`). What was started once stays a service of that supervisor until it ends.

## Signals, endings and restarts

- A stop sends \`stop_signal\` to the whole process group and to what left it, or runs \`stop_command\`, and \`stop_timeout\` later sends SIGKILL to all
  that is left. With \`kill_mode: mixed\` the signal goes to the main process alone. See [the end of a service](lifecycle.md#the-end-of-a-service).
- A failure is an exit that is not in \`success_exit_codes\`, a start that did not work, a check that did not pass. After it comes a pause, by
  \`backoff\`, and the next try, as long as \`restart_policy\` and \`max_restarts\` allow. \`stable_after\` forgives.
- \`oneshot\` services are complete when they have ended well; dependents with \`condition: completed\` wait for that.

## Dependencies

A bare name waits for that service to be healthy if it has a \`health_check\`, to be complete if it is a one-shot, else to be started; when it
crashes or restarts, the dependent is stopped and comes back with it. \`{service, condition, on_restart}\` says it in full.

## What a reload does

\`sysg plan\` shows it beforehand. A change of what a process was started with (its command, environment, user, limits and the like) restarts the service;
a change of the rules about it (checks, restarts, dependencies, hooks and the like) is taken over while it runs.
`;
}

/** One section for each key that is a map of keys. The same keys are listed once: `listed` has the section of each list. */
function sections(node, path, listed = new Map()) {
  return Object.entries(node.properties ?? {}).flatMap(([name, inner]) => {
    const map = mapIn(inner);
    if (map === null) return [];
    const title = path === '' ? name : `${path}.${name}`;
    const keys = keyTable(map, []);
    const before = listed.get(keys);
    listed.set(keys, before ?? title);
    const head = `### ${title}\n\n${inner.description ?? ''}`;
    return before === undefined ? [`${head}\n\n${keys}\n`, ...sections(map, title, listed)] : [`${head} The keys are those of [${before}](#${before.replaceAll('.', '')}).\n`];
  });
}

function mapIn(node) {
  return [node, ...(node.anyOf ?? []), ...(node.items === undefined ? [] : [node.items]), ...(node.items?.anyOf ?? [])]
    .find(({ properties }) => properties !== undefined && Object.keys(properties).length > 0) ?? null;
}

function keyTable(node, without) {
  const needed = node.required ?? [];
  return table(['key', 'value', 'default', 'meaning'], Object.entries(node.properties).map(([name, inner]) => [
    `\`${name}\``, valueOf(inner, without.includes(name)), needed.includes(name) ? 'needed' : defaultOf(inner), inner.description ?? '',
  ]));
}

function valueOf(node, opaque) {
  if (opaque) return 'map';
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map((alternative) => valueOf(alternative, false)))].join(' or ');
  if (node.enum !== undefined) return node.enum.length > 8 ? `\`${node.enum[0]}\`, \`${node.enum[1]}\` … (${node.enum.length} names)` : node.enum.map((word) => `\`${word}\``).join(', ');
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : valueOf(node.items, false)}`;
  if (node.properties !== undefined || node.type === 'object') return 'map';
  if (node.pattern?.includes('ms|s|m|h|d') === true) return 'duration';
  if (node.pattern?.includes('KMGT') === true) return 'size';
  const types = [node.type].flat();
  if (types.includes('string')) return types.includes('integer') && node.minimum === 0 ? 'number, size or `unlimited`' : 'text';
  if (types.includes('integer')) return node.minimum === undefined ? 'whole number' : `whole number, ${node.minimum}${node.maximum === undefined || node.maximum > 1e9 ? ' or more' : `–${node.maximum}`}`;
  if (types.includes('number')) return `number, ${node.minimum}–${node.maximum}`;
  return types.includes('boolean') ? 'true or false' : 'anything';
}

function defaultOf(node) {
  if (node.default === undefined) return '';
  if (Array.isArray(node.default) && node.default.length === 0) return 'none';
  return typeof node.default === 'string' ? `\`${node.default}\`` : `\`${JSON.stringify(node.default).replaceAll('"', '').replaceAll(/([:,])(?=\S)/g, '$1 ')}\``;
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function wrapped(text) {
  return text.replaceAll(/(.{1,120})(?:\s+|$)/g, '$1\n').trimEnd();
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
