import type { ChangeLog } from '../../../changes/change-log.ts';
import { SpilledTransaction } from '../../../changes/spill.ts';
import type { ChangeSink } from '../../source.ts';
import type { TransactionStart } from './gtid-events.ts';
import type { Destination } from './row-decoder.ts';
import { Savepoints } from './savepoints.ts';

let filesMade = 0;

/** The transaction whose events are coming: its changes go straight to the sink, or are gathered on disk first. */
export class OpenTransaction implements Destination {
  readonly start: TransactionStart;
  /** It goes on until something ends it; before that it may be a single statement. */
  begun: boolean;
  readonly #sink: ChangeSink;
  readonly #directory: string;
  /** The sink knows of it: it is told at the first change, since most transactions may be of other databases. */
  #delivering = false;
  #gathers = false;
  #spilled: SpilledTransaction | undefined;
  #savepoints: Savepoints | undefined;

  constructor(start: TransactionStart, begun: boolean, sink: ChangeSink, directory: string) {
    this.start = start;
    this.begun = begun;
    this.#sink = sink;
    this.#directory = directory;
  }

  /** From now on changes are gathered on disk, because what becomes of them is not known before its end. */
  gather(): void {
    this.#gathers = true;
    this.#savepoints = new Savepoints();
  }

  get changes(): ChangeLog {
    if (this.#gathers) return this.#spill().changesOf(this.#savepoints?.current ?? 0);
    if (!this.#delivering) {
      this.#delivering = true;
      this.#sink.begin(this.start.commitTime);
    }
    return this.#sink.changes;
  }

  appended(): void {
    if (!this.#gathers) this.#sink.entryAppended();
  }

  /** Changes of it went to the sink, from where they cannot be taken back. */
  get delivering(): boolean {
    return this.#delivering;
  }

  get hasChanges(): boolean {
    return this.#delivering || this.#spilled !== undefined;
  }

  /** What was gathered, which belongs to the caller now; undefined when there were no changes. */
  takeSpilled(): SpilledTransaction | undefined {
    const spilled = this.#spilled;
    this.#spilled = undefined;
    return spilled;
  }

  savepoint(name: string): void {
    this.#savepoints?.set(name);
  }

  release(name: string): void {
    this.#savepoints?.release(name);
  }

  /** Takes back what was gathered since a savepoint. Returns false when that cannot be done. */
  rollbackTo(name: string): boolean {
    if (this.#delivering) return false;
    const parts = this.#savepoints?.rollbackTo(name) ?? [];
    for (const part of parts) this.#spilled?.abort(part);
    return true;
  }

  /** Deletes what was gathered. */
  discard(): void {
    this.takeSpilled()?.discard();
  }

  #spill(): SpilledTransaction {
    this.#spilled ??= new SpilledTransaction(this.#directory, `mysql-${process.pid}-${++filesMade}`);
    return this.#spilled;
  }
}
