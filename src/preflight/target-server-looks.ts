import type { Client } from 'pg';
import { OperatorError } from '../errors.ts';
import { formatSeconds } from '../terminal/format.ts';
import { readOffset } from './clock-offset.ts';
import { encryptionOutcome } from './encryption.ts';
import { failed, failedBy, passed } from './look.ts';
import type { TargetFacts } from './target-facts.ts';
import { advisory, blocking, orRefused, type TargetLook } from './target-look.ts';

/** Seconds by which clocks may differ before the numbers mislead. */
const CLOCK_TOLERANCE = 1;

/** The server itself, the way there, and the schema for the rows. */
export const SERVER_LOOKS: readonly TargetLook[] = [
  {
    check: blocking('connection', 'connection', 'Everything else is asked over it.'),
    needs: [],
    async look(facts) {
      try {
        const { user, database, latency } = await facts.connection();
        return passed(`${user} in ${database}, answers within ${formatSeconds(latency / 1000)}`);
      } catch (error) {
        if (!(error instanceof OperatorError)) throw error;
        return failedBy(error, error.message, 'target');
      }
    },
  },
  {
    check: advisory('encryption', 'encryption', 'Without it anybody on the way can read the data, and change it.'),
    needs: ['target.connection'],
    look: async (facts) => encryptionOutcome(facts.description, await facts.connection(), 'target'),
  },
  {
    check: blocking('version', 'product and version', 'Which SQL is sent depends on it.'),
    needs: ['target.connection'],
    async look(facts) {
      const { product, version } = await facts.connection();
      return passed(`${product === 'cockroachdb' ? 'CockroachDB' : 'PostgreSQL'} ${version}`);
    },
  },
  {
    check: blocking('writable', 'writable', 'A standby, or a database that is set to read only, takes no rows.'),
    needs: ['target.version'],
    async look(facts) {
      const { product } = await facts.connection();
      const { standby, readOnly } = await facts.line.ask((client) => readWritability(client, product));
      if (standby) {
        return failed('a standby', {
          expected: 'the primary',
          fix: { side: 'target', text: 'Connect to the primary.' },
        });
      }
      if (!readOnly) return passed('yes');
      const { database } = await facts.connection();
      const statement = `ALTER DATABASE "${database.replaceAll('"', '""')}" RESET default_transaction_read_only`;
      return failed('read only by default (default_transaction_read_only)', {
        expected: 'off',
        fix: {
          side: 'target',
          text: `${statement}; -- or for the role: ALTER ROLE … RESET …`,
          statements: [statement],
        },
      });
    },
  },
  {
    check: blocking('schema', 'target schema', 'The rows go to the tables in it.'),
    needs: ['target.version'],
    look: lookAtSchema,
  },
  {
    check: advisory(
      'clock',
      'clocks',
      'The lag is the time from the commit at the source, by its clock, to now, by the clock of this machine.',
    ),
    needs: ['target.version'],
    async look(facts) {
      const target = await readOffset(facts.line);
      const source = await facts.source.clockOffset();
      const found = `source ${describeOffset(source)}, target ${describeOffset(target)}`;
      if (Math.max(Math.abs(source), Math.abs(target)) <= CLOCK_TOLERANCE) return passed(found);
      return failed(found, {
        expected: `at most ${formatSeconds(CLOCK_TOLERANCE)} apart from this machine`,
        fix: {
          side: Math.abs(source) > Math.abs(target) ? 'source' : 'target',
          text: 'Let NTP (chrony, systemd-timesyncd) set the clocks of all three machines: chronyc tracking',
        },
      });
    },
  },
];

async function lookAtSchema(facts: TargetFacts) {
  return await orRefused('target', async () => {
    try {
      const { tables } = await facts.catalogue();
      const { database, schema } = await facts.schema();
      return passed(`${schema} in ${database}, with ${tables.size === 1 ? '1 table' : `${tables.size} tables`}`);
    } catch (error) {
      if (!(error instanceof OperatorError) || error.code !== 'TARGET_SCHEMA_MISSING' || error.fix === undefined)
        throw error;
      return failedBy(error, `${facts.wishes.targetSchema} is not there`, 'target', {
        expected: 'a schema',
        statements: [error.fix.replace(/;$/, '')],
      });
    }
  });
}

async function readWritability(client: Client, product: string): Promise<{ standby: boolean; readOnly: boolean }> {
  const standby = product === 'postgresql' ? 'pg_is_in_recovery()::TEXT' : `'false'`;
  const { rows } = await client.query<{ standby: string; read_only: string }>(
    `SELECT ${standby} AS standby, current_setting('default_transaction_read_only')::TEXT AS read_only`,
  );
  return { standby: rows[0].standby === 'true', readOnly: rows[0].read_only === 'on' };
}

function describeOffset(seconds: number): string {
  const size = formatSeconds(Math.abs(seconds));
  return Math.abs(seconds) < 0.01 ? 'in step' : `${size} ${seconds > 0 ? 'ahead' : 'behind'}`;
}
