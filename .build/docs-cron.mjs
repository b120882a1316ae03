// Writes the tables of docs/cron.md, between its marks, from the code that runs the schedule.
//   node .build/docs-cron.mjs [--check]
// --check: changes nothing; exit 1 when the page is not what would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const page = join(root, 'docs/cron.md');
const { nextInstant, parseCron } = await schedule();

const plain = [
  ['*/5 * * * *', 'every five minutes'],
  ['0 * * * *', 'every hour; `@hourly`'],
  ['30 2 * * *', 'at 02:30'],
  ['0 9 * * MON-FRI', 'at 09:00, Monday to Friday'],
  ['0 9 * * 2-6', 'the same: 1 is Sunday, 7 is Saturday'],
  ['0 9 13 * FRI', 'on every Friday the 13th: both must match'],
  ['0 0 1 * *', 'on the first of the month; `@monthly`'],
  ['0 0 31 * *', 'in the months that have 31 days'],
  ['0 0 29 2 *', 'in leap years'],
  ['*/20 59 23 * * *', 'six fields: seconds first'],
  ['0 0 12 1 1 * 2027-2029', 'seven fields: years last'],
  ['@weekly', 'Sunday at 00:00; also `@daily`, `@yearly`'],
];
const shifted = [
  ['30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 'shown twice: the first pass'],
  ['30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 'swallowed on 8 March: at the end of the gap'],
  ['0,30 2,3 * * *', 'America/New_York', '2026-03-08T05:00:00Z', 'one run stands for all that was swallowed'],
  ['30 * * * *', 'America/New_York', '2026-11-01T05:00:00Z', 'wildcard: both passes, an hour apart'],
  ['0 */2 * * *', 'America/New_York', '2026-03-08T04:30:00Z', 'stepped: there was no 02:00'],
  ['@daily', 'America/Santiago', '2026-09-05T12:00:00Z', 'midnight swallowed'],
  ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-02T12:00:00Z', 'half an hour swallowed'],
  ['0 12 * * *', 'Asia/Kathmandu', '2026-11-25T00:00:00Z', 'UTC+05:45'],
];

const written = readFileSync(page, 'utf8');
const expected = [['examples', examples()], ['clocks', clocks()]].reduce(fill, written);
if (process.argv.includes('--check')) {
  if (written !== expected) {
    console.error('docs/cron.md is not what the code says: run node .build/docs-cron.mjs');
    process.exitCode = 1;
  }
} else {
  writeFileSync(page, expected);
}

function examples() {
  const after = Date.parse('2026-11-25T10:20:30Z');
  const rows = plain.map(([expression, meaning]) => [`\`${expression}\``, meaning, runs(expression, 'UTC', after, 3).join('<br>')]);
  return table(['expression', 'meaning', 'after Wed 2026-11-25 10:20:30'], rows);
}

function clocks() {
  const rows = shifted.map(([expression, zone, after, meaning]) => [`\`${expression}\``, zone, meaning, runs(expression, zone, Date.parse(after), 3).join('<br>')]);
  return table(['expression', 'zone', 'meaning', 'runs'], rows);
}

function runs(expression, zone, after, count) {
  const parsed = parseCron(expression);
  if (!parsed.ok) throw new Error(parsed.problem);
  const found = [];
  for (let wallMs = nextInstant(parsed, zone, after); wallMs !== null && found.length < count; wallMs = nextInstant(parsed, zone, wallMs)) found.push(show(wallMs, zone));
  return found;
}

/** `Sun 2026-03-08 03:00 -04:00`, seconds when there are some, the offset outside UTC. */
function show(wallMs, zone) {
  const options = { timeZone: zone, weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'longOffset' };
  const part = Object.fromEntries(new Intl.DateTimeFormat('en-US', options).formatToParts(wallMs).map(({ type, value }) => [type, value]));
  const time = `${part.weekday} ${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute}`;
  return `${time}${part.second === '00' ? '' : `:${part.second}`}${zone === 'UTC' ? '' : ` ${part.timeZoneName.slice(3)}`}`;
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function fill(text, [name, content]) {
  const [begin, end] = [`<!-- generated: ${name} -->`, '<!-- end -->'];
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`docs/cron.md: expected ${begin} … ${end}`);
  return `${text.slice(0, from)}${begin}\n${content}\n${text.slice(to)}`;
}

async function schedule() {
  const { outputFiles } = buildSync({
    stdin: { contents: "export * from './src/cron/instants.ts'; export * from './src/cron/expression.ts';", resolveDir: root },
    bundle: true, platform: 'node', format: 'esm', write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
}
