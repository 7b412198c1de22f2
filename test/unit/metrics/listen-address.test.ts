import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UsageError } from '../../../src/errors.ts';
import { formatListenAddress, parseListenAddress } from '../../../src/metrics/listen-address.ts';

test('the forms that operators write', () => {
  assert.deepEqual(parseListenAddress(':30005'), { host: undefined, port: 30005 });
  assert.deepEqual(parseListenAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseListenAddress('[::1]:9'), { host: '::1', port: 9 });
  assert.deepEqual(parseListenAddress('metrics.internal:8080'), { host: 'metrics.internal', port: 8080 });
});

test('anything else is a usage error that names the flag', () => {
  for (const text of [
    '',
    '30005',
    'host',
    'host:',
    '::1:9',
    '[::1]',
    '[]:9',
    ':65536',
    ':99999',
    ':-1',
    'a b:1',
    ':http',
  ]) {
    assert.throws(
      () => parseListenAddress(text),
      (error) => error instanceof UsageError && error.message.includes('--metricsAddr'),
      text,
    );
  }
});

test('what is printed can be read again', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant(undefined)), fc.nat(65535), (host, port) => {
      assert.deepEqual(parseListenAddress(formatListenAddress(host, port)), { host, port });
    }),
    { verbose: 1 },
  );
});
