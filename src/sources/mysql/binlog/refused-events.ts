import { OperatorError } from '../../../errors.ts';
import type { EventBytes } from './event-bytes.ts';
import { eventName } from './event-types.ts';

const START_OVER = 'Copy the data again, and start from the GTID set of that copy.';

/** The source says that it lost changes. */
export function incident(bytes: EventBytes): OperatorError {
  const code = bytes.uint16();
  const text = bytes.text(bytes.uint8());
  return new OperatorError(
    'MYSQL_INCIDENT',
    `the source says that changes are missing in its binary log (incident ${code}: ${text}); what they were cannot be known`,
    { fix: `The error log of the source says more.\n${START_OVER}` },
  );
}

/** A transaction that no position can name. */
export function anonymousTransaction(): OperatorError {
  return new OperatorError(
    'MYSQL_ANONYMOUS_TRANSACTION',
    'the log holds a transaction without a GTID: gtid_mode was not ON all the time, and what was committed meanwhile cannot be told apart',
    { fix: `SELECT @@GLOBAL.gtid_mode; -- must be ON and stay so\n${START_OVER}` },
  );
}

/** What it means cannot be known, and it says that it matters. */
export function unknownEvent(type: number, serverVersion: string): OperatorError {
  return new OperatorError(
    'MYSQL_EVENT_UNKNOWN',
    `the binary log holds an event (${eventName(type)}) that is not known here and must not be passed over; the source is ${serverVersion}`,
    { fix: 'Use a newer version of this program, or turn off the feature of the source that makes such events.' },
  );
}
