import { setTimeout as sleep } from 'node:timers/promises';
import { DefectError } from '../errors.ts';
import type { ClosableLogger } from '../log/create-logger.ts';
import { logError } from '../log/log-error.ts';

/** Milliseconds that a reader of the log gets to take the last lines. */
const FLUSH_PATIENCE = 2000;

/**
 * From now until the process ends, an error that nobody caught is logged, masked, and ends it with status 1. Node's own
 * report of it would show secrets. `tell` is told as well, for a terminal that does not see the log.
 */
export function endOnDefects(log: ClosableLogger, tell: (defect: DefectError) => void = () => {}): void {
  const end = (thrown: unknown) => {
    const defect = new DefectError(thrown);
    logError(log, defect);
    tell(defect);
    // A reader that is stuck must not keep a process alive that no longer knows what it does.
    void Promise.race([log.flush(), sleep(FLUSH_PATIENCE)]).finally(() => process.exit(1));
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}
