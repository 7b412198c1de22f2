import { mysqlParameters, parseMysqlConnectionString, withMysqlPassword } from '../config/mysql-connection.ts';
import { asMysql } from '../config/source-connection.ts';
import type { ConnectionForm } from './connection-form.ts';

/** A MySQL or MariaDB server; TLS modes and files of certificates as PostgreSQL has them. */
export const MYSQL_FORM: ConnectionForm = {
  schemes: ['mysql', 'mariadb'],
  example: 'mysql://user:password@host:3306/database',
  keywords: {
    host: 'host',
    port: 'port',
    database: 'dbname',
    user: 'user',
    password: 'password',
    sslmode: 'sslmode',
    sslrootcert: 'sslrootcert',
  },
  secrets: ['sslpassword'],
  modes: {
    prefer: 'TLS if the server has it; nobody checks who answers',
    require: 'always TLS; nobody checks who answers',
    'verify-ca': 'TLS, and the certificate must be from an authority that is known here',
    'verify-full': 'TLS, and the certificate must name this host: the safe choice',
    disable: 'no TLS: everybody on the way can read along',
    allow: 'no TLS unless the server insists',
  },
  verifying: ['verify-ca', 'verify-full'],
  mode: () => 'prefer',
  placeholders: (env) => ({
    host: 'localhost',
    port: '3306',
    database: 'the one that is replicated',
    user: 'has to be given',
    password: env.MYSQL_PWD ? 'that of MYSQL_PWD' : 'none',
    sslrootcert: 'a file, or "system"',
  }),
  hostHint: 'A name or an address.',
  parameters: mysqlParameters,
  parse: parseMysqlConnectionString,
  withPassword: (connection, password) => withMysqlPassword(asMysql(connection), password),
};
