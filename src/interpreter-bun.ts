import type { Interpreter } from './interpreter.ts';

/** The files of the live page, put in by the build (.build/standalone.mjs). */
declare const PAGE_FILES: Readonly<Record<string, string>>;

/** Bun's, in an executable that has everything in it. */
export const interpreter: Interpreter = {
  // A net.Socket of Bun's 1.4.5 reads nothing from a FIFO, and a stream of Bun's reads ahead of who takes:
  // output would wait, or change its order. And what ends leftovers has been seen to hang.
  supervisor: {
    ok: false,
    reason: 'this file is the client of sysg alone: it starts no supervisor and ends nothing that a dead one has left; '
      + 'the sysg that runs on Node.js does both, and its supervisor is controlled from here',
  },
  command: process.execPath,
  evaluator: { program: process.execPath, words: ['-e'], env: { BUN_BE_BUN: '1' } },
  pageFile(name) {
    const text = PAGE_FILES[name];
    return text === undefined ? null : new Uint8Array(Buffer.from(text));
  },
};
