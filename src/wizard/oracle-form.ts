import { schemeOf } from '../config/connection-text.ts';
import {
  CONTRADICTION,
  oracleParameters,
  parseOracleConnectionString,
  withOraclePassword,
  yesOrNo,
} from '../config/oracle-connection.ts';
import { UsageError } from '../errors.ts';
import { asOracle } from '../config/source-connection.ts';
import type { ConnectionForm } from './connection-form.ts';

/** An Oracle service; the pluggable database is a parameter of the URL. */
export const ORACLE_FORM: ConnectionForm = {
  schemes: ['oracle', 'oracles', 'tcps'],
  example: 'oracle://user:password@host:1521/service?pdb=pluggable',
  keywords: {
    host: 'host',
    port: 'port',
    database: 'dbname',
    pdb: 'pdb',
    user: 'user',
    password: 'password',
    sslmode: 'ssl',
    sslrootcert: 'wallet',
  },
  words: {
    database: { label: 'Service', hint: 'SELECT NAME FROM V$SERVICES tells what there is.' },
    pdb: { label: 'PDB', hint: 'The service of the pluggable database that has the tables.' },
    sslrootcert: { label: 'Wallet', hint: 'A directory with an ewallet.pem; wallet_password=… goes into the URL.' },
  },
  secrets: ['wallet_password'],
  modes: {
    false: 'no TLS: everybody on the way can read along',
    true: 'TLS, and the certificate must name this host',
  },
  verifying: ['true'],
  mode: () => 'false',
  placeholders: () => ({
    host: 'localhost',
    port: '1521',
    database: 'that of CDB$ROOT, or of the only database',
    pdb: 'none: there are no pluggable databases',
    user: 'has to be given: C##REPLICATOR',
    password: 'none',
    sslrootcert: 'none: the certificate is of a public authority',
  }),
  hostHint: 'A name or an address.',
  parameters,
  parse: parseOracleConnectionString,
  withPassword: (connection, password) => withOraclePassword(asOracle(connection), password),
};

/** The parameters with what the scheme says of TLS among them, so that nothing of it is lost when the URL is made anew. */
function parameters(text: string): Map<string, string> {
  const found = oracleParameters(text);
  const tls = schemeOf(text) !== 'oracle';
  const ssl = yesOrNo('ssl', found.get('ssl'), tls);
  if (tls && !ssl) throw new UsageError(CONTRADICTION);
  if (tls || found.has('ssl')) found.set('ssl', String(ssl));
  return found;
}
