import { DatabaseError } from 'pg';
import { OperatorError } from '../../errors.ts';
import { publicationDropped } from './publication.ts';
import { slotMissing } from './slot.ts';

/** Where a failure happened, to tell errors apart that the server gives one code. */
export interface StreamContext {
  readonly slot: string;
  readonly publication: string;
  /** START_REPLICATION had been answered. */
  readonly started: boolean;
}

/** SQLSTATE classes and codes after which trying again can help: the server is going, coming, or short of something. */
const TRANSIENT = /^(08|40|53|57P|57014|55P03|58030)/;

/**
 * What a failure on a replication connection means, as an OperatorError. Whatever is not the server's own refusal is taken
 * for a lost connection and is transient.
 */
export function streamError(cause: unknown, context: StreamContext): OperatorError {
  if (cause instanceof OperatorError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (!(cause instanceof DatabaseError) || cause.code === undefined) {
    return new OperatorError('PG_SOURCE_DISCONNECTED', `lost the connection to the source database: ${reason}`, {
      transient: true,
      cause,
    });
  }
  switch (cause.code) {
    case '42704': // undefined_object: of the two, the slot is looked up at the start and the publication at a change
      return context.started ? publicationDropped(context.publication) : slotMissing(context.slot);
    case '55006':
      return new OperatorError(
        'PG_SLOT_ACTIVE',
        `replication slot ${context.slot} is in use by another connection: ${reason}`,
        {
          transient: true,
          cause,
        },
      );
    case '58P01':
      return new OperatorError(
        'PG_SLOT_LOST',
        `the source no longer has the log that replication slot ${context.slot} needs (${reason}); the changes in it cannot be delivered any more`,
        { fix: 'Drop the slot, create it anew, copy the data again, and start over with a fresh checkpoint.', cause },
      );
    case '42501':
      return new OperatorError('PG_NO_REPLICATION_PRIVILEGE', `the source refused to start replication: ${reason}`, {
        fix: 'ALTER ROLE <user> REPLICATION;',
        cause,
      });
    case '53300':
      return new OperatorError('PG_NO_WAL_SENDERS', `the source has no connection left for replication: ${reason}`, {
        fix: 'ALTER SYSTEM SET max_wal_senders = 20; -- then restart the server',
        transient: true,
        cause,
      });
    default:
      return new OperatorError('PG_SOURCE_ERROR', `error received from source database: ${reason} (${cause.code})`, {
        fix: cause.hint,
        transient: TRANSIENT.test(cause.code),
        cause,
      });
  }
}
