import { OperatorError } from '../../errors.ts';
import type { Connection } from './connection.ts';
import type { Finding } from '../finding.ts';
import type { Flavour } from './flavour.ts';
import { replicationDenied } from './server-errors.ts';
import { quoteAccount, quoteIdentifier } from './sql-text.ts';

/** What one grant allows where. */
interface Grant {
  readonly privileges: ReadonlySet<string>;
  /** Undefined for all databases; may hold the wildcards `%` and `_`. */
  readonly database: string | undefined;
  /** Undefined for all tables of the database. */
  readonly table: string | undefined;
  readonly revoked: boolean;
}

/** What the connected user may do, the roles that are active included. */
export interface Grants {
  /** As CURRENT_USER() prints it: `replicator@%`. */
  readonly account: string;
  readonly list: readonly Grant[];
}

/** Privileges that stand for the ones that this program asks for. */
const REPLICATION = ['REPLICATION SLAVE'];
const MONITORING = ['REPLICATION CLIENT', 'BINLOG MONITOR', 'SUPER'];
const SETTING = ['SYSTEM_VARIABLES_ADMIN', 'SUPER', 'BINLOG ADMIN'];

/**
 * Asks for them. Without naming a user, both products add the rights of the active roles to the answer. The statements
 * themselves are not kept, as MariaDB prints the password's hash in them.
 */
export async function readGrants(connection: Connection): Promise<Grants> {
  const [accounts] = await connection.query('SELECT CURRENT_USER() AS account');
  const [rows] = await connection.query('SHOW GRANTS');
  const statements = (rows as Record<string, string>[]).map((row) => Object.values(row)[0]);
  return { account: (accounts as { account: string }[])[0].account, list: parseGrants(statements) };
}

const NAME = '`(?:[^`]|``)*`';
const GRANT = new RegExp(`^(GRANT|REVOKE) (.+?) ON (?:TABLE )?(\\*|${NAME})\\.(\\*|${NAME}) (?:TO|FROM) `);

/** Reads lines of SHOW GRANTS; grants of roles, of routines and of proxies are left out. */
export function parseGrants(statements: readonly string[]): Grant[] {
  return statements.flatMap((statement) => {
    const match = GRANT.exec(statement);
    if (match === null) return [];
    const [, verb, privileges, database, table] = match;
    return [
      {
        // A privilege on some columns of a table is not that privilege: `SELECT (`a`, `b`)`.
        privileges: new Set(privileges.split(/,\s*(?![^(]*\))/).map((each) => each.trim().toUpperCase())),
        database: database === '*' ? undefined : unquote(database),
        table: table === '*' ? undefined : unquote(table),
        revoked: verb === 'REVOKE',
      },
    ];
  });
}

/** May read the binary log. */
export function mayReplicate(grants: Grants): boolean {
  return mayEverywhere(grants, REPLICATION);
}

/** May ask for the state of the binary log. */
export function mayMonitor(grants: Grants): boolean {
  return mayEverywhere(grants, MONITORING);
}

/** May change settings of the server. */
export function maySet(grants: Grants): boolean {
  return mayEverywhere(grants, SETTING);
}

/** May read all tables of a database, or of all databases. */
export function maySelect(grants: Grants, database: string | undefined): boolean {
  const allows = ({ privileges }: Grant) => privileges.has('SELECT') || privileges.has('ALL PRIVILEGES');
  const whole = grants.list.filter((grant) => grant.table === undefined && allows(grant));
  const revoked = whole.some(
    (grant) => grant.revoked && (database === undefined || grant.database === undefined || grant.database === database),
  );
  const granted = whole.some(
    (grant) =>
      !grant.revoked && (grant.database === undefined || (database !== undefined && isLike(grant.database, database))),
  );
  return granted && !revoked;
}

/** Whether the user may read the binary log. */
export function replicationRightFinding(grants: Grants, flavour: Flavour): Finding {
  if (mayReplicate(grants)) return { found: `${grants.account} may read the binary log` };
  const error = replicationDenied(grants.account, flavour);
  return {
    found: `${grants.account} may not read the binary log`,
    refusal: { expected: 'the privilege REPLICATION SLAVE', error },
  };
}

/** Whether the user may ask for the state of the binary log: the checks and the setup do, the replication does without. */
export function monitorRightFinding(grants: Grants, flavour: Flavour): Finding {
  if (mayMonitor(grants)) return { found: `${grants.account} may see it` };
  const privilege = flavour === 'mariadb' ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
  return {
    found: `${grants.account} may not see it`,
    refusal: {
      expected: `the privilege ${privilege}`,
      error: new OperatorError(
        'MYSQL_NO_MONITOR_PRIVILEGE',
        `the source user ${grants.account} may not see the state of the binary log`,
        { fix: `GRANT ${privilege} ON *.* TO ${quoteAccount(grants.account)};` },
      ),
    },
  };
}

/** Whether the user may read the tables, without which their definitions cannot be read either. Undefined: of all databases. */
export function selectRightFinding(grants: Grants, database: string | undefined): Finding {
  if (maySelect(grants, database)) return { found: `${grants.account} may read all tables` };
  const where = database === undefined ? '*.*' : `${quoteIdentifier(database)}.*`;
  return {
    found: `${grants.account} may not read all tables`,
    refusal: {
      expected: `SELECT on ${where}`,
      error: new OperatorError(
        'MYSQL_NO_SELECT_PRIVILEGE',
        `the source user ${grants.account} may not read all tables, so that their definitions cannot be read either`,
        { fix: `GRANT SELECT ON ${where} TO ${quoteAccount(grants.account)};` },
      ),
    },
  };
}

function mayEverywhere({ list }: Grants, privileges: readonly string[]): boolean {
  return list.some(
    (grant) =>
      !grant.revoked &&
      grant.database === undefined &&
      (grant.privileges.has('ALL PRIVILEGES') || privileges.some((privilege) => grant.privileges.has(privilege))),
  );
}

/** Whether a database's name fits the pattern of a grant, in which a backslash takes the meaning from `%` and `_`. */
function isLike(pattern: string, name: string): boolean {
  const source = pattern.replaceAll(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    const plain = part.length === 2 ? (/[%_\\]/.test(part[1]) ? part[1] : part) : part;
    return plain.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's').test(name);
}

function unquote(name: string): string {
  return name.slice(1, -1).replaceAll('``', '`');
}
