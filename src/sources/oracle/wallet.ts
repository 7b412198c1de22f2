import { generateKeyPairSync, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import oracledb, { type ConnectionAttributes } from 'oracledb';

const FILE = 'ewallet.pem';

/**
 * The attributes as the driver can use them. Of a wallet it wants a certificate of the client's own with its key, though few servers
 * ask for one: a wallet that only holds authorities to trust is given one that nobody trusts.
 */
export async function withUsableWallet(attributes: ConnectionAttributes): Promise<ConnectionAttributes> {
  const { walletLocation, ...others } = attributes;
  // Instant Client reads wallets itself.
  if (walletLocation === undefined || !oracledb.thin) return attributes;
  // What cannot be read is the driver's to tell.
  const wallet = await readFile(join(walletLocation, FILE), 'utf8').catch(() => undefined);
  if (wallet === undefined || !wallet.includes('CERTIFICATE') || wallet.includes('PRIVATE KEY')) return attributes;
  return { ...others, walletContent: `${nobody()}${wallet}` };
}

/** ASN.1 tags, and the algorithm of the signature: ecdsa-with-SHA256. */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const UTC_TIME = 0x17;
const ALGORITHM = Buffer.from('300a06082a8648ce3d040302', 'hex');

/**
 * A new key and a certificate of it, as PEM: of version 1 (RFC 5280), without names. The driver trusts what a wallet holds, so that it
 * was valid for one second of 1970, and its key is nowhere but in memory.
 */
function nobody(): string {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = der(SEQUENCE);
  const validity = der(
    SEQUENCE,
    der(UTC_TIME, Buffer.from('700101000000Z')),
    der(UTC_TIME, Buffer.from('700101000001Z')),
  );
  const serial = der(INTEGER, Buffer.from([1]));
  const key = publicKey.export({ type: 'spki', format: 'der' });
  const told = der(SEQUENCE, serial, ALGORITHM, name, validity, name, key);
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', told, privateKey));
  const certificate = der(SEQUENCE, told, ALGORITHM, signature).toString('base64');
  return [
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim(),
    '-----BEGIN CERTIFICATE-----',
    ...(certificate.match(/.{1,64}/g) ?? []),
    '-----END CERTIFICATE-----\n',
  ].join('\n');
}

/** A value of at most 65,535 bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
