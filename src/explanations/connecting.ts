import type { Explanations } from './explanation.ts';
import { NOTHING_STARTED, TRIED_AGAIN } from './meanings.ts';

const REFUSED = {
  what: 'Nothing listens there: the host is reached, and refuses the port.',
  data: NOTHING_STARTED,
} as const;
const NO_HOST = { what: 'There is no such host: its name cannot be resolved here.', data: NOTHING_STARTED } as const;
const UNREACHABLE = { what: 'The host cannot be reached over the network.', data: NOTHING_STARTED } as const;
const NO_ANSWER = { what: 'No answer within the time allowed.', data: NOTHING_STARTED } as const;
const TLS = {
  what: 'TLS does not work out: the server and the connection string do not fit together.',
  data: NOTHING_STARTED,
} as const;
const CERTIFICATE = {
  what: 'The certificate of the server is not trusted, or is for another name.',
  data: 'Nothing was sent to that server, no password either.',
} as const;
const ANOTHER = 'A saved replication gets another password by `e` in `instar`, or by `instar edit`.';
const PASSWORD = { what: 'The password is not accepted, or none was given.', data: NOTHING_STARTED } as const;
const FULL = { kind: 'passes', what: 'The server has no connection left.', data: TRIED_AGAIN } as const;
const STARTING = { kind: 'passes', what: 'The server is starting or stopping.', data: TRIED_AGAIN } as const;
const LOST = {
  kind: 'passes',
  what: 'The connection was lost, or closed while it was being opened.',
  data: TRIED_AGAIN,
} as const;
const NO_DATABASE = { what: 'There is no such database.', data: NOTHING_STARTED } as const;
const OTHERWISE = {
  what: 'The connection failed in a way that has no name of its own; the message quotes it.',
  data: NOTHING_STARTED,
} as const;

/** What keeps a connection from being made, at the source or the target. `PG_` is CockroachDB as well. */
export const CONNECTING = {
  PG_CONNECTION_REFUSED: {
    ...REFUSED,
    fix: [
      'Check host and port, and that the server runs and listens on that address.',
      ['pg_isready -h <host> -p <port>', 'SHOW listen_addresses; -- on the server itself'],
    ],
  },
  MYSQL_CONNECTION_REFUSED: {
    ...REFUSED,
    fix: [
      'Check host and port, and that the server runs and listens on that address.',
      [
        'mysqladmin --host=<host> --port=<port> ping',
        'SELECT @@bind_address, @@skip_networking; -- on the server itself',
      ],
    ],
  },
  PG_HOST_NOT_FOUND: {
    ...NO_HOST,
    fix: ['Correct the host in the connection string, or the name service.', ['getent hosts <host>']],
  },
  MYSQL_HOST_NOT_FOUND: {
    ...NO_HOST,
    fix: ['Correct the host in the connection string, or the name service.', ['getent hosts <host>']],
  },
  ORACLE_HOST_NOT_FOUND: {
    ...NO_HOST,
    fix: ['Correct the host in the connection string, or the name service.', ['getent hosts <host>']],
  },
  PG_UNREACHABLE: { ...UNREACHABLE, fix: ['Check routes, security groups and firewalls between here and the host.'] },
  MYSQL_UNREACHABLE: {
    ...UNREACHABLE,
    fix: ['Check routes, security groups and firewalls between here and the host.'],
  },
  ORACLE_UNREACHABLE: {
    ...UNREACHABLE,
    what: 'The listener cannot be reached, or nothing listens there.',
    fix: [
      'Check host, port and firewalls, that the listener runs, and that `ssl=true` is given for a port with TLS (tcps) and for no other.',
      ['lsnrctl status'],
    ],
  },
  PG_TIMEOUT: {
    ...NO_ANSWER,
    fix: [
      'Check host, port and the firewall on the way; `connect_timeout` in the connection string is how long is waited.',
    ],
  },
  MYSQL_TIMEOUT: {
    ...NO_ANSWER,
    fix: [
      'Check host, port and the firewall on the way; `connect_timeout` in the connection string is how long is waited.',
    ],
  },
  MYSQL_SILENT: {
    kind: 'passes',
    what: 'Something accepts the connection and says nothing, although a MySQL server speaks first.',
    data: NOTHING_STARTED,
    fix: [
      'Check host and port, and whether the server answers others: it is overloaded, or a server of another kind.',
      ['mysqladmin --host=<host> --port=<port> ping'],
    ],
  },
  MYSQL_NOT_MYSQL: {
    what: 'What answers there does not speak the protocol of MySQL.',
    data: NOTHING_STARTED,
    fix: ['Give host and port of the server itself: 3306 unless it was changed; 33060 is for another protocol.'],
  },
  PG_TLS: {
    ...TLS,
    fix: [
      'Check `sslmode`, `sslrootcert`, `sslcert` and `sslkey` in the connection string against what the server offers.',
      ['SHOW ssl; -- on the server'],
    ],
  },
  MYSQL_TLS: {
    ...TLS,
    fix: [
      'Turn TLS on at the server (`ssl_cert`, `ssl_key`), or say what it can do by `sslmode` in the connection string.',
      ["SHOW VARIABLES LIKE '%tls_version%';"],
    ],
  },
  MYSQL_TLS_REQUIRED: {
    what: 'The server insists on TLS, and the connection string does not use it.',
    data: NOTHING_STARTED,
    fix: ['Add `sslmode=verify-full` with `sslrootcert=FILE` to the connection string, or at least `sslmode=require`.'],
  },
  ORACLE_TLS: {
    ...TLS,
    fix: [
      'Name a wallet that holds the authority which signed the certificate: `?ssl=true&wallet=DIR`, with an `ewallet.pem` in it.',
    ],
  },
  MYSQL_CERTIFICATE: {
    ...CERTIFICATE,
    fix: [
      'Name the authority that signed it by `sslrootcert=FILE`, or use the host name that it is for.',
      'A server that made its own keeps the authority as `ca.pem` in its data directory. `sslmode=verify-ca` does not compare names; `sslmode=require` encrypts without knowing with whom.',
    ],
  },
  ORACLE_CERTIFICATE: {
    ...CERTIFICATE,
    fix: [
      'Use the host name that the certificate is for, or give its whole name: `ssl_server_cert_dn=CN=…`.',
      '`ssl_server_dn_match=false` does not compare names.',
    ],
  },
  ORACLE_WALLET: {
    what: 'The wallet cannot be read.',
    data: NOTHING_STARTED,
    fix: [
      '`wallet=DIR` has to be a directory with an `ewallet.pem` that this program may read; `wallet_password=…` when it is encrypted.',
    ],
  },
  PG_PASSWORD: {
    ...PASSWORD,
    fix: [
      'Correct the password: percent-encoded in a URL, or in `~/.pgpass`.',
      ["ALTER ROLE <user> PASSWORD '…';"],
      ANOTHER,
    ],
  },
  MYSQL_PASSWORD: {
    ...PASSWORD,
    fix: [
      'Correct the password: percent-encoded in a URL, or in `MYSQL_PWD`; the account counts together with the host.',
      [
        "SELECT user, host, plugin FROM mysql.user WHERE user = '<user>';",
        "ALTER USER '<user>'@'%' IDENTIFIED BY '…';",
      ],
      ANOTHER,
    ],
  },
  ORACLE_PASSWORD: {
    ...PASSWORD,
    data: 'Nothing was read or written. It is not tried again, as that might lock the account.',
    fix: ['Correct user and password, percent-encoded in the URL: `#` is `%23`, `@` is `%40`.', ANOTHER],
  },
  MYSQL_PASSWORD_EXPIRED: {
    what: 'The password has expired, or the account is locked.',
    data: NOTHING_STARTED,
    fix: [
      'Set a new password for the account, or unlock it.',
      ["ALTER USER '<user>'@'%' IDENTIFIED BY '…' PASSWORD EXPIRE NEVER;"],
    ],
  },
  MYSQL_ACCOUNT_LOCKED: {
    what: 'The password has expired, or the account is locked.',
    data: NOTHING_STARTED,
    fix: ['Set a new password for the account, or unlock it.', ["ALTER USER '<user>'@'%' ACCOUNT UNLOCK;"]],
  },
  ORACLE_ACCOUNT: {
    what: 'The password has expired, or the account is locked.',
    data: NOTHING_STARTED,
    fix: [
      'Set a new password for the account, or unlock it.',
      ['ALTER USER <user> ACCOUNT UNLOCK;', 'ALTER USER <user> IDENTIFIED BY "…";'],
    ],
  },
  ORACLE_PASSWORD_VERSION: {
    what: 'The account has a password of the old kind only (10G), with which nobody can log in any more.',
    data: NOTHING_STARTED,
    fix: ['Set its password anew, which makes the newer kinds of it.', ['ALTER USER <user> IDENTIFIED BY "…";']],
  },
  PG_HBA: {
    what: 'The server does not let you in from here (pg_hba.conf).',
    data: NOTHING_STARTED,
    fix: [
      'Add a line to `pg_hba.conf` of the server; replication needs none of its own for a database connection.',
      ['host "<database>" "<user>" <address>/32 scram-sha-256', 'SELECT pg_reload_conf();'],
    ],
  },
  MYSQL_HOST_DENIED: {
    what: 'The server does not let you in from here.',
    data: NOTHING_STARTED,
    fix: [
      'Let the account in from this machine.',
      ["CREATE USER '<user>'@'%' IDENTIFIED BY '…'; -- or the address of this machine in place of %"],
    ],
  },
  MYSQL_HOST_BLOCKED: {
    what: 'The server has blocked this machine after too many connections that failed half-way.',
    data: NOTHING_STARTED,
    fix: [
      'Let it forget them, and look what probes the port.',
      ['TRUNCATE TABLE performance_schema.host_cache; -- MariaDB and 5.7: FLUSH HOSTS;'],
    ],
  },
  MYSQL_AUTH_PLUGIN: {
    what: 'The server asks for a way to log in that is not known here.',
    data: NOTHING_STARTED,
    fix: [
      'Use an account with `caching_sha2_password`, `sha256_password` or `mysql_native_password`.',
      [
        "SELECT user, host, plugin FROM mysql.user WHERE user = '<user>';",
        "CREATE USER '<user>'@'%' IDENTIFIED WITH caching_sha2_password BY '…';",
        "-- MariaDB: CREATE USER '<user>'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('…');",
      ],
    ],
  },
  PG_NO_DATABASE: {
    ...NO_DATABASE,
    fix: ['Correct the name at the end of the connection string, or create it.', ['CREATE DATABASE <database>;']],
  },
  MYSQL_NO_DATABASE: {
    ...NO_DATABASE,
    fix: [
      'Correct the name at the end of the connection string, as it is written: upper and lower case count.',
      ['SHOW DATABASES;'],
    ],
  },
  PG_PERMISSION: {
    what: 'The user may not connect to this database.',
    data: NOTHING_STARTED,
    fix: ['Grant it.', ['GRANT CONNECT ON DATABASE <database> TO <user>;']],
  },
  MYSQL_DATABASE_DENIED: {
    what: 'The user may not use this database, or there is none of that name.',
    data: NOTHING_STARTED,
    fix: ['Grant it, or correct the name.', ["GRANT SELECT ON `<database>`.* TO '<user>'@'%';"]],
  },
  PG_TOO_MANY_CONNECTIONS: {
    ...FULL,
    fix: [
      'End some, or raise `max_connections`.',
      ['SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 2 DESC;'],
    ],
  },
  MYSQL_TOO_MANY_CONNECTIONS: {
    ...FULL,
    fix: [
      'End some, or raise `max_connections` or `max_user_connections`.',
      ['SELECT user, count(*) FROM information_schema.PROCESSLIST GROUP BY user ORDER BY 2 DESC;'],
    ],
  },
  ORACLE_TOO_MANY_CONNECTIONS: {
    ...FULL,
    fix: [
      'End some, or raise `processes` and `sessions`.',
      [
        "SELECT RESOURCE_NAME, CURRENT_UTILIZATION, LIMIT_VALUE FROM V$RESOURCE_LIMIT WHERE RESOURCE_NAME IN ('processes', 'sessions');",
      ],
    ],
  },
  PG_STARTING: { ...STARTING, fix: ['Wait; when it stays so, its own log tells why.'] },
  MYSQL_STARTING: { ...STARTING, fix: ['Wait; when it stays so, its own log tells why.'] },
  PG_CONNECTION_LOST: {
    ...LOST,
    fix: ['Nothing, unless it comes again and again: then the log of the server tells why.'],
  },
  MYSQL_CONNECTION_LOST: {
    ...LOST,
    fix: ['Nothing, unless it comes again and again: then the log of the server tells why.'],
  },
  CONNECTION_LOST: {
    ...LOST,
    fix: ['Nothing, unless it comes again and again: then the log of the server tells why.'],
  },
  ORACLE_CONNECTION_LOST: {
    ...LOST,
    fix: [
      'Nothing, unless it comes again and again: the alert log tells of restarts, the profile of limits on idle sessions.',
      ["SELECT PROFILE, RESOURCE_NAME, LIMIT FROM DBA_PROFILES WHERE RESOURCE_NAME IN ('IDLE_TIME', 'CONNECT_TIME');"],
    ],
  },
  PG_CONNECT: { ...OTHERWISE, fix: ['Act on what the message quotes; the log of the server says more.'] },
  MYSQL_CONNECT: { ...OTHERWISE, fix: ['Act on what the message quotes; the log of the server says more.'] },
  CONNECTION_REFERENCE_UNSET: {
    what: 'The variable is not set: a connection refers to it in place of a connection string.',
    data: NOTHING_STARTED,
    fix: [
      'Set it where the program is started.',
      ["export <variable>='postgresql://user:password@host:5432/database'"],
    ],
  },
  CONNECTION_UNKNOWN: {
    what: 'The connection string of a saved replication is not on this machine.',
    data: NOTHING_STARTED,
    fix: [
      'Enter it again: `e` in `instar`, or a file with `source: $SOURCE` and the like.',
      ['instar edit <name> --file changes.yaml'],
    ],
  },
} as const satisfies Explanations;
