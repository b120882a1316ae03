import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLastWords } from '../../src/journal/last-words.ts';
import { tempDir } from '../temp-dir.ts';

const node = `node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: listen EADDRINUSE: address already in use 127.0.0.1:7002
    at Server.setupListenHandle [as _listen2] (node:net:1817:16)
    at listenInCluster (node:net:1865:12)
Emitted 'error' event on Server instance at:
    at emitErrorNT (node:net:1844:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  code: 'EADDRINUSE',
  errno: -98,
  port: 7002
}

Node.js v20.20.2
`;
const java = `Exception in thread "main" java.lang.IllegalStateException: no pool
\tat app.Main.open(Main.java:12)
\tat app.Main.main(Main.java:5)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect0(Native Method)
\tat java.base/sun.nio.ch.Net.connect(Net.java:579)
\t... 3 more
`;
const go = `panic: no route to db

goroutine 1 [running]:
main.connect(...)
\t/srv/app/main.go:14
main.main()
\t/srv/app/main.go:9 +0x25
exit status 2
`;
const python = `Traceback (most recent call last):
  File "/srv/app.py", line 3, in <module>
    import flask
ModuleNotFoundError: No module named 'flask'
`;

const pointing = `Traceback (most recent call last):
  File "/srv/train.py", line 6, in <module>
    x["nothing"]
    ~^^^^^^^^^^^
KeyError: 'nothing'
`;

function wordsOf(written: string, lines?: number): readonly string[] {
  const path = join(tempDir(), 'web_stderr.log');
  writeFileSync(path, 'of an earlier process\n');
  const words = openLastWords(() => path);
  words.begin('web', 'spawning 2');
  appendFileSync(path, written);
  words.begin('web', 'spawning 2');
  return lines === undefined ? words.of('web') : words.of('web', lines);
}

test.each([
  ['Node.js', node, ['Error: listen EADDRINUSE: address already in use 127.0.0.1:7002']],
  ['Java', java, ['Caused by: java.net.ConnectException: Connection refused']],
  ['Go', go, ['panic: no route to db']],
  ['Python, which points at what is wrong', pointing, ['File "/srv/train.py", line 6, in <module>', 'x["nothing"]', "KeyError: 'nothing'"]],
  ['Python, whose message is the end', python, ['File "/srv/app.py", line 3, in <module>', 'import flask', 'ModuleNotFoundError: No module named \'flask\'']],
])('of a stack trace of %s the message is kept', (_, written, kept) => {
  expect(wordsOf(written)).toEqual(kept);
});

test('other output keeps its last three lines, and nothing of an earlier process', () => {
  expect(wordsOf('one\ntwo\n\nthree\n  four\n')).toEqual(['two', 'three', 'four']);
  expect(wordsOf('one\n  two\n  three\n')).toEqual(['one', 'two', 'three']);
  expect(wordsOf('  a\n  b\n  c\n  d\n')).toEqual(['b', 'c', 'd']);
  expect(wordsOf('')).toEqual([]);
});

test('a number of lines is that many, frames included', () => {
  expect(wordsOf(node, 2)).toEqual(['}', 'Node.js v20.20.2']);
  expect(wordsOf(node, 50)).toContain("code: 'EADDRINUSE',");
});
