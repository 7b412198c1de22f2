import type { Engine } from '../harness/engine.ts';

/** What an answer of the inspector's protocol holds for us. */
interface Answer {
  readonly id?: number;
  readonly result?: { readonly usedSize?: number };
  readonly error?: { readonly message: string };
}

const ANSWER_LIMIT = 20_000;

/** Put into NODE_OPTIONS, opens the inspector of a process on a free loopback port, which the process then writes to its log. */
export const INSPECTED = '--inspect=127.0.0.1:0';

/**
 * Tells how much memory a process holds that is not garbage. What V8 has in use says little: it lets garbage lie for as long as there
 * is room. So a collection is asked for first, over the inspector (https://chromedevtools.github.io/devtools-protocol/v8/).
 */
export class LiveHeap {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.resolve(answer);
    });
    socket.addEventListener('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the inspector has closed the connection'));
    });
  }

  /** Opens the inspector of an engine that was started with INSPECTED. */
  static async open(engine: Engine): Promise<LiveHeap> {
    const [, address] = await engine.waitForLog(/Debugger listening on (ws:\S+)/);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`${address} cannot be opened`)), { once: true });
    });
    return new LiveHeap(socket);
  }

  /** Bytes that are left after a collection. The contents of buffers lie elsewhere: the resident memory tells of them. */
  async measure(): Promise<number> {
    await this.#ask('HeapProfiler.collectGarbage');
    const { usedSize } = (await this.#ask('Runtime.getHeapUsage')).result ?? {};
    if (usedSize === undefined) throw new Error('the inspector does not tell how much is used');
    return usedSize;
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string): Promise<Answer> {
    const id = ++this.#asked;
    const answered = Promise.withResolvers<Answer>();
    this.#waiting.set(id, answered);
    const timer = setTimeout(() => answered.reject(new Error(`no answer to ${method}`)), ANSWER_LIMIT);
    try {
      this.#socket.send(JSON.stringify({ id, method }));
      const answer = await answered.promise;
      if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }
}
