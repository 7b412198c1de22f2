/** A log file of a thread, from the SCN `first` up to, and without, `next`. */
export interface ModelLog {
  readonly thread: number;
  readonly sequence: number;
  readonly first: bigint;
  next: bigint;
  readonly group: number;
  /** When it was begun, milliseconds since the epoch. */
  begun: number;
  /** How the archived copy is told: not at all yet, there, or deleted. */
  archive: 'none' | 'late' | 'there' | 'deleted';
  /** False when another one was written over it. */
  online: boolean;
}

/** What the end of the current log is told as. */
export const OPEN_END = 9295429630892703743n;

const GROUPS = 3;

/** The log files of all threads: which there are, and which can be read. */
export class RedoLogs {
  readonly logs: ModelLog[] = [];

  constructor(threads: number, first: bigint) {
    for (let thread = 1; thread <= threads; thread++) this.#open(thread, 41, first);
  }

  onlineName({ thread, group }: ModelLog): string {
    return `/u01/oradata/T${thread}/redo0${group}.log`;
  }

  archiveName({ thread, sequence }: ModelLog): string {
    return `/u01/arch/${thread}_${sequence}_1.arc`;
  }

  current(thread: number): ModelLog {
    const found = this.logs.findLast((log) => log.thread === thread);
    if (found === undefined) throw new TypeError(`no thread ${thread}`);
    return found;
  }

  /** The thread goes on with the next log; the one before is archived, now or when `archive` is called. */
  switch(thread: number, scn: bigint, archive: 'there' | 'late' = 'there'): void {
    const current = this.current(thread);
    current.next = scn;
    current.archive = archive;
    this.#open(thread, current.sequence + 1, scn);
    for (const log of this.logs) {
      if (log.thread === thread && log.sequence <= current.sequence + 1 - GROUPS) log.online = false;
    }
  }

  /** What waited to be archived is. */
  archive(): void {
    for (const log of this.logs) if (log.archive === 'late') log.archive = 'there';
  }

  /** Deletes archived logs that end before `scn`. */
  purge(scn: bigint): void {
    for (const log of this.logs) {
      if (log.next > scn || log.archive !== 'there') continue;
      log.archive = 'deleted';
      log.online = false;
    }
  }

  /** The log that a file holds; undefined when there is no such file. */
  byName(name: string): ModelLog | undefined {
    return this.logs.find(
      (log) =>
        (log.online && this.onlineName(log) === name) || (log.archive === 'there' && this.archiveName(log) === name),
    );
  }

  #open(thread: number, sequence: number, first: bigint): void {
    const group = thread * 10 + (sequence % GROUPS);
    this.logs.push({
      thread,
      sequence,
      first,
      next: OPEN_END,
      group,
      begun: Date.now(),
      archive: 'none',
      online: true,
    });
  }
}
