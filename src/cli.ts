#!/usr/bin/env node
import { basename } from 'node:path';
import process from 'node:process';

// An old Node.js must be told so before it meets syntax or modules that it does not know: hence the import at the end.
const OLDEST = [22, 12];
const [major, minor] = process.versions.node.split('.').map(Number);
const program = basename(process.argv[1]) === 'replicator' ? 'replicator' : 'instar';

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(`${program}: needs Node.js ${OLDEST.join('.')} or newer, this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  const args = process.argv.slice(2);
  // Connection strings on the command line hold passwords: this overwrites what "ps" shows.
  process.title = /^[a-z]+$/.test(args[0] ?? '') ? `${program} ${args[0]}` : program;
  // A reader that goes away (| head) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const { main } = await import('./commands/main.ts');
  const { env, stdout, stderr } = process;
  process.exitCode = await main({ program, args, env, stdout, stderr });
}
