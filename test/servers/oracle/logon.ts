import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import { MESSAGE } from './messages.ts';
import type { Reader, Writer } from './wire.ts';

/** What the client sends with a call of the logon. */
export interface LogonRequest {
  readonly user: string;
  readonly values: ReadonlyMap<string, string>;
}

type Pair = readonly [name: string, value: string, flags?: number];

/** The verifier of passwords since 12c: PBKDF2 with SHA-512. */
const VERIFIER = 0x4815;
const ROUNDS = 4096;
const KEY_ROUNDS = 3;

export function readLogon(r: Reader): LogonRequest {
  const hasUser = r.u8() !== 0;
  r.skipIntegers(2);
  r.u8();
  const count = r.integer();
  r.skip(2);
  const user = hasUser ? r.text() : '';
  const values = new Map<string, string>();
  for (let at = 0; at < count; at++) {
    const name = r.countedText();
    values.set(name, r.countedText());
    r.integer();
  }
  return { user, values };
}

export function writePairs(w: Writer, pairs: readonly Pair[]): void {
  w.u8(MESSAGE.PARAMETER).integer(pairs.length);
  for (const [name, value, flags] of pairs) {
    w.countedText(name)
      .countedText(value)
      .integer(flags ?? 0);
  }
}

const hex = (bytes: Buffer) => bytes.toString('hex').toUpperCase();
const zeros = Buffer.alloc(16);

function encrypt(key: Buffer, bytes: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-cbc', key, zeros).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

function decrypt(key: Buffer, bytes: Buffer): Buffer {
  const cipher = createDecipheriv('aes-256-cbc', key, zeros).setAutoPadding(false);
  return Buffer.concat([cipher.update(bytes), cipher.final()]);
}

/** One logon: a challenge, and the proof that both sides know the password. */
export class Logon {
  readonly user: string;
  readonly #password: string | undefined;
  readonly #salt = randomBytes(16);
  readonly #keySalt = randomBytes(16);
  readonly #ours = randomBytes(32);
  readonly #hash: Buffer;

  /** `password` is undefined for an unknown user, who is challenged all the same, as by a real server. */
  constructor(user: string, password: string | undefined) {
    this.user = user;
    this.#password = password;
    const salt = Buffer.concat([this.#salt, Buffer.from('AUTH_PBKDF2_SPEEDY_KEY')]);
    const key = pbkdf2Sync(password ?? randomBytes(12), salt, ROUNDS, 64, 'sha512');
    this.#hash = createHash('sha512').update(key).update(this.#salt).digest().subarray(0, 32);
  }

  challenge(): Pair[] {
    return [
      ['AUTH_SESSKEY', hex(encrypt(this.#hash, this.#ours))],
      ['AUTH_VFR_DATA', hex(this.#salt), VERIFIER],
      ['AUTH_PBKDF2_CSK_SALT', hex(this.#keySalt)],
      ['AUTH_PBKDF2_VGEN_COUNT', String(ROUNDS)],
      ['AUTH_PBKDF2_SDER_COUNT', String(KEY_ROUNDS)],
    ];
  }

  /** The server's proof; undefined when the password is wrong. */
  verify(values: ReadonlyMap<string, string>): Pair | undefined {
    const theirs = decrypt(this.#hash, Buffer.from(values.get('AUTH_SESSKEY') ?? '', 'hex'));
    const both = hex(Buffer.concat([theirs.subarray(0, 32), this.#ours]));
    const key = pbkdf2Sync(both, this.#keySalt, KEY_ROUNDS, 32, 'sha512');
    const padded = decrypt(key, Buffer.from(values.get('AUTH_PASSWORD') ?? '', 'hex'));
    const password = padded.toString('utf8', 16, padded.length - padded[padded.length - 1]);
    if (this.#password === undefined || password !== this.#password) return undefined;
    const proof = Buffer.concat([randomBytes(16), Buffer.from('SERVER_TO_CLIENT'), Buffer.alloc(16, 16)]);
    return ['AUTH_SVR_RESPONSE', hex(encrypt(key, proof))];
  }
}
