import { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { InputSplitter } from './input-splitter.ts';

/** What is needed of a terminal's input: `process.stdin` is one. */
export interface TerminalInput extends NodeJS.EventEmitter {
  readonly isTTY?: boolean;
  setRawMode?(enabled: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** How long the rest of an escape sequence may take on a slow line, in milliseconds. */
const SEQUENCE_TIME = 30;
/** A key is handed over after this time even if the one before has not been drawn, in milliseconds. */
const RENDER_TIME = 250;
const INTERRUPT = '\x03';

/**
 * The input for Ink. Over SSH and in tmux several keys arrive at once, and components that keep their state in a closure answer
 * each of them with the state before the first: so keys are handed over one by one, each after the one before has been
 * rendered. Ctrl-C goes ahead of everything that waits.
 */
export class OneKeyInput extends Readable {
  readonly isTTY = true;
  /** Resolves when what the last key changed is on the screen. To be set as soon as there is something that renders. */
  rendered: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve));

  private readonly source: TerminalInput;
  private readonly splitter = new InputSplitter();
  private readonly decoder = new StringDecoder('utf8');
  private waiting: string[] = [];
  private handing = false;
  private attached = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly onData = (chunk: Buffer | string) => this.receive(chunk);

  constructor(source: TerminalInput) {
    super({ objectMode: true, read: () => {} });
    this.source = source;
  }

  /** Keys are text already. */
  override setEncoding(): this {
    return this;
  }

  /** Takes the terminal (raw) or gives it back; what has been typed and not handed over is dropped with it. */
  setRawMode(enabled: boolean): this {
    this.source.setRawMode?.(enabled);
    if (enabled) this.attach();
    else this.detach();
    return this;
  }

  ref(): this {
    this.source.ref?.();
    return this;
  }

  unref(): this {
    this.source.unref?.();
    return this;
  }

  /** Resolves when everything that has come so far has been handed over and rendered. */
  async idle(): Promise<void> {
    while (this.handing || this.waiting.length > 0 || this.splitter.waits) await immediate();
  }

  private attach(): void {
    if (this.attached) return;
    this.attached = true;
    this.source.on('data', this.onData);
    this.source.resume();
  }

  private detach(): void {
    if (!this.attached) return;
    this.attached = false;
    this.source.off('data', this.onData);
    this.source.pause();
    clearTimeout(this.timer);
    this.splitter.flush();
    this.waiting = [];
  }

  private receive(chunk: Buffer | string): void {
    clearTimeout(this.timer);
    this.enqueue(this.splitter.push(typeof chunk === 'string' ? chunk : this.decoder.write(chunk)));
    if (this.splitter.waits) {
      this.timer = setTimeout(() => this.enqueue(this.splitter.flush()), SEQUENCE_TIME);
    }
  }

  private enqueue(keys: readonly string[]): void {
    const interrupt = keys.lastIndexOf(INTERRUPT);
    if (interrupt < 0) this.waiting.push(...keys);
    else this.waiting = keys.slice(interrupt);
    if (!this.handing && this.waiting.length > 0) void this.handOver();
  }

  private async handOver(): Promise<void> {
    this.handing = true;
    try {
      for (;;) {
        const key = this.waiting.shift();
        if (key === undefined) return;
        this.push(key);
        await this.wasRendered();
      }
    } finally {
      this.handing = false;
    }
  }

  /** Passing effects that a rendering has caused count as well: a component that has just come listens for keys only after them. */
  private async wasRendered(): Promise<void> {
    await immediate();
    await Promise.race([this.rendered(), elapsed(RENDER_TIME)]);
    await immediate();
  }
}

function immediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
