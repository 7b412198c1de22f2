import { setTimeout as sleep } from 'node:timers/promises';

/** How often the target is asked: cheap next to a drain of seconds. */
const POLL_MS = 10;
const LIMIT_MS = 600_000;

/**
 * Looks at the target until it has what is looked for; fails as soon as `failure` gives a reason, and after ten minutes.
 */
export async function arrived(
  look: () => Promise<boolean>,
  failure: () => Error | undefined = () => undefined,
): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await look())) {
    const error = failure();
    if (error) throw error;
    if (performance.now() > deadline) throw new Error(`the target did not get there in ${LIMIT_MS / 1000} s`);
    await sleep(POLL_MS);
  }
}
