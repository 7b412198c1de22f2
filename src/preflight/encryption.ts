import type { CheckSide } from './check.ts';
import type { ConnectionFacts } from './connection-test.ts';
import { failed, type Outcome, passed } from './look.ts';

/** Hosts that the network does not come between. */
const LOCAL = /^(\/.*|localhost|127(\.\d+){3}|::1)$/;

const OTHERS =
  'Add sslmode=verify-full (with sslrootcert=FILE of the certificate authority) to the connection string, or at least sslmode=require.';
const ORACLE =
  'Add ssl=true (with wallet=DIR, whose ewallet.pem holds the certificate authority) to the connection string, with the port on which the listener speaks TLS.';

/** Whether others on the way can read what is sent. */
export function encryptionOutcome(
  { host, kind }: { readonly host: string; readonly kind?: string },
  { encrypted }: ConnectionFacts,
  side: CheckSide,
): Outcome {
  if (encrypted) return passed('TLS');
  if (LOCAL.test(host)) return passed('none, and the server is on this machine');
  return failed('none', {
    expected: 'TLS',
    fix: {
      side,
      text: kind === 'oracle' ? ORACLE : OTHERS,
    },
  });
}
