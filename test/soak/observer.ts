import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { processorSeconds } from '../bench/process-usage.ts';
import type { Engine } from '../harness/engine.ts';
import { Counters } from './counters.ts';
import type { LiveHeap } from './live-heap.ts';

/** What a process has open. */
export interface Open {
  /** File descriptors in all. */
  readonly descriptors: number;
  /** Connections, accepted ones included. */
  readonly sockets: number;
  /** Temporary files: they have no name any more, or are still in the data directory. */
  readonly temporary: number;
}

/** Follows the process of an engine from outside: /proc (so on Linux alone) and its endpoint. */
export class Observer {
  /** Resident memory, in bytes, at each look. */
  readonly resident: number[] = [];
  /** What is left of the heap after a collection, in bytes, at each measurement. */
  readonly live: number[] = [];
  readonly counters = new Counters();
  /** The most that was open at any look. */
  most: Open = { descriptors: 0, sockets: 0, temporary: 0 };
  /** Seconds between the newest transaction and its arrival, at the last look. */
  lag = 0;
  readonly #engine: Engine;
  readonly #heap: LiveHeap;
  readonly #dataDir: string;

  constructor(engine: Engine, heap: LiveHeap, dataDir: string) {
    this.#engine = engine;
    this.#heap = heap;
    this.#dataDir = dataDir;
  }

  /** One look, which is added to the record. */
  async look(): Promise<void> {
    const { status, body } = await this.#engine.fetch('/_/varz');
    if (status !== 200) throw new Error(`/_/varz answered ${status}: ${body}`);
    this.counters.see(body);
    this.lag = gauge(body, 'source_commit_to_apply_lag_seconds');
    this.resident.push(this.#resident());
    const open = this.open();
    this.most = {
      descriptors: Math.max(this.most.descriptors, open.descriptors),
      sockets: Math.max(this.most.sockets, open.sockets),
      temporary: Math.max(this.most.temporary, open.temporary),
    };
  }

  /** Measures what is no garbage; more seldom than one looks, as a collection costs tens of milliseconds. */
  async measureHeap(): Promise<void> {
    this.live.push(await this.#heap.measure());
  }

  /** What is open now. */
  open(): Open {
    const folder = `/proc/${this.#engine.pid}/fd`;
    const targets = readdirSync(folder).map((descriptor) => {
      try {
        return readlinkSync(`${folder}/${descriptor}`);
      } catch {
        return ''; // closed while we were looking
      }
    });
    return {
      descriptors: targets.length,
      sockets: targets.filter((target) => target.startsWith('socket:')).length,
      temporary: targets.filter((target) => target.endsWith(' (deleted)')).length + readdirSync(this.#dataDir).length,
    };
  }

  /** Seconds of processor time that the engine has used. */
  get processor(): number {
    return processorSeconds(this.#engine.pid) ?? 0;
  }

  /** Lines that the engine has logged so far. */
  get lines(): number {
    return this.#engine.log.split('\n').length - 1;
  }

  #resident(): number {
    const status = readFileSync(`/proc/${this.#engine.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }
}

/** The largest value of a gauge over its labels; 0 when it is not there. */
function gauge(exposition: string, name: string): number {
  const values = Array.from(
    exposition.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm')),
    ([, value]) => +value,
  );
  return Math.max(0, ...values);
}
