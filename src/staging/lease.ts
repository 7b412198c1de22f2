import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../errors.ts';
import type { Logger } from '../log/logger.ts';
import type { Queryable } from '../target/dialect.ts';
import { qualify, type SchemaName } from '../target/identifiers.ts';
import { describeHolder, isGone } from './holder.ts';
import type { StagingSchema } from './staging-schema.ts';

/** Milliseconds that a lease lives unless it is renewed, by the server's clock. */
const LIFETIME = 5000;
const RENEW_EVERY = 1000;
/** The holder gives up this much earlier than the server lets others in, for the time that an answer takes. */
const GUARD = 500;
/** Waits after a failed renewal, and between looks at somebody else's lease. */
const RETRY = 250;
const POLL = 500;
/** Longest waits for the server: to renew, to look while on standby, to look at the start. */
const RENEW_ATTEMPT = 1500;
const STANDBY_ATTEMPT = 3000;
const FIRST_ATTEMPT = 10_000;
/** What a renewal gets that comes too late because the process itself was held up: nobody may have noticed. */
const LATE_ATTEMPT = 500;

/** A connection for the lease alone. */
export interface LeaseConnection extends Queryable {
  on(event: 'error', listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

export interface LeaseOptions {
  readonly staging: StagingSchema;
  /** `leaseName(…)`. */
  readonly name: string;
  /** Opens a connection; called again after each loss. */
  readonly connect: () => Promise<LeaseConnection>;
  /** Wait for as long as another process holds the lease. */
  readonly standby: boolean;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
  /**
   * Called once when the lease is no longer ours: LEASE_TAKEN when another process has it, LEASE_EXPIRED (transient) when it
   * could not be renewed in time. Writing must stop.
   */
  readonly onLost: (error: OperatorError) => void;
  /** Another process is found to hold it; called again when that changes. */
  readonly onWait?: (holder: string) => void;
  readonly log: Logger;
  /** How the holder is named to others; this host and process unless given. */
  readonly holder?: string;
}

interface Held {
  readonly holder: string;
  readonly nonce: string;
  readonly expires: string;
}

/** One lease for a kind of source and a target schema, by whatever spelling the schema was given. */
export function leaseName(kind: string, target: SchemaName): string {
  return `instar.${kind}.${target.database}.${target.schema}`;
}

/**
 * Who holds the lease and renews it; undefined when nobody does. Takes nothing. A lease that is there takes a moment: it may be
 * the last one of a process that has just died.
 */
export async function leaseHolder(
  client: Queryable,
  staging: StagingSchema,
  name: string,
): Promise<string | undefined> {
  const read = async () => {
    const found = await client.query<{ holder: string; expires: string }>(
      `SELECT "hostname" AS holder, "expires"::TEXT AS expires FROM ${qualify(staging.name, 'leases')} ` +
        `WHERE "name" = $1::TEXT AND "expires" > ${NOW}`,
      [name],
    );
    return found.rows[0];
  };
  const first = await read();
  if (first === undefined || isGone(first.holder)) return undefined;
  await sleep(2 * RENEW_EVERY);
  const second = await read();
  return second === undefined || second.expires === first.expires ? undefined : second.holder;
}

/**
 * The right to be the only process that replicates into a target schema. Time is the server's alone: clocks of machines are
 * never compared.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #nonce = randomUUID();
  readonly #holder: string;
  readonly #table: string;
  readonly #ended = new AbortController();
  #connection: LeaseConnection | undefined;
  /** When the last successful renewal was sent, by this process's monotonic clock. */
  #renewed = 0;
  #lost = false;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(options: LeaseOptions) {
    this.#options = options;
    this.#holder = options.holder ?? describeHolder();
    this.#table = qualify(options.staging.name, 'leases');
  }

  /**
   * Takes the lease, at once when it is free, has run out, or its holder is certain to be gone. A lease that nobody renews
   * is waited for, as after a crash; one that is renewed by another process is waited for only on `standby`.
   * @throws OperatorError LEASE_HELD that names the holder; the reason of `signal` when it aborts.
   */
  static async acquire(options: LeaseOptions): Promise<Lease> {
    const lease = new Lease(options);
    try {
      await lease.#wait();
    } catch (error) {
      lease.#drop();
      throw error;
    }
    lease.#renewing = lease.#keep();
    return lease;
  }

  /** Gives the lease back, so that another process need not wait for it to run out. */
  async release(): Promise<void> {
    this.#ended.abort();
    await this.#renewing;
    if (this.#lost) return;
    try {
      await this.#query(
        `DELETE FROM ${this.#table} WHERE "name" = $1::TEXT AND "nonce" = $2::UUID`,
        [this.#options.name, this.#nonce],
        RENEW_ATTEMPT,
      );
    } catch (error) {
      this.#options.log.debug('the lease was not given back, it runs out by itself', {
        error: (error as Error).message,
      });
    }
    this.#drop();
  }

  async #wait(): Promise<void> {
    const { log, name, signal, standby } = this.#options;
    let seen: Held | undefined;
    for (;;) {
      signal?.throwIfAborted();
      let held: Held | undefined;
      try {
        held = await this.#take(seen !== undefined && isGone(seen.holder) ? seen.nonce : undefined);
        if (held === undefined) return;
      } catch (error) {
        if (!standby) throw error;
        log.warn('cannot look at the lease, trying again', { lease: name, error: (error as Error).message });
      }
      if (held !== undefined) {
        const renewed = seen?.nonce === held.nonce && seen.expires !== held.expires;
        if (renewed && !standby) throw leaseHeld(name, held);
        if (seen?.nonce !== held.nonce) {
          this.#options.onWait?.(held.holder);
          log.info(
            standby ? 'on standby: another process replicates' : 'waiting whether the last process is still there',
            {
              lease: name,
              holder: held.holder,
              expires: held.expires,
            },
          );
          seen = held;
          if (isGone(held.holder)) continue;
        }
        seen = held;
      }
      await sleep(POLL, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Takes the lease if it may, whoever has it if that is under `gone`; else tells who holds it. */
  async #take(gone: string | undefined): Promise<Held | undefined> {
    const started = performance.now();
    const taken = await this.#query(
      `INSERT INTO ${this.#table} AS l ("name", "expires", "nonce", "hostname") ` +
        `VALUES ($1::TEXT, ${NOW} + ${LIFE}, $2::UUID, $3::TEXT) ON CONFLICT ("name") DO UPDATE ` +
        'SET "expires" = excluded."expires", "nonce" = excluded."nonce", "hostname" = excluded."hostname" ' +
        `WHERE l."expires" < ${NOW} OR l."nonce" = $4::UUID RETURNING "name"`,
      [this.#options.name, this.#nonce, this.#holder, gone ?? this.#nonce],
      this.#patience(),
    );
    if (taken.rows.length > 0) {
      this.#renewed = started;
      return undefined;
    }
    const found = await this.#holderNow();
    return found ?? this.#take(gone);
  }

  async #holderNow(): Promise<Held | undefined> {
    const found = await this.#query(
      `SELECT "hostname" AS holder, "nonce"::TEXT AS nonce, "expires"::TEXT AS expires FROM ${this.#table} WHERE "name" = $1::TEXT`,
      [this.#options.name],
      this.#patience(),
    );
    return found.rows[0];
  }

  /** Milliseconds to wait for an answer while the lease is not ours. */
  #patience(): number {
    return this.#options.standby ? STANDBY_ATTEMPT : FIRST_ATTEMPT;
  }

  /** Renews until released or lost. */
  async #keep(): Promise<void> {
    const { signal } = this.#ended;
    let pause = RENEW_EVERY;
    while (!signal.aborted) {
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const started = performance.now();
      const left = LIFETIME - GUARD - (started - this.#renewed);
      try {
        const renewed = await this.#query(
          `UPDATE ${this.#table} SET "expires" = ${NOW} + ${LIFE} WHERE "name" = $1::TEXT AND "nonce" = $2::UUID RETURNING "name"`,
          [this.#options.name, this.#nonce],
          left > LATE_ATTEMPT ? Math.min(RENEW_ATTEMPT, left) : LATE_ATTEMPT,
        );
        if (renewed.rows.length === 0) return this.#lose(leaseTaken(this.#options.name, await this.#successor()));
        this.#renewed = started;
        pause = RENEW_EVERY;
      } catch (error) {
        if (performance.now() - this.#renewed >= LIFETIME - GUARD - RETRY) {
          return this.#lose(leaseExpired(this.#options.name, error));
        }
        this.#options.log.debug('the lease was not renewed, trying again', { error: (error as Error).message });
        pause = RETRY;
      }
    }
  }

  /** Who has the lease now; only for the message. */
  async #successor(): Promise<string> {
    const held = await this.#holderNow().catch(() => undefined);
    return held?.holder ?? 'another process';
  }

  #lose(error: OperatorError): void {
    this.#lost = true;
    this.#ended.abort();
    this.#drop();
    this.#options.onLost(error);
  }

  /** One statement, on a new connection after a loss. Without an answer in `timeout` ms the connection is given up. */
  async #query(text: string, values: readonly string[], timeout: number): Promise<{ rows: Held[] }> {
    let abandoned = false;
    const asked = this.#open(() => abandoned).then((connection) => connection.query<Held>(text, [...values]));
    const answered = new AbortController();
    const late = sleep(timeout, undefined, { signal: answered.signal }).then(() => {
      throw new Error(`no answer from the staging database within ${timeout} ms`);
    });
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      abandoned = true;
      this.#drop();
      throw error;
    } finally {
      answered.abort();
      // The slower of the two may still fail; nobody waits for it any more.
      asked.catch(() => undefined);
      late.catch(() => undefined);
    }
  }

  async #open(abandoned: () => boolean): Promise<LeaseConnection> {
    if (this.#connection !== undefined) return this.#connection;
    const connection = await this.#options.connect();
    connection.on('error', () => {
      if (this.#connection === connection) this.#connection = undefined;
    });
    if (abandoned()) {
      connection.end().catch(() => undefined);
      throw new Error('the connection came too late');
    }
    this.#connection = connection;
    return connection;
  }

  #drop(): void {
    this.#connection?.end().catch(() => undefined);
    this.#connection = undefined;
  }
}

/** The server's clock, in the zone-less UTC that the column holds. */
const NOW = "(clock_timestamp() AT TIME ZONE 'UTC')";
const LIFE = `INTERVAL '${LIFETIME} milliseconds'`;

function leaseHeld(name: string, held: Held): OperatorError {
  return new OperatorError(
    'LEASE_HELD',
    `another process already replicates into this target schema: ${held.holder} holds the lease ${name} until ${held.expires} UTC and renews it`,
    { fix: 'stop that process, or start this one with --standby to take over when it ends' },
  );
}

function leaseTaken(name: string, holder: string): OperatorError {
  return new OperatorError(
    'LEASE_TAKEN',
    `the lease ${name} was taken over by ${holder}; this process stops, so that only one writes`,
    { fix: 'nothing, if the takeover was meant; start with --standby to be the next in line' },
  );
}

function leaseExpired(name: string, cause: unknown): OperatorError {
  return new OperatorError(
    'LEASE_EXPIRED',
    `the lease ${name} could not be renewed within ${LIFETIME / 1000} s: ${cause instanceof Error ? cause.message : String(cause)}; another process may take over`,
    { transient: true, cause },
  );
}
