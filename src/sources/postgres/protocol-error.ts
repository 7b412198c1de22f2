import { OperatorError } from '../../errors.ts';

/**
 * A message that does not have the shape that the protocol gives it. `offset` counts bytes from the message's type byte.
 * Reconnecting cannot help when the server really sends this, but nothing was applied from the message, so nothing is lost.
 */
export function protocolError(message: string, offset: number, problem: string): OperatorError {
  return new OperatorError(
    'PG_PROTOCOL',
    `malformed replication message ${message} at byte ${offset}: ${problem}; nothing of its transaction was applied`,
    { fix: 'Check that the connection goes to PostgreSQL itself and not through a proxy that changes the stream.' },
  );
}

/** How an operator may look up a message type: its letter, or its code when it has none. */
export function messageName(type: number): string {
  return type > 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16).padStart(2, '0')}`;
}
