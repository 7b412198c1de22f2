/**
 * How the next transaction that is larger than memory is applied. It cannot be sent again from memory, so when it is
 * refused the source is asked for it once more, and it is applied the next way in this list.
 */
export const LARGE_MODES = ['copy', 'upsert', 'exact', 'deadLetter'] as const;
export type LargeMode = (typeof LARGE_MODES)[number];

/** The stream has to start again at the checkpoint: what was in hand cannot be sent again. */
export class Rewind extends Error {
  readonly largeMode: LargeMode;
  readonly reason: Error;
  constructor(largeMode: LargeMode, reason: Error) {
    super(`start again at the checkpoint, ${largeMode}`);
    this.largeMode = largeMode;
    this.reason = reason;
  }
}
