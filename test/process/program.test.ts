import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { resolveProgram } from '../../src/process/program.ts';
import { tempDir } from '../temp-dir.ts';

let dir: string;
beforeEach(() => {
  dir = tempDir();
  for (const name of ['first', 'second']) mkdirSync(join(dir, name));
});

const searchPath = () => `${dir}/first:${dir}/second`;
const write = (name: string, mode: number, text = '#!/bin/sh\n') => writeFileSync(join(dir, name), text, { mode });

test('the first executable on PATH is taken; what cannot be executed before it is passed over', () => {
  write('first/program', 0o644);
  write('second/program', 0o755);
  expect(resolveProgram('program', searchPath(), '/')).toEqual({ ok: true, path: `${dir}/second/program` });
});

test('when none can be executed, the first obstacle is named', () => {
  write('second/program', 0o640);
  expect(resolveProgram('program', searchPath(), '/')).toMatchObject({ ok: false, reason: `"${dir}/second/program" is not executable (mode 0640)` });
});

test('an empty entry of PATH is the working directory, and a name with a slash never needs PATH', () => {
  write('program', 0o755);
  expect(resolveProgram('program', `${dir}/first:`, dir)).toEqual({ ok: true, path: `${dir}/program` });
  expect(resolveProgram('./program', undefined, dir)).toEqual({ ok: true, path: `${dir}/program` });
  expect(resolveProgram('../program', undefined, join(dir, 'first'))).toEqual({ ok: true, path: `${dir}/program` });
});

test('without PATH the system’s directories are searched', () => {
  expect(resolveProgram('sh', undefined, dir)).toMatchObject({ ok: true, path: expect.stringMatching(/bin\/sh$/) });
});

test('a link that leads nowhere and a path through a file are refused with what is wrong', () => {
  symlinkSync('nowhere', join(dir, 'link'));
  write('file', 0o755);
  expect(resolveProgram('./link', undefined, dir)).toMatchObject({ ok: false, reason: `program "${dir}/link" does not exist` });
  expect(resolveProgram('./file/program', undefined, dir)).toMatchObject({
    ok: false, reason: `program "${dir}/file/program" cannot be reached: a part of its path is not a directory`,
  });
});

test('the interpreter of a script is looked at', () => {
  write('script', 0o755, '#! /usr/bin/env node\n');
  expect(resolveProgram('./script', undefined, dir).ok).toBe(true);
  write('other', 0o755, '#!/no/interpreter -x\n');
  expect(resolveProgram('./other', undefined, dir)).toMatchObject({
    ok: false, reason: `"${dir}/other" cannot be executed: its interpreter "/no/interpreter" does not exist`,
  });
  write('windows', 0o755, '#!/bin/sh\r\necho hello\r\n');
  expect(resolveProgram('./windows', undefined, dir)).toMatchObject({
    ok: false, reason: `"${dir}/windows" cannot be executed: its first line ends with a carriage return (CRLF, as Windows writes), so the kernel looks for the interpreter "/bin/sh\\r"`,
  });
});
