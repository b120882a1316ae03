#!/usr/bin/env node
// Refuses a package under a licence that nobody has looked at. What is bundled is given on: there a licence must ask for no more than its text.
import { readFileSync } from 'node:fs';

const given = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|Unlicense)$/;
/** Used to build and to test, and in no file that is given on. */
const tools = { 'MPL-2.0': /^node_modules\/lightningcss(-|$)|^node_modules\/axe-core$/, 'CC-BY-4.0': /^node_modules\/caniuse-lite$/, 'Python-2.0': /^node_modules\/argparse$/ };

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
const refused = Object.entries(packages).filter(([path, { license = 'none' }]) => path !== '' && !given.test(license) && !tools[license]?.test(path));
for (const [path, { license = 'none' }] of refused) process.stderr.write(`${path}: the licence ${license} is not among those that were looked at\n`);
process.stdout.write(`${Object.keys(packages).length - 1 - refused.length} packages under known licences\n`);
process.exitCode = refused.length > 0 ? 1 : 0;
