/** What the program in one file does not do as the one on Node.js does. `npm run test:standalone` prints this list, and leaves these tests out and no others. */
export const notPassing: readonly { readonly file: string; readonly test: string | null; readonly reason: string }[] = [
  { file: 'test/e2e/brief.test.ts', test: null, reason: 'is about the modules of Node.js that a command loads' },
  { file: 'test/e2e/counts.test.ts', test: null, reason: 'counts what the program on Node.js loads and asks of the kernel' },
  { file: 'test/e2e/package.test.ts', test: null, reason: 'is about the package that npm installs' },
  {
    file: 'test/e2e/surroundings.test.ts', test: 'in a directory that was removed commands work, and say where they looked',
    reason: 'Bun ends with "The current working directory was deleted" before any JavaScript runs',
  },
  {
    file: 'test/e2e/surroundings.test.ts', test: 'has to be there: without it nothing is started, and the refusal says what to do',
    reason: 'without /proc Bun ends with a report of a crash before any JavaScript runs',
  },
  {
    file: 'test/e2e/surroundings.test.ts', test: 'that is covered while a supervisor runs costs the starts of that time, and leaves no process that nobody knows',
    reason: 'without /proc Bun ends with a report of a crash before any JavaScript runs, in the command that asks for the start',
  },
  {
    file: 'test/e2e/exhaustion.test.ts', test: 'a command that may open too few files is refused in a sentence',
    reason: 'the shell script before Node.js, which looks at the limit, is not a part of it: the start goes on, and its supervisor refuses the service in a sentence',
  },
  {
    file: 'test/e2e/exhaustion.test.ts', test: 'a low soft limit of open files does not keep the supervisor from running, and is that of its services',
    reason: 'Bun raises its limit before any JavaScript runs, and a shell that has set another one and replaces itself by the program is no parent to ask',
  },
  {
    file: 'test/e2e/exhaustion.test.ts', test: 'a unit for which there is no process to be had is refused and tried again; nothing else suffers',
    reason: 'Bun ends with a report of a crash where it cannot create a thread: the command that waits for the start does, since its collector wants one after a second',
  },
];
