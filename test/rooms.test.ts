import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** What a room may import beside itself, `machines` and the files directly in src/. `lazy`: only its types, or by `import()`. */
const table: Readonly<Record<string, { readonly rooms?: readonly string[]; readonly types?: readonly string[]; readonly lazy?: readonly string[] }>> = {
  machines: {},
  base: {},
  wire: {},
  // Calls of the kernel by way of a library that may be absent: nothing is decided in there.
  native: {},
  process: { rooms: ['native', 'wire'] },
  cron: { rooms: ['wire'] },
  config: { rooms: ['wire', 'cron'] },
  state: { rooms: ['process', 'wire'] },
  journal: { rooms: ['state', 'wire'] },
  logs: { rooms: ['native', 'process', 'state', 'wire'] },
  metrics: { rooms: ['process', 'state', 'wire'] },
  compat: { rooms: ['process', 'cron', 'config', 'state', 'wire'] },
  status: { rooms: ['process', 'cron', 'metrics', 'wire'], types: ['spawned'] },
  // A request that is accepted is recorded.
  control: { rooms: ['process', 'config', 'state', 'wire'], types: ['journal'] },
  actors: { rooms: ['process', 'logs'] },
  // What children use is measured as metrics are, and an end for its sake is recorded.
  spawned: { rooms: ['process', 'logs', 'metrics'], types: ['journal'] },
  rollout: { rooms: ['process', 'logs', 'actors'] },
  simulate: { rooms: ['config', 'cron', 'journal', 'wire'] },
  chart: { types: ['config', 'wire'] },
  // Finds and runs the tools of the init systems; reads what it wrote with the shapes of `wire`.
  boot: { rooms: ['process', 'wire'] },
  // Accounts and programs of this machine, and Node for files of JavaScript.
  import: { rooms: ['process', 'config', 'cron'] },
  export: { rooms: ['process', 'config', 'cron'] },
  doctor: { rooms: ['process', 'config', 'state', 'journal', 'logs', 'metrics', 'compat', 'control', 'wire'] },
  // Beside the command line: the page shows what the commands print, by the same functions.
  web: { rooms: ['cli', 'process', 'config', 'logs', 'status', 'simulate', 'chart', 'wire'] },
  daemon: {
    rooms: [
      'native', 'process', 'cron', 'config', 'state', 'journal', 'logs', 'metrics', 'compat', 'status', 'control', 'actors', 'spawned', 'rollout', 'wire',
    ],
  },
  cli: {
    rooms: [
      'process', 'cron', 'config', 'state', 'journal', 'logs', 'metrics', 'compat', 'status', 'control', 'simulate', 'chart', 'doctor', 'boot', 'web', 'import', 'export', 'wire',
    ],
    lazy: ['daemon'],
  },
};

/** Every command pays for what the command line loads before it knows which one was called. */
const loadedAtOnce = { from: 'src/cli/main.ts', rooms: ['cli', 'wire', 'base', 'machines', 'src/control/client.ts', 'src/control/brief-client.ts', 'src/config/project.ts', 'src/config/discover.ts'] };

/** Libraries, and how many files import each. Of `yaml`: one reads the configuration, one reads and writes the files of others. */
const libraries = [['yaml', 2], ['yargs', 1], ['systeminformation', 1], ['acorn', 1], ['koffi', 1]] as const;

/** Where processes are started: those of units and their commands, and the supervisor itself. */
const starters = /^src\/(?:process|cli\/launch)\//;

interface Import {
  readonly from: string;
  /** A file of ours, or the name of a module. */
  readonly to: string;
  readonly kind: 'value' | 'type' | 'lazy';
}

const files = ['machines', 'src'].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts')).map((name) => join(folder, name)));
const imports = files.flatMap(importsOf);
const isOurs = (name: string): boolean => /^(?:src|machines)\/.*\.ts$/.test(name);
const importsOfOurs = imports.filter(({ to }) => isOurs(to));

function importsOf(file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s(?<names>[^;']*?)from\s*'(?<static>[^']+)'|^import\s*'(?<bare>[^']+)'|\bimport\(\s*'(?<lazy>[^']+)'/gm);
  return [...found].map(({ groups = {} }) => {
    const name = groups['static'] ?? groups['bare'] ?? groups['lazy'] ?? '';
    return {
      from: file, to: name.startsWith('.') ? normalize(join(dirname(file), name)) : name,
      kind: groups['lazy'] !== undefined ? 'lazy' : isOfTypes(groups['names'] ?? '') ? 'type' : 'value',
    };
  });
}

/** `type {…}`, or braces in which each name has a `type` of its own. */
function isOfTypes(names: string): boolean {
  if (names.startsWith('type ')) return true;
  const listed = /^\{(.*)\}\s*$/s.exec(names)?.[1]?.split(',').map((name) => name.trim()).filter((name) => name !== '') ?? [];
  return listed.length > 0 && listed.every((name) => name.startsWith('type '));
}

function roomOf(file: string): string {
  const [top, folder, ...deeper] = file.split('/');
  if (top === 'machines') return top;
  if (file === 'src/daemon.ts') return 'daemon';
  return deeper.length === 0 ? 'base' : folder ?? '';
}

function isAllowed({ from, to, kind }: Import): boolean {
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === there || (here !== 'machines' && (there === 'machines' || there === 'base'))) return true;
  const { rooms = [], types = [], lazy = [] } = table[here] ?? {};
  return rooms.includes(there) || (kind === 'type' && types.includes(there)) || (kind !== 'value' && lazy.includes(there));
}

const listed = (some: readonly Import[]): readonly string[] => some.map(({ from, to, kind }) => `${from} -> ${to} (${kind})`).toSorted();

test('each room imports only what the table allows it', () => {
  expect([...new Set(files.map(roomOf))].filter((room) => table[room] === undefined)).toEqual([]);
  expect(listed(importsOfOurs.filter((one) => !isAllowed(one)))).toEqual([]);
});

test('the command line loads no more at once than it needs to ask a supervisor', () => {
  const { from, rooms } = loadedAtOnce;
  const loaded = new Set([from]);
  for (const file of loaded) for (const { to, kind } of importsOf(file)) if (kind === 'value' && to.startsWith('src/')) loaded.add(to);
  const excess = imports.filter(({ from: file, to, kind }) => loaded.has(file) && kind === 'value' && isOurs(to) && !rooms.includes(roomOf(to)) && !rooms.includes(to));
  expect(listed(excess)).toEqual([]);
});

test('no files import each other in a circle, neither for types nor lazily', () => {
  expect(circles()).toEqual([]);
});

test('machines import xstate and each other, and know neither clock nor chance', () => {
  for (const { from, to } of imports) {
    if (roomOf(from) === 'machines') expect(to === 'xstate' || roomOf(to) === 'machines', `${from} imports ${to}`).toBe(true);
  }
  for (const file of files.filter((name) => roomOf(name) === 'machines')) {
    expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(/Date\.now|new Date\(|Math\.random|setTimeout|process\.(?:env|hrtime)/);
  }
});

test.each(libraries)('%s is imported by %d file(s)', (library, count) => {
  const importers = new Set(imports.filter(({ to }) => to === library || to.startsWith(`${library}/`)).map(({ from }) => from));
  expect([...importers], [...importers].join(', ')).toHaveLength(count);
});

test('processes are started in src/process and, the supervisor, in src/cli/launch', () => {
  expect(listed(imports.filter(({ from, to }) => to === 'node:child_process' && !starters.test(from)))).toEqual([]);
});

/** The sets of files that reach each other, by the algorithm of Tarjan. */
function circles(): readonly string[][] {
  const order = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = order.size;
    let lowest = own;
    order.set(file, own);
    path.push(file);
    for (const { from, to } of importsOfOurs) {
      if (from !== file) continue;
      if (!order.has(to)) lowest = Math.min(lowest, visit(to));
      else if (path.includes(to)) lowest = Math.min(lowest, order.get(to) ?? own);
    }
    if (lowest < own) return lowest;
    const circle = path.splice(path.indexOf(file));
    if (circle.length > 1) found.push(circle.toSorted());
    return lowest;
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}
