import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

/** By the beginning of each claim of docs/security.md: the tests that attack it, by their files and the beginnings of their titles. */
const attacks: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'a socket that is removed': {
    'state/presence': ['a removed socket is put back', 'a socket that another program took', 'a socket that somebody else serves'], 'e2e/removed-state': ['a removed socket comes back'],
  },
  'a state directory that is opened': { 'state/presence': ['a state directory that somebody opened to others'] },
  'two supervisors never': { 'state/lock': ['a lock is taken once', 'a lock held by another process is seen'], 'e2e/lifecycle': ['twenty starts at once make one supervisor'] },
  'a pid that another process has got': { 'process/identity': ['a process is known again by'], 'state/recovery': ['is dead when its pid belongs to a process that started at another time', 'of another boot is dead'], 'e2e/attacks': ["a pid that is another program\\'s now"] },
  'a FIFO, a directory or a link to itself': { 'state/runtime': ['a FIFO, a directory or a link to itself', '%s in the place of the logs or the FIFOs'], 'state/damaged': ['that is %s ends nobody'] },
  'a ledger of a newer version': { 'state/releases': ['in a newer form are refused'] },
  'state directory, pipes and logs': {
    'state/runtime': ['directories are created for us alone', 'our own wider directory is tightened'], 'control/server': ['is there with mode 0600 when listening, whatever the umask'],
    'logs/confined': ["a FIFO is its owner\\'s alone whatever the umask", 'a log that others may read is closed to them'],
  },
  'a state directory that belongs': { 'state/runtime': ["a stranger's directory is refused"] },
  'where both are open nevertheless': { 'e2e/attacks': ['another uid that finds directory and socket open'] },
  'a user who is not the owner cannot': { 'e2e/attacks': ['another uid, and a service that runs as one'], 'e2e/hostile': ['another user can neither list the state'] },
  'a request for a child by another uid': { 'spawned/authority': ['has to be the owner or root', 'may not name one of another', 'may name any process of that tree'] },
  'it gets descriptors 0, 1 and 2': {
    'e2e/attacks': ['another uid, and a service that runs as one'], 'e2e/hostile': ['a service gets its three descriptors'], surroundings: ['nothing of it stays in the supervisor'],
  },
  'it reaches nothing of the state': { 'e2e/attacks': ['another uid, and a service that runs as one'] },
  'groups, gid, uid and capabilities': {
    'process/privileges': ['has its ids, its primary group', 'keeps no group and no inheritable capability', 'that names a group alone', 'one that the supervisor does not have itself is refused'],
  },
  'a list of capabilities is exact': { 'process/privileges': ['a user holds exactly those listed', 'root holds no other than those listed'] },
  '`sandbox` closes the file system': {
    'process/privileges': ['with no_new_privs gains nothing', 'with read_only_root writes to what is named', 'with private_tmp sees an empty', 'that cannot be had is refused', 'with a file system that cannot be closed'],
    'process/refusals': ['an ordinary user is refused what it cannot enforce'],
  },
  'limits and control groups hold': { 'e2e/privileges': ['limits of a control group hold', "a spawned child has its service\\'s ids"] },
  'its commands run without a shell': { 'config/launch': ['what is executed directly is what a shell would have executed', 'a quoted argument vector is read back'] },
  '**Everyone who may write to the configuration**': {
    'config/trust': ['may not have mode %o', 'may not belong to somebody else', 'may be reached by a link'], 'e2e/privileges': ['obeys no configuration and no env file that others may change'],
  },
  '**A symbolic link**': {
    'state/runtime': ["a link to a file of the user\\'s"], 'e2e/hostile': ['a link that somebody put in the place'], 'e2e/attacks': ['links in the place of the state directory'],
    'logs/confined': ['is taken away and reported', 'that was put there while the log was open'],
  },
  'a client that sends nothing is disconnected': { 'control/server': ['that nobody begins is ended', 'drops a client that takes nothing', 'answers while others are silent'] },
  'a line may have 1 MiB': { 'control/server': ['takes a line of the limit and refuses one byte more', 'takes of %s no more than the limit'] },
  'a thousand clients at once': { 'e2e/hostile': ['a thousand clients that say nothing'] },
  'no bytes end the supervisor': { 'control/server': ['survives any bytes'] },
  'a supervisor that is stopped': { 'e2e/hostile': ['of a supervisor that is stopped every command says'], 'control/client': ['a stream of a supervisor that answers nobody'] },
  '**A log full of escapes**': {
    'e2e/attacks': ['a log, a name and a command full of escapes'], 'cli/logs': ['one log is shown without what could steer the terminal'], 'cli/table': ['lets no name or command steer the terminal'],
  },
  '**A page in the browser**': {
    'web/guard': ['without the token there is nothing', 'a Host of %j is refused', 'an Origin of %j is refused', 'an order needs a body that no form can send', 'other methods are refused', 'every answer forbids foreign content'],
    'web/access': ['a token file is one that its owner alone may read'], 'e2e/web': ['hostile clients get nothing'],
  },
  'no planted value is in any file': { 'e2e/secrets': ['no planted value is in a file'] },
  'what is masked, and what is not': { secrets: ['a value is replaced by a reference', 'a value in base64 is found', 'what is too short or too common'] },
  'an export has references': { 'export/export': ['is not printed for %s', 'stands in a Secret of kubernetes', 'is read by nomad', 'in a command stands in the result'] },
  'what is kept of a configuration': { 'config/kept': ['what is kept has texts and references'], 'e2e/secrets': ['a supervisor that comes back to a broken file'] },
};

const page = readFileSync(resolve(import.meta.dirname, '../docs/security.md'), 'utf8');
/** Rows of tables and paragraphs that name tests, with those. */
const claims = page.split(/\n\n|\n(?=\|)/).flatMap((part) => {
  const named = [...part.matchAll(/`([\w/-]+)\.test\.ts`/g)].map(([, file = '']) => file);
  return named.length === 0 || part.startsWith('The package has') ? [] : [{ text: part.trim().replace(/^\| /, ''), named }];
});

test('every claim of the page has its attacks, in the files that the page names and in no other', () => {
  const found = claims.map(({ text, named }) => ({ claim: Object.keys(attacks).find((beginning) => text.startsWith(beginning)) ?? `nothing attacks: ${text}`, named: named.toSorted() }));
  expect(found).toEqual(Object.entries(attacks).map(([claim, files]) => ({ claim, named: Object.keys(files).toSorted() })));
});

test.each(Object.values(attacks).flatMap((files) => Object.entries(files)))('the tests in %s are there', (file, titles) => {
  const source = readFileSync(join(import.meta.dirname, `${file}.test.ts`), 'utf8').replaceAll(/\(\s+/g, '(');
  expect(titles.filter((title) => !source.includes(`('${title}`) && !source.includes(`("${title}`))).toEqual([]);
});
