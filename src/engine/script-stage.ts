import type { ChangeLog } from '../changes/change-log.ts';
import type { SpilledTransaction } from '../changes/spill.ts';
import type { OperatorError } from '../errors.ts';
import type { Transformed, Userscript } from '../userscript/userscript.ts';
import { Batcher, type Batch, type Chunk, type Transaction, type Work, type WorkQueue } from './batcher.ts';
import type { TargetTables } from './target-tables.ts';

/** Works that are taken ahead, so that the script works on the next one while the target works on the last. */
const AHEAD = 4;

/** Work on its way through the script; `ready` once it is through. */
interface Underway {
  ready: Work[] | undefined;
  failure: Error | undefined;
}

/**
 * Stands between the batcher and the applier where there is a userscript: what has rows that a handler names goes through
 * it, in order; everything else goes by. Nothing is added to a transaction or taken from it but what handlers say, and one
 * that they leave nothing of is still one: the checkpoint moves past it.
 */
export class ScriptStage implements WorkQueue {
  onWork: () => void = () => {};
  readonly #batcher: Batcher;
  readonly #script: Userscript;
  readonly #tables: TargetTables;
  readonly #onApplyError: 'stop' | 'dlq';
  readonly #underway: Underway[] = [];
  /** The logs that others were made of, and how many of those are still needed. */
  readonly #origins = new Map<ChangeLog, { log: ChangeLog; needed: number }>();
  /** Taken over and not given out: the first large transaction goes to the dead-letter table as the source sent it. */
  #sparesLarge: boolean;
  #last: Promise<unknown> = Promise.resolve();

  /** `sparesLarge`: handlers have failed on the first transaction that is larger than memory, and it is to be put aside. */
  constructor(
    batcher: Batcher,
    script: Userscript,
    tables: TargetTables,
    options: { readonly onApplyError: 'stop' | 'dlq'; readonly sparesLarge: boolean },
  ) {
    this.#batcher = batcher;
    this.#script = script;
    this.#tables = tables;
    this.#onApplyError = options.onApplyError;
    this.#sparesLarge = options.sparesLarge;
    batcher.onWork = () => this.onWork();
  }

  /**
   * A transaction is applied ahead of its end only where no handler could see its rows: handlers see the rows of transactions
   * that were committed, in the order of their commits.
   */
  set onSpill(follow: (spilled: SpilledTransaction) => void) {
    this.#batcher.onSpill = this.#script.handlesEveryTable ? () => {} : follow;
  }

  get received(): number {
    return this.#batcher.received;
  }

  get hasChanges(): boolean {
    return this.#underway.length > 0 || this.#batcher.hasChanges;
  }

  get hasProgress(): boolean {
    return this.#underway.length === 0 && this.#batcher.hasProgress;
  }

  take(hurry: boolean, flushPeriod: number, progress: boolean): Work | undefined {
    while (this.#underway.length < AHEAD) {
      const first = this.#underway.length === 0;
      const work = this.#batcher.take(hurry && first, flushPeriod, progress && first);
      if (work === undefined) break;
      if (first && !this.#concerns(work)) return this.#marked(work);
      this.#enter(work);
    }
    const [head] = this.#underway;
    if (head?.failure !== undefined) throw head.failure;
    const work = head?.ready?.shift();
    if (head?.ready?.length === 0) this.#underway.shift();
    return work;
  }

  release(log: ChangeLog): void {
    const origin = this.#origins.get(log);
    if (origin === undefined) {
      this.#batcher.release(log);
      return;
    }
    this.#origins.delete(log);
    if (--origin.needed === 0) this.#batcher.release(origin.log);
  }

  /** Whether none of the tables is named by a handler. */
  plain(log: ChangeLog): boolean {
    return !log.tables.some((table) => this.#script.handles(table, this.#tables.catalogue) || this.#writes(log));
  }

  /** A piece of a transaction that was gathered on disk. @throws OperatorError SCRIPT_… */
  async transform(log: ChangeLog): Promise<ChangeLog> {
    if (this.#sparesLarge || !this.#handles(log)) return log;
    const { log: made, error } = await this.#through(log, 0, [log.length]);
    if (error !== undefined) throw error;
    return made;
  }

  /** To be called when a transaction that was gathered on disk is through. */
  spilledEnded(): void {
    this.#sparesLarge = false;
  }

  #handles(log: ChangeLog): boolean {
    const { catalogue } = this.#tables;
    return log.tables.some((table) => this.#script.handles(table, catalogue));
  }

  #writes(log: ChangeLog): boolean {
    const { catalogue } = this.#tables;
    return log.tables.some((table) => this.#script.writerOf(table, catalogue) !== undefined);
  }

  #concerns(work: Work): boolean {
    if (work.kind === 'chunk' && this.#sparesLarge) {
      if (work.last !== undefined) this.#sparesLarge = false;
      return false;
    }
    return (work.kind === 'batch' || work.kind === 'chunk') && this.#handles(work.log);
  }

  #marked(work: Work): Work {
    if (work.kind !== 'batch' && work.kind !== 'chunk') return work;
    return this.#writes(work.log) ? { ...work, writes: true } : work;
  }

  #enter(work: Work): void {
    const entry: Underway = { ready: undefined, failure: undefined };
    this.#underway.push(entry);
    if (!this.#concerns(work) || work.kind === 'progress' || work.kind === 'spilled') {
      entry.ready = [this.#marked(work)];
      return;
    }
    this.#last = this.#last.then(async () => {
      try {
        entry.ready = work.kind === 'batch' ? await this.#batch(work) : [await this.#chunk(work)];
      } catch (error) {
        entry.failure = error as Error;
      }
      this.onWork();
    });
  }

  async #batch(batch: Batch): Promise<Work[]> {
    const works: Batch[] = [];
    const { transactions, log } = batch;
    let next = 0;
    let start = 0;
    while (next < transactions.length) {
      const ends = transactions.slice(next).map(({ end }) => end);
      const done = await this.#through(log, start, ends);
      const through = transactions.slice(next, next + done.ends.length);
      if (done.log === log && through.length === transactions.length) return [this.#marked(batch)];
      if (through.length > 0) {
        const made = through.map((one, i): Transaction => ({ ...one, end: done.ends[i], count: done.counts[i] }));
        works.push(this.#marked({ kind: 'batch', log: done.log, transactions: made }) as Batch);
      }
      next += through.length;
      start = next === 0 ? 0 : transactions[next - 1].end;
      if (done.error === undefined) continue;
      works.push(refused(log, start, transactions[next], done.error));
      start = transactions[next++].end;
      if (this.#onApplyError === 'stop') break;
    }
    const origin = { log, needed: works.length };
    for (const work of works) this.#origins.set(work.log, origin);
    return works;
  }

  async #chunk(chunk: Chunk): Promise<Work> {
    const { log, last } = chunk;
    const done = await this.#through(log, 0, [log.length]);
    if (done.error !== undefined) return { ...chunk, refusal: done.error };
    if (done.log === log) return this.#marked(chunk);
    this.#origins.set(done.log, { log, needed: 1 });
    const end = last && { ...last, end: done.log.length, count: last.count };
    return this.#marked({ ...chunk, log: done.log, last: end });
  }

  /** A table that handlers name and that is not there may have been created a moment ago. */
  async #through(log: ChangeLog, start: number, ends: readonly number[]): Promise<Transformed> {
    const { catalogue } = this.#tables;
    const done = await this.#script.transform(log, start, ends, catalogue);
    if (done.error?.code !== 'SCRIPT_TABLE' || done.ends.length > 0) return done;
    await this.#tables.refresh();
    return this.#tables.catalogue === catalogue
      ? done
      : await this.#script.transform(log, start, ends, this.#tables.catalogue);
  }
}

/** A transaction that a handler failed on, as the source sent it. */
function refused(log: ChangeLog, start: number, transaction: Transaction, refusal: OperatorError): Batch {
  const own = Batcher.logOf(log, start, transaction.end);
  return { kind: 'batch', log: own, transactions: [{ ...transaction, end: own.length }], refusal };
}
