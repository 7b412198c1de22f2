import { oracleParameters, parseOracleConnectionString, withOraclePassword } from '../config/oracle-connection.ts';
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
    user: 'user',
    password: 'password',
    sslmode: 'ssl',
    sslrootcert: 'wallet',
  },
  secrets: ['wallet_password'],
  modes: {
    false: 'no TLS: everybody on the way can read along',
    true: 'TLS, and the certificate must name this host',
  },
  mode: () => 'false',
  placeholders: () => ({
    host: 'localhost',
    port: '1521',
    database: 'the service: of CDB$ROOT, or of the only database',
    user: 'has to be given: C##REPLICATOR',
    password: 'none',
    sslrootcert: 'the directory of a wallet (ewallet.pem)',
  }),
  hostHint: 'A name or an address. A pluggable database goes into the URL: ?pdb=SERVICE',
  parameters: oracleParameters,
  parse: parseOracleConnectionString,
  withPassword: (connection, password) => withOraclePassword(asOracle(connection), password),
};
