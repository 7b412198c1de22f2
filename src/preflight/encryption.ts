import { isOracle, type SourceConnection } from '../config/source-connection.ts';
import type { CheckSide } from './check.ts';
import type { ConnectionFacts } from './connection-test.ts';
import { failed, type Outcome, passed } from './look.ts';

/** Hosts that the network does not come between. */
const LOCAL = /^(\/.*|localhost|127(\.\d+){3}|::1)$/;

/** Whether others on the way can read what is sent. */
export function encryptionOutcome(
  connection: SourceConnection,
  { encrypted }: ConnectionFacts,
  side: CheckSide,
): Outcome {
  if (encrypted) return passed('TLS');
  if (LOCAL.test(connection.host)) return passed('none, and the server is on this machine');
  return failed('none', {
    expected: 'TLS',
    fix: {
      side,
      text: isOracle(connection)
        ? 'Let the connection string name the port of the listener for TCPS, and add ssl=true (with wallet=DIRECTORY of an ewallet.pem, unless the certificate is of a public authority).'
        : 'Add sslmode=verify-full (with sslrootcert=FILE of the certificate authority) to the connection string, or at least sslmode=require.',
    },
  });
}
