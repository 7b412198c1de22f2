import { parseConnectionString } from '../config/connection.ts';
import { connectionParameters } from '../config/connection-text.ts';
import { asPostgres } from '../config/source-connection.ts';
import type { ConnectionForm } from './connection-form.ts';

/** A PostgreSQL or CockroachDB server, with libpq's parameters and variables of the environment. */
export const POSTGRES_FORM: ConnectionForm = {
  schemes: ['postgresql', 'postgres', 'pg', 'pgx'],
  example: 'postgresql://user:password@host:5432/database',
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
  mode: (env) => env.PGSSLMODE || 'prefer',
  placeholders: (env) => ({
    host: env.PGHOST ?? 'localhost',
    port: env.PGPORT ?? '5432',
    database: env.PGDATABASE ?? 'the same as the user',
    user: env.PGUSER ?? 'yours on this machine',
    password: env.PGPASSWORD ? 'that of PGPASSWORD' : 'none, or that of ~/.pgpass',
    sslrootcert: env.PGSSLROOTCERT ?? '~/.postgresql/root.crt',
  }),
  hostHint: 'A name, an address, or the directory of a socket.',
  parameters: connectionParameters,
  parse: (text, label, env) => parseConnectionString(text === '' ? 'postgresql://' : text, label, env),
  withPassword(connection, password) {
    const open = asPostgres(connection);
    return { ...open, attempts: open.attempts.map((attempt) => ({ ...attempt, password: () => password })) };
  },
};
