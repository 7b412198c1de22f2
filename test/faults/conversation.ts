import { type FaultBook, isCommit, type Statement } from './faults.ts';
import { copyFailFrame, errorFrame, executeFrames, frameType, queryFrame, readText } from './frames.ts';

const INJECTED = 'injected by the fault proxy';
const READY_FOR_QUERY = 'Z';
/** CopyInResponse and CopyBothResponse: without them the client would not send what the server waits for. */
const COPY_BEGINS = ['G', 'W'];

/** What becomes of one frame: the frames sent in its place; `cut` loses the connection after they were sent. */
interface Passage {
  frames: readonly Buffer[];
  cut?: boolean;
}

/** Rewrites the frames of one answer. */
type AnswerRewrite = (type: string, frame: Buffer) => Passage;

/**
 * What client and server say to each other on one connection, with faults worked in.
 *
 * The server answers every Query and every Sync with exactly one ReadyForQuery, in order. Counting both sides tells which
 * frames of the server belong to which request, however many requests the client has sent ahead.
 */
export class Conversation {
  readonly #faults: FaultBook;
  readonly #record: (sql: string) => void;
  readonly #prepared = new Map<string, string>();
  readonly #rewrites = new Map<number, AnswerRewrite>();
  /** Requests sent to the server; the answer to the startup packet is number 0. */
  #requests = 0;
  #answer = 0;
  /** The statement sent last and the number of its answer: data of a COPY belongs to it. */
  #last = { sql: '', answer: 0 };
  /** A fault took the place of the rest of an extended request: drop it, as a server does after an error. */
  #skipToSync = false;
  /** What the client has sent of the extended request that it is about to end with a Sync. */
  #sinceSync = { parses: 0, binds: 0 };
  #replacements = 0;

  constructor(faults: FaultBook, record: (sql: string) => void) {
    this.#faults = faults;
    this.#record = record;
  }

  fromClient(frame: Buffer): Passage {
    const type = frameType(frame);
    if (this.#skipToSync && type !== 'S' && type !== 'X') return { frames: [] };
    switch (type) {
      case 'Q': {
        const { text: sql } = readText(frame, 5);
        this.#record(sql);
        this.#requests += 1;
        this.#last = { sql, answer: this.#requests };
        return this.#work(frame, { kind: 'query', sql });
      }
      case 'P': {
        const name = readText(frame, 5);
        const { text: sql } = readText(frame, name.next);
        this.#record(sql);
        this.#prepared.set(name.text, sql);
        this.#sinceSync.parses += 1;
        return { frames: [frame] };
      }
      case 'B': {
        const portal = readText(frame, 5);
        const sql = this.#prepared.get(readText(frame, portal.next).text) ?? '';
        this.#last = { sql, answer: this.#requests + 1 };
        const passage = this.#work(frame, { kind: 'execute', sql });
        this.#sinceSync.binds += 1;
        return passage;
      }
      case 'c':
        return this.#work(frame, { kind: 'copyEnd', sql: this.#last.sql });
      case 'S':
      case 'F':
        this.#skipToSync = false;
        this.#sinceSync = { parses: 0, binds: 0 };
        this.#requests += 1;
        return { frames: [frame] };
      default:
        return { frames: [frame] };
    }
  }

  fromServer(frame: Buffer): Passage {
    const type = frameType(frame);
    const rewrite = this.#rewrites.get(this.#answer);
    if (type === READY_FOR_QUERY) {
      this.#rewrites.delete(this.#answer);
      this.#answer += 1;
    }
    return rewrite === undefined ? { frames: [frame] } : rewrite(type, frame);
  }

  #work(frame: Buffer, statement: Statement): Passage {
    const fault = this.#faults.faultFor(statement);
    if (fault === undefined) return { frames: [frame] };
    const { answer } = this.#last;
    switch (fault.kind) {
      case 'cut':
        return { frames: [], cut: true };
      case 'lostAnswer':
        this.#hideAnswer(answer, () => ({ frames: [], cut: true }));
        return { frames: [frame] };
      case 'ambiguous':
        this.#hideAnswer(answer, (ready) => ({ frames: [errorFrame('ERROR', fault.sqlstate, INJECTED), ready] }));
        return { frames: [frame] };
      case 'error':
        return statement.kind === 'copyEnd'
          ? this.#failCopy(fault.sqlstate, answer)
          : this.#failStatement(statement, fault.sqlstate, answer);
    }
  }

  #hideAnswer(answer: number, atItsEnd: (ready: Buffer) => Passage): void {
    this.#rewrites.set(answer, (type, frame) => {
      if (type === READY_FOR_QUERY) return atItsEnd(frame);
      return { frames: COPY_BEGINS.includes(type) ? [frame] : [] };
    });
  }

  #failCopy(sqlstate: string, answer: number): Passage {
    this.#rewrites.set(answer, (type, frame) =>
      type === 'E' && frame.includes(INJECTED) ? failure(sqlstate) : { frames: [frame] },
    );
    return { frames: [copyFailFrame(INJECTED)] };
  }

  /** Puts another statement in the place of this one, so that the server's session is in the state that the client believes. */
  #failStatement(statement: Statement, sqlstate: string, answer: number): Passage {
    const asRollback = isCommit(statement) && !endsSession(sqlstate);
    const instead = asRollback ? 'ROLLBACK' : raisingStatement(sqlstate);
    const { parses, binds } = this.#sinceSync;
    const extended = statement.kind === 'execute';
    let parsed = 0;
    let bound = 0;
    this.#rewrites.set(answer, (type, frame) => {
      const ours =
        (extended && type === '1' && ++parsed > parses) ||
        (extended && type === '2' && ++bound > binds) ||
        (asRollback && type === 'N'); // "there is no transaction in progress"
      if (ours) return { frames: [] };
      const rolledBack = asRollback && type === 'C' && readText(frame, 5).text === 'ROLLBACK';
      return rolledBack ? failure(sqlstate) : { frames: [frame] };
    });
    if (!extended) return { frames: [queryFrame(instead)] };
    this.#skipToSync = true;
    this.#replacements += 1;
    return { frames: executeFrames(`injected_${this.#replacements}`, instead) };
  }
}

function raisingStatement(sqlstate: string): string {
  const body = endsSession(sqlstate)
    ? 'PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60);'
    : `RAISE EXCEPTION '${INJECTED}' USING ERRCODE = '${sqlstate}';`;
  return `DO $$BEGIN ${body} END$$`;
}

function endsSession(sqlstate: string): boolean {
  return sqlstate === '57P01';
}

function failure(sqlstate: string): Passage {
  const cut = endsSession(sqlstate);
  return { frames: [errorFrame(cut ? 'FATAL' : 'ERROR', sqlstate, INJECTED)], cut };
}
