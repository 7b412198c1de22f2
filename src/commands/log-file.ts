import { fstatSync, statSync } from 'node:fs';
import process from 'node:process';
import type { ClosableLogger } from '../log/create-logger.ts';

/**
 * Has the log opened anew at each SIGHUP until it is closed, as logrotate asks for. A log to standard output has nothing to open,
 * and does not end by it either, unless that is the terminal which was hung up.
 */
export function reopenedOnHangup(log: ClosableLogger): ClosableLogger {
  if (process.stdout.isTTY && !log.toFile) return log;
  const onHangup = () => {
    log.reopen();
    log.info(log.toFile ? 'the log file was opened anew' : 'the log goes to no file that could be opened anew', {
      signal: 'SIGHUP',
    });
  };
  process.on('SIGHUP', onHangup);
  return {
    ...log,
    async close() {
      process.removeListener('SIGHUP', onHangup);
      await log.close();
    },
  };
}

/** Whether standard error leads to that very file: what is logged need not be told there again. */
export function isStandardError(path: string): boolean {
  try {
    const [file, standard] = [statSync(path), fstatSync(2)];
    return file.ino === standard.ino && file.dev === standard.dev;
  } catch {
    return false;
  }
}
