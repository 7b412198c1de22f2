import { escapeIdentifier } from 'pg';
import type { OracleConnectionDescription } from '../config/oracle-connection.ts';
import type { Fix } from './check.ts';
import { lookAtAll } from './look.ts';
import { oracleInquiry } from './oracle-inquiry.ts';
import { OracleResume } from './oracle-resume.ts';
import { ORACLE_LOOKS } from './oracle-source.ts';
import { OracleSourceFacts, testOracleConnection } from './oracle-source-facts.ts';
import { runOracleFix } from './run-oracle-fix.ts';
import type { SourcePreflight } from './source-preflight.ts';

/** What can be asked of an Oracle source. */
export function oraclePreflight(connection: OracleConnectionDescription): SourcePreflight {
  return {
    planned: ORACLE_LOOKS.map(({ check }) => check),
    test: () => testOracleConnection(connection),
    async check(wishes, report = () => {}, signal) {
      const facts = new OracleSourceFacts(connection, wishes);
      try {
        return await lookAtAll(ORACLE_LOOKS, facts, report, signal);
      } finally {
        facts.close();
      }
    },
    async choices(wishes) {
      const facts = new OracleSourceFacts(connection, { ...wishes, tables: 'all' });
      try {
        const tables = (await facts.tables()).map(({ owner, name, rows, problem }) => ({
          name: `${written(owner)}.${written(name)}`,
          ...(rows !== undefined && { rows }),
          ...(problem !== undefined && { warning: `cannot be replicated: ${problem}` }),
        }));
        return { tables, publications: [], slots: [] };
      } finally {
        facts.close();
      }
    },
    fix: (fix) => runOracleFix(fix, placeOf(fix, connection)),
    inquire: (wishes) => oracleInquiry(new OracleSourceFacts(connection, wishes)),
    resume: (facts) => new OracleResume(connection, facts),
  };
}

/** A name as a person would write it in the SQL of Oracle: quoted only when it must be. */
function written(name: string): string {
  return /^[A-Z][A-Z0-9_$#]*$/.test(name) ? name : escapeIdentifier(name);
}

/** Statements on tables run where those are, those on the database at its root. */
function placeOf({ statements = [] }: Fix, connection: OracleConnectionDescription): OracleConnectionDescription {
  const onTables = statements.every((statement) => !/^(ALTER DATABASE|BEGIN)\b/.test(statement));
  return onTables ? (connection.pdb ?? connection) : connection;
}
