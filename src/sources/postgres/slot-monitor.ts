import type { Client } from 'pg';
import type { Logger } from '../../log/logger.ts';
import { closeClient } from './replication-connection.ts';
import { readSettings } from './server-settings.ts';
import { readSlot, type SlotFacts } from './slot.ts';
import type { PostgresStatus } from './status.ts';

/** Milliseconds between two looks at the slot. */
const INTERVAL = 10_000;

/**
 * Watches the slot on a connection of its own: what it makes the source keep, and whether the source is about to give it
 * up. It only informs: when it cannot look, the stream goes on.
 */
export class SlotMonitor {
  readonly #connect: () => Promise<Client>;
  readonly #slot: string;
  readonly #status: PostgresStatus;
  readonly #answerTimeout: number;
  readonly #log: Logger;
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<SlotFacts | undefined> | undefined;
  #walStatus: string | undefined;
  #stopped = false;

  /** @param answerTimeout milliseconds that the server is given to answer */
  constructor(
    connect: () => Promise<Client>,
    slot: string,
    status: PostgresStatus,
    answerTimeout: number,
    log: Logger,
  ) {
    this.#connect = connect;
    this.#slot = slot;
    this.#status = status;
    this.#answerTimeout = answerTimeout;
    this.#log = log;
  }

  /** Looks now and then every ten seconds. */
  start(): void {
    const look = async () => {
      try {
        await this.#look();
      } catch (error) {
        this.#log.debug('cannot look at the replication slot', { slot: this.#slot, error: String(error) });
      }
      if (!this.#stopped) this.#timer = setTimeout(look, INTERVAL);
    };
    void look();
  }

  /** True when the server has the slot in use by the process `pid`. Rejects when the server does not answer. */
  async isServed(pid: number): Promise<boolean> {
    return (await this.#look())?.activePid === pid;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#drop();
  }

  /** Reads the slot, once for all that ask meanwhile. */
  #look(): Promise<SlotFacts | undefined> {
    this.#looking ??= this.#read().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #read(): Promise<SlotFacts | undefined> {
    const answer = this.#ask();
    answer.catch(() => {}); // it may fail after the time is up
    const timeUp = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeUp.reject(new Error('no answer')), this.#answerTimeout);
    try {
      const slot = await Promise.race([answer, timeUp.promise]);
      if (slot !== undefined) this.#report(slot);
      return slot;
    } catch (error) {
      void this.#drop();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #ask(): Promise<SlotFacts | undefined> {
    if (this.#client === undefined) {
      const client = await this.#connect();
      client.on('error', () => {
        if (this.#client === client) this.#client = undefined;
      });
      if (this.#stopped) {
        await closeClient(client);
        return undefined;
      }
      this.#client = client;
    }
    const client = this.#client;
    const slot = await readSlot(client, this.#slot);
    if (slot !== undefined) {
      const { maxSlotWalKeepSize: limit } = await readSettings(client);
      this.#status.retention = {
        limitBytes: limit === -1 ? undefined : limit,
        safeBytes: slot.safeBytes,
        walStatus: slot.walStatus,
      };
    }
    return slot;
  }

  async #drop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await closeClient(client);
  }

  #report(slot: SlotFacts): void {
    this.#status.headAt(slot.current.value);
    if (slot.restart !== undefined) {
      this.#status.retainedBytes = Math.max(0, Number(slot.current.value - slot.restart.value));
    }
    if (slot.walStatus === this.#walStatus) return;
    this.#walStatus = slot.walStatus;
    const fields = { slot: slot.name, retainedBytes: this.#status.retainedBytes };
    if (slot.walStatus === 'unreserved') {
      this.#log.warn(
        'the source is about to remove log that the replication slot needs: apply faster or raise max_slot_wal_keep_size',
        { ...fields, code: 'PG_SLOT_AT_RISK' },
      );
    } else if (slot.walStatus === 'lost') {
      this.#log.error(
        'the source has removed log that the replication slot needs: once disconnected, it cannot go on',
        { ...fields, code: 'PG_SLOT_LOST' },
      );
    }
  }
}
