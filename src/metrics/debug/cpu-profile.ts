import { setTimeout as sleep } from 'node:timers/promises';

/** Microseconds between two samples. */
const SAMPLE_EVERY = 1000;

/**
 * Samples where this process spends its time, for `seconds` or until `signal` aborts. Returns a document that the developer
 * tools of Chrome and VS Code open as `.cpuprofile`. It holds names of functions and files, and no data.
 * @throws the signal's reason when it was cut off
 */
export async function cpuProfile(seconds: number, signal: AbortSignal): Promise<string> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY });
    await session.post('Profiler.start');
    await sleep(1000 * seconds, undefined, { signal, ref: false });
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  } finally {
    // Ends what is still being sampled, too.
    session.disconnect();
  }
}
