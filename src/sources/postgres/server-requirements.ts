import { escapeLiteral } from 'pg';
import { OperatorError } from '../../errors.ts';
import type { Finding } from '../finding.ts';
import type { ServerFacts } from './server-facts.ts';
import { readableIdentifier } from '../readable-identifier.ts';

const OLDEST_VERSION = 120000;

/** A setting that takes a restart: how it is changed on this server, and by which statement where this user may. */
interface SettingChange {
  readonly fix: string;
  readonly statements?: readonly string[];
  readonly restart: true;
}

export function versionFinding(server: ServerFacts): Finding {
  const found = `PostgreSQL ${server.versionText}`;
  if (server.version >= OLDEST_VERSION) return { found };
  return {
    found,
    refusal: {
      expected: '12 or newer',
      error: new OperatorError('PG_VERSION', `the source is ${found}; version 12 or newer is needed`, {
        fix: 'Upgrade the source, or replicate from a newer copy of it.',
      }),
    },
  };
}

export function primaryFinding(server: ServerFacts): Finding {
  if (!server.inRecovery) return { found: 'primary' };
  return {
    found: 'standby',
    refusal: {
      expected: 'primary',
      error: new OperatorError(
        'PG_IN_RECOVERY',
        'the source is a standby (it is in recovery); replication reads from the primary only',
        { fix: 'Connect to the primary.' },
      ),
    },
  };
}

export function walLevelFinding(server: ServerFacts): Finding {
  const found = server.walLevel;
  if (found === 'logical') return { found };
  const { fix, ...how } = walLevelChange(server);
  return {
    found,
    refusal: {
      expected: 'logical',
      error: new OperatorError(
        'PG_WAL_LEVEL',
        `the source's wal_level is ${found}, which does not hold enough to replicate from; it must be logical`,
        { fix },
      ),
      ...how,
    },
  };
}

export function replicationRightFinding(server: ServerFacts): Finding {
  if (server.mayReplicate) return { found: `${server.user} may replicate` };
  const user = readableIdentifier(server.user);
  return {
    found: `${server.user} may not replicate`,
    refusal: {
      expected: 'the attribute REPLICATION',
      error: new OperatorError(
        'PG_NO_REPLICATION_PRIVILEGE',
        `the source user ${server.user} has no right to replicate`,
        {
          fix: `ALTER ROLE ${user} REPLICATION; -- on Amazon RDS: GRANT rds_replication TO ${user};`,
        },
      ),
    },
  };
}

export function walSendersFinding(server: ServerFacts): Finding {
  const found = `${server.walSenders} of ${server.maxWalSenders} in use`;
  if (server.walSenders < server.maxWalSenders) return { found };
  const { fix, ...how } = settingChange(server, 'max_wal_senders', String(server.maxWalSenders + 10));
  return {
    found,
    refusal: {
      expected: 'a free one',
      error: new OperatorError(
        'PG_NO_WAL_SENDERS',
        `all ${server.maxWalSenders} replication connections of the source (max_wal_senders) are in use`,
        {
          fix: `${fix}\nSELECT pid, application_name, client_addr FROM pg_stat_replication; -- or stop one of these`,
        },
      ),
      ...how,
    },
  };
}

/** Whether another slot can be made. */
export function freeSlotsFinding(server: ServerFacts): Finding {
  const found = `${server.slots} of ${server.maxSlots} in use`;
  if (server.slots < server.maxSlots) return { found };
  const { fix, ...how } = settingChange(server, 'max_replication_slots', String(server.maxSlots + 10));
  return {
    found,
    refusal: {
      expected: 'a free one',
      error: new OperatorError(
        'PG_NO_SLOTS',
        `all ${server.maxSlots} replication slots of the source (max_replication_slots) are in use, so no slot can be created`,
        {
          fix: `${fix}\nSELECT slot_name, active, restart_lsn FROM pg_replication_slots; -- or drop one of these that nobody needs`,
        },
      ),
      ...how,
    },
  };
}

function walLevelChange(server: ServerFacts): SettingChange {
  switch (server.provider) {
    case 'rds':
      return {
        fix: 'Set rds.logical_replication = 1 in the parameter group, then reboot the instance.',
        restart: true,
      };
    case 'cloudsql':
      return {
        fix: 'gcloud sql instances patch INSTANCE --database-flags=cloudsql.logical_decoding=on  # restarts the instance; name the other flags too',
        restart: true,
      };
    default:
      return settingChange(server, 'wal_level', 'logical');
  }
}

function settingChange(server: ServerFacts, name: string, value: string): SettingChange {
  switch (server.provider) {
    case 'rds':
      return { fix: `Set ${name} = ${value} in the parameter group, then reboot the instance.`, restart: true };
    case 'cloudsql':
      return {
        fix: `gcloud sql instances patch INSTANCE --database-flags=${name}=${value}  # restarts the instance; name the other flags too`,
        restart: true,
      };
    case 'azure':
      return {
        fix: `az postgres flexible-server parameter set --resource-group GROUP --server-name SERVER --name ${name} --value ${value}  # then restart the server`,
        restart: true,
      };
    default: {
      const shown = /^\d+$/.test(value) ? value : escapeLiteral(value);
      const statement = `ALTER SYSTEM SET ${name} = ${shown}`;
      return {
        fix: `${statement}; -- then restart the server`,
        ...(server.superuser && { statements: [statement] }),
        restart: true,
      };
    }
  }
}
