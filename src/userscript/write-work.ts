import { setImmediate as turn } from 'node:timers/promises';
import { CallReader } from './call-reader.ts';
import type { FromWorker, TablePlan, ToWorker } from './protocol.ts';
import type { ThrownText } from './realm/io.ts';
import { RowEncoder } from './row-encoder.ts';
import { problem, type Sandbox, ScriptFailure } from './sandbox.ts';
import type { Shapes } from './shapes.ts';

type WriteRequest = Extract<ToWorker, { kind: 'write' }>;

/** Takes rows through onWrite: one call at a time, which may ask the target for things. */
export class WriteWork {
  readonly #sandbox: Sandbox;
  readonly #reader: CallReader;
  readonly #encoder: RowEncoder;
  readonly #send: (message: FromWorker) => void;
  /** Requests to the target that are not answered. */
  #outstanding = 0;
  #wake: () => void = () => {};

  constructor(sandbox: Sandbox, shapes: Shapes, send: (message: FromWorker) => void) {
    this.#sandbox = sandbox;
    this.#reader = new CallReader(sandbox.io, true);
    this.#encoder = new RowEncoder(sandbox.io, shapes);
    this.#send = send;
  }

  answer(message: Extract<ToWorker, { kind: 'answer' | 'refuse' }>): void {
    this.#outstanding--;
    if (message.kind === 'answer') this.#sandbox.realm.answer(message.request, message.rows);
    else this.#sandbox.realm.refuse(message.request, message.message);
    this.#wake();
  }

  async do(
    request: WriteRequest,
    planOf: (id: number) => TablePlan | undefined,
    tellEvents: (skip: Handle) => void,
  ): Promise<void> {
    const { realm } = this.#sandbox;
    const buffer = Buffer.from(request.buffer.buffer, request.buffer.byteOffset, request.buffer.byteLength);
    const reader = this.#reader;
    reader.read(buffer, 0, buffer.length, (table) => planOf(request.plans[table]), Number.POSITIVE_INFINITY);
    const { handler, target, schema, table, columns } = request;
    const { plans, calls, at, before, length } = reader;
    const started = this.#sandbox.counters;
    const clock = performance.now();
    realm.write({ plans, calls, at, before, length, handler, target, schema, table, columns });
    let ended: { error: ThrownText | undefined } | undefined;
    const handle: Handle = (kind, number, content) => {
      if (kind === 'done') ended = { error: undefined };
      else if (kind === 'failed') ended = { error: content as ThrownText };
      else {
        this.#outstanding++;
        this.#ask(kind, number as number, content);
      }
    };
    for (;;) {
      // In the next turn everything that the script could do by itself is done.
      await turn();
      tellEvents(handle);
      if (ended !== undefined && this.#outstanding === 0) break;
      if (ended === undefined && this.#outstanding === 0) {
        const message = 'the promise that it returned can never be settled: nothing is under way that could do it';
        ended = { error: { ...problem('SCRIPT_NEVER_ENDS', message), handler: 'onWrite', table: target } };
        break;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    realm.over();
    this.#sandbox.addTime(started, performance.now() - clock);
    this.#send({ kind: 'written', id: request.id, error: ended.error });
  }

  #ask(kind: string, request: number, content: unknown): void {
    if (kind === 'put') {
      try {
        this.#encoder.encodeWritten(content as readonly unknown[]);
        const { writer, tables } = this.#encoder;
        const buffer = Uint8Array.prototype.slice.call(writer.buffer, 0, writer.length);
        this.#send({ kind: 'put', request, buffer, count: writer.count, tables: tables.list });
      } catch (failure) {
        if (!(failure instanceof ScriptFailure)) throw failure;
        const { code, message } = failure.thrown;
        this.answer({ kind: 'refuse', request, message: `${code}: ${message}` });
      }
      return;
    }
    const [sql, ...params] = JSON.parse(content as string) as [string, ...(string | null)[]];
    this.#send({ kind: kind as 'query' | 'exec', request, sql, params });
  }
}

/** Is told an event of the realm. */
export type Handle = (kind: string, number: unknown, content: unknown) => void;
