import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/cli/explain.ts';
import { meaningOfCommand } from '../../src/cli/foreign-words.ts';
import { aliases, verbs } from '../../src/cli/verbs.ts';
import { sysg } from './rig.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const program = /^(?:pm2|supervisorctl|docker compose|systemctl(?: --user)?|kubectl)(?= )/;

/** The first column of the tables of commands on the pages for those who come from elsewhere: each command, without its program. */
const foreignCommands = readdirSync(docs).filter((name) => name.startsWith('coming-from-')).flatMap((name) => {
  const table = readFileSync(resolve(docs, name), 'utf8').split('\n## Commands\n')[1]?.split('\n## ')[0] ?? '';
  return [...table.matchAll(/^\| (.*?) \| `sysg/gm)].flatMap(([, cell = '']) => wordsOf(cell));
});

/** Of `` `pm2 stop api`, `list` `` the words `stop` and `list`. */
function wordsOf(cell: string): string[] {
  const calls = [...cell.matchAll(/`([^`]+)`/g)].map(([, call = '']) => call);
  const own = program.exec(calls[0] ?? '')?.[0];
  if (own === undefined) return [];
  return calls.flatMap((call) => (call.startsWith(own) ? call.slice(own.length + 1) : call).split(' ').filter((word) => !word.startsWith('-')).slice(0, 1));
}

const own = new Set([...verbs.map(({ name }) => name as string), ...Object.keys(aliases)]);

describe('commands of other supervisors', () => {
  test('that the pages name are commands here, or are answered with what is meant', () => {
    expect(foreignCommands.length).toBeGreaterThan(40);
    expect(foreignCommands.filter((word) => !own.has(word) && meaningOfCommand(word) === null)).toEqual([]);
  });

  test.each([
    [['list'], "unknown command 'list', did you mean 'ps'?"],
    [['enable', 'web'], "unknown command 'enable', did you mean 'boot install'?"],
    [['delete', 'web'], "unknown command 'delete': take the service out of the configuration, then: sysg reload; what was started from the command line: sysg stop --forget UNIT"],
    [['update'], "unknown command 'update': to apply a changed configuration: sysg reload; after an upgrade of sysg: sysg restart --supervisor"],
    [['version'], "unknown command 'version', did you mean '--version'?"],
    [['help', 'monit'], "unknown command 'monit', did you mean 'ps'?"],
    [['up', '--detach'], "unknown option '--detach', did you mean '--daemonize'?"],
    [['logs', 'web', '--tail', '10'], "unknown option '--tail', did you mean '--lines'?"],
    [['down', '-v'], "unknown option '-v': to remove state and logs: sysg purge"],
    [['-f', 'other.yaml', 'up'], "unknown option '-f', did you mean '--config'?"],
    [['-v'], "unknown option '-v', did you mean '--version'?"],
    [['reload', '--dry-run'], "unknown option '--dry-run': to see what a reload would do: sysg plan; to rehearse a fault: sysg simulate"],
  ])('%j', async (argv, sentence) => {
    const { exitCode, stderr } = await sysg(argv);
    expect({ exitCode, line: stderr.split('\n')[0] }).toEqual({ exitCode: 2, line: `sysg: ${sentence}` });
  });

  test('none is a command here', () => {
    expect([...own].filter((name) => meaningOfCommand(name) !== null)).toEqual([]);
  });

  test('what is meant is a command with flags that are read', async () => {
    const meant = [...new Set(foreignCommands.map((word) => /did you mean '(.*)'/.exec(meaningOfCommand(word) ?? '')?.[1]).filter((text) => text !== undefined))];
    expect(meant).toContain('restart --supervisor');
    for (const text of meant) {
      const read = await explain(text.split(' '), 80);
      // Names of units follow some.
      expect([text, read.kind === 'refused' ? read.refusal.message.startsWith('expected ') : true]).toEqual([text, true]);
    }
  });
});

test('a reload of one unit is refused with the command for one unit', async () => {
  const { exitCode, stderr } = await sysg(['reload', 'web']);
  expect({ exitCode, lines: stderr.split('\n').slice(0, 2) }).toEqual({
    exitCode: 2, lines: ["sysg: unexpected argument 'web'", 'reload is about the whole configuration; one unit alone: sysg restart web'],
  });
});
