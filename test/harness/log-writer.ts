import { reopenedOnHangup } from '../../src/commands/log-file.ts';
import { createLogger } from '../../src/log/create-logger.ts';

/**
 * A process that logs as an engine does: FILE MAX-SIZE MAX-FILES FIRST LAST PER-TURN. It writes numbered lines, so many before it lets
 * signals in, and ends after the last one, or stays until it is killed when LAST is Infinity.
 */
const [destination, maxSize, maxFiles, first, last, perTurn] = process.argv.slice(2);
const log = reopenedOnHangup(
  createLogger({
    format: 'text',
    verbosity: 0,
    destination,
    rotation: { maxSize: Number(maxSize), maxFiles: Number(maxFiles) },
  }),
);
for (let number = Number(first); number <= Number(last); number++) {
  log.info(`line ${number} ${'.'.repeat(number % 90)}`);
  if (number % Number(perTurn) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
await log.close();
process.stdout.write('done\n');
