import { OperatorError } from '../../errors.ts';

/**
 * Something in the binlog stream that does not have the shape that the server's documentation gives it. `event` names where
 * (`TABLE_MAP`, `row of shop.orders`), `problem` what. Reconnecting cannot help when the server really sends this, but
 * nothing was applied from the transaction, so nothing is lost.
 */
export function protocolError(event: string, problem: string): OperatorError {
  return new OperatorError(
    'MYSQL_PROTOCOL',
    `malformed binlog data in ${event}: ${problem}; nothing of its transaction was applied`,
    {
      fix:
        'Check that the connection goes to the server itself and not through a proxy that changes the stream, and read the ' +
        'same event with mysqlbinlog --verify-binlog-checksum: when that fails too, the binlog file is damaged.',
    },
  );
}
