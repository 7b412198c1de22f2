/**
 * Loaded into an engine in front of the program: an interval of so many milliseconds as `QUICK_TIMER` says goes off each
 * `QUICK_TIMER_IS` milliseconds, as the shortest period that the flags allow is longer than a test may take.
 */
const { QUICK_TIMER, QUICK_TIMER_IS } = process.env;
const real = globalThis.setInterval;
globalThis.setInterval = ((callback: () => void, delay?: number, ...rest: unknown[]) =>
  real(
    callback,
    delay === Number(QUICK_TIMER) ? Number(QUICK_TIMER_IS) : delay,
    ...(rest as []),
  )) as typeof setInterval;
