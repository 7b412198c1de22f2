import type { Socket } from 'node:net';
import { type AnswerResult, type BindValue, OraError } from './answer.ts';
import { Dropped, type Faults } from './faults.ts';
import { readDataTypes, readFastAuth, readProtocol, writeDataTypes, writeProtocol } from './handshake.ts';
import { Logon, readLogon, writePairs } from './logon.ts';
import { FUNCTION, MESSAGE, PIGGYBACK, writeEnd, writeStatus } from './messages.ts';
import { Statements, type StatementSession } from './statements.ts';
import { MARKER, TnsConnection, type TnsHandler } from './tns.ts';
import { Reader, Writer } from './wire.ts';

/** What a server of some version has. */
export interface Features {
  readonly tnsVersion: number;
  readonly fieldVersion: number;
  readonly fastAuth: boolean;
  readonly endOfResponse: boolean;
  /** Major and minor version, as in 19.28. */
  readonly release: readonly [number, number];
}

/** What a session asks of its server. */
export interface SessionHost {
  readonly features: Features;
  readonly faults: Faults;
  /** The user under the name that the server knows, and the password. */
  user(name: string): { readonly name: string; readonly password: string } | undefined;
  service(name: string): string | undefined;
  /** The error with which the listener refuses every connection. */
  readonly refusal: number | undefined;
  answer(session: Session, sql: string, binds: readonly BindValue[]): Promise<AnswerResult>;
  alterSession(session: Session, sql: string): void;
  /** Notes something that the double does not know. */
  note(text: string): void;
  gone(session: Session): void;
}

/** One connection of a client, from its first packet to its last. */
export class Session implements TnsHandler, StatementSession {
  readonly id: number;
  readonly settings = new Map<string, string>();
  readonly state = new Map<string, unknown>();
  onCommit?: () => void;
  onRollback?: () => void;
  user = '';
  service = '';
  fieldVersion: number;
  inTransaction = false;

  readonly #host: SessionHost;
  readonly #tns: TnsConnection;
  readonly #w = new Writer();
  readonly #statements: Statements;
  #endOfResponse = false;
  #logon: Logon | undefined;
  /** Messages that are received, and not answered. */
  #pending = 0;
  #queue: Promise<void> = Promise.resolve();
  /** Stops the call that is under way. */
  #stop: PromiseWithResolvers<never> | undefined;
  #interrupted = false;
  /** Sends the error of which a break has told, once the client is ready for it. */
  #afterReset: (() => void) | undefined;

  constructor(id: number, socket: Socket, host: SessionHost) {
    this.id = id;
    this.#host = host;
    this.fieldVersion = host.features.fieldVersion;
    this.#statements = new Statements(this, this.#w);
    this.#tns = new TnsConnection(socket, this);
  }

  destroy(): void {
    this.#tns.destroy();
  }

  connect(descriptor: string): void {
    const named = /SERVICE_NAME=([^)]*)/i.exec(descriptor);
    const service = this.#host.service((named ?? /SID=([^)]*)/i.exec(descriptor))?.[1] ?? '');
    if (this.#host.refusal !== undefined) {
      this.#tns.refuse(this.#host.refusal);
    } else if (service === undefined) {
      this.#tns.refuse(named === null ? 12505 : 12514);
    } else {
      this.service = service;
      this.#tns.accept(this.#host.features.tnsVersion, this.#host.features);
    }
  }

  closed(): void {
    this.#stop?.reject(new Dropped());
    this.#statements.closeAll();
    if (this.inTransaction) this.rollback();
    this.#host.gone(this);
  }

  marker(kind: number): void {
    if (kind === MARKER.RESET) {
      this.#tns.marker(MARKER.RESET);
      const send = this.#afterReset;
      this.#afterReset = undefined;
      send?.();
    } else if (this.#stop !== undefined) {
      this.#stop.reject(this.#cancelled());
    } else if (this.#pending > 0) {
      this.#interrupted = true;
    } else if (this.#afterReset === undefined) {
      // The call's answer and the client's interrupt have passed each other: the client waits for an error all the same.
      this.#fail(this.#cancelled());
    }
  }

  #cancelled(): OraError {
    return new OraError(1013, 'user requested cancel of current operation.');
  }

  message(bytes: Buffer): void {
    this.#pending++;
    this.#queue = this.#queue
      .then(() => this.#read(new Reader(bytes)))
      .catch((error: unknown) => {
        this.#host.note(`a message of the driver: ${error}`);
        this.destroy();
      })
      .finally(() => {
        this.#pending--;
      });
  }

  async #read(r: Reader): Promise<void> {
    const w = this.#w;
    while (r.left > 0) {
      const type = r.u8();
      w.truncate(0);
      if (type === MESSAGE.PROTOCOL) {
        readProtocol(r);
        writeProtocol(w, this.fieldVersion);
        this.#tns.data(w.view(), false);
      } else if (type === MESSAGE.DATA_TYPES) {
        const agreed = readDataTypes(r, this.fieldVersion);
        this.fieldVersion = agreed.fieldVersion;
        writeDataTypes(w, agreed);
        this.#tns.data(w.view(), false);
        this.#endOfResponse = this.#host.features.endOfResponse;
      } else if (type === MESSAGE.FAST_AUTH) {
        const { agreed, call } = readFastAuth(r, this.fieldVersion);
        this.fieldVersion = agreed.fieldVersion;
        this.#endOfResponse = this.#host.features.endOfResponse;
        writeProtocol(w, this.fieldVersion);
        writeDataTypes(w, agreed);
        return this.#call(call, r);
      } else if (type === MESSAGE.PIGGYBACK) {
        this.#piggyback(this.#function(r), r);
      } else if (type === MESSAGE.FUNCTION) {
        return this.#call(this.#function(r), r);
      } else {
        throw new TypeError(`messages of the type ${type} are not imitated`);
      }
    }
  }

  #function(r: Reader): number {
    const code = r.u8();
    r.u8();
    if (this.fieldVersion >= 18) r.integer();
    return code;
  }

  async #call(code: number, r: Reader): Promise<void> {
    this.#stop = Promise.withResolvers<never>();
    // It is raced against what the call waits for; a call that waits for nothing must not leave it unhandled.
    this.#stop.promise.catch(() => {});
    this.#statements.current = undefined;
    try {
      if (this.#interrupted) throw this.#cancelled();
      await this.#dispatch(code, r);
      this.#send();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#stop = undefined;
      this.#interrupted = false;
    }
  }

  async #dispatch(code: number, r: Reader): Promise<void> {
    switch (code) {
      case FUNCTION.EXECUTE:
        return this.#statements.execute(r);
      case FUNCTION.REEXECUTE:
      case FUNCTION.REEXECUTE_AND_FETCH:
        return this.#statements.reexecute(r, code === FUNCTION.REEXECUTE_AND_FETCH);
      case FUNCTION.FETCH:
        return this.#statements.fetch(r);
      case FUNCTION.CHALLENGE:
        this.#challenge(r);
        break;
      case FUNCTION.LOGON:
        this.#verify(r);
        break;
      case FUNCTION.COMMIT:
        await this.before('COMMIT', false);
        this.commit();
        break;
      case FUNCTION.ROLLBACK:
        await this.before('ROLLBACK', false);
        this.rollback();
        break;
      case FUNCTION.PING:
      case FUNCTION.LOGOFF:
        break;
      default:
        throw new TypeError(`calls of the function ${code} are not imitated`);
    }
    writeStatus(this.#w, this.inTransaction);
  }

  #send(): void {
    if (this.#endOfResponse) this.#w.u8(MESSAGE.END_OF_RESPONSE);
    this.#tns.data(this.#w.view(), this.#endOfResponse);
  }

  /** Real servers tell of an error by a break, and send it once the client has answered with a reset. */
  #fail(error: unknown): void {
    if (error instanceof Dropped) {
      if (this.#w.length > 0) this.#tns.data(this.#w.view(), false);
      this.#tns.destroySoon();
      return;
    }
    const cursor = this.#statements.current;
    if (!(error instanceof OraError)) this.#host.note(`${cursor?.sql ?? 'a call'}: ${error}`);
    const known = error instanceof OraError ? error : new OraError(600, `internal error code, arguments: [${error}]`);
    this.#afterReset = () => {
      const { inTransaction, fieldVersion } = this;
      this.#w.truncate(0);
      writeEnd(this.#w, { inTransaction, fieldVersion, cursor: cursor?.id ?? 0, rows: 0, error: known });
      this.#send();
    };
    this.#tns.marker(MARKER.BREAK);
  }

  #piggyback(code: number, r: Reader): void {
    if (code === PIGGYBACK.CLOSE_CURSORS || code === PIGGYBACK.CANCEL_CURSORS) {
      r.u8();
      for (let count = r.integer(); count > 0; count--) {
        const id = r.integer();
        if (code === PIGGYBACK.CLOSE_CURSORS) this.#statements.close(id);
        else this.#statements.cancel(id);
      }
    } else if (code === PIGGYBACK.SCHEMA) {
      r.u8();
      r.integer();
      this.settings.set('CURRENT_SCHEMA', r.text());
    } else if (code === PIGGYBACK.END_TO_END) {
      this.#endToEnd(r);
    } else {
      throw new TypeError(`piggybacks of the function ${code} are not imitated`);
    }
  }

  /** Client identifier, module, action and so on: read over, as nothing asks for them. */
  #endToEnd(r: Reader): void {
    let texts = 0;
    const text = () => {
      r.u8();
      if (r.integer() > 0) texts++;
    };
    r.skip(2);
    r.integer();
    for (let at = 0; at < 4; at++) text();
    r.u8();
    r.integer();
    text();
    for (let at = 0; at < 2; at++) {
      r.u8();
      r.integer();
    }
    text();
    for (; texts > 0; texts--) r.bytes();
  }

  #challenge(r: Reader): void {
    const { user } = readLogon(r);
    const known = this.#host.user(user);
    this.#logon = new Logon(known?.name ?? user, known?.password);
    writePairs(this.#w, this.#logon.challenge());
  }

  #verify(r: Reader): void {
    const { values } = readLogon(r);
    const proof = this.#logon?.verify(values);
    if (this.#logon === undefined || proof === undefined) {
      throw new OraError(1017, 'invalid username/password; logon denied');
    }
    this.user = this.#logon.user;
    const [major, minor] = this.#host.features.release;
    writePairs(this.#w, [
      ['AUTH_VERSION_STRING', '- Production'],
      ['AUTH_VERSION_NO', String((major << 24) | (minor << 16))],
      ['AUTH_SC_DB_DOMAIN', ''],
      ['AUTH_SC_SERVICE_NAME', this.service],
      ['AUTH_DBNAME', this.service],
      ['AUTH_MAX_OPEN_CURSORS', '300'],
      ['AUTH_MAX_IDEN_LENGTH', '128'],
      ['AUTH_SESSION_ID', String(this.id)],
      ['AUTH_SERIAL_NUM', '1'],
      proof,
    ]);
    const alter = values.get('AUTH_ALTER_SESSION')?.replaceAll('\0', '');
    if (alter !== undefined) this.#host.alterSession(this, alter);
  }

  before(sql: string, isQuery: boolean): Promise<number | undefined> {
    return this.#host.faults.before(sql, isQuery, (work) => this.#waitFor(work));
  }

  answer(sql: string, binds: readonly BindValue[]): Promise<AnswerResult> {
    return this.#waitFor(this.#host.answer(this, sql, binds));
  }

  #waitFor<T>(work: Promise<T>): Promise<T> {
    return this.#stop === undefined ? work : Promise.race([work, this.#stop.promise]);
  }

  commit(): void {
    this.inTransaction = false;
    this.onCommit?.();
  }

  rollback(): void {
    this.inTransaction = false;
    this.onRollback?.();
  }
}
