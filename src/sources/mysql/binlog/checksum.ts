import { crc32 } from 'node:zlib';
import { OperatorError } from '../../../errors.ts';
import { CHECKSUM, EventType, eventName, HeaderField, HeaderFlag } from './event-types.ts';

/**
 * Compares an event, header and checksum included, with its checksum: CRC32 of all that stands before it.
 * @throws OperatorError MYSQL_CHECKSUM
 */
export function verifyChecksum(buffer: Buffer, start: number, end: number): void {
  const stored = buffer.readUInt32LE(end - CHECKSUM);
  if (crc32(buffer.subarray(start, end - CHECKSUM)) === stored) return;
  const type = buffer[start + HeaderField.type];
  // The server marks a file that it is writing after it has computed the checksum of the file's first event.
  if (type === EventType.FORMAT_DESCRIPTION && crcWithoutInUse(buffer, start, end) === stored) return;
  throw new OperatorError(
    'MYSQL_CHECKSUM',
    `the checksum of an event (${eventName(type)}) does not match: it was damaged in the log file or on the way; nothing of its transaction was applied`,
    {
      fix:
        'Start again. When it comes back, look at the log file on the source: mysqlbinlog --verify-binlog-checksum <file> >/dev/null\n' +
        'If the file is damaged, connect to a replica of the source, or copy the data again and start from the GTID set of that copy.',
    },
  );
}

function crcWithoutInUse(buffer: Buffer, start: number, end: number): number {
  const flags = start + HeaderField.flags;
  const head = crc32(buffer.subarray(start, flags));
  const cleared = crc32(Buffer.from([buffer[flags] & ~HeaderFlag.inUse]), head);
  return crc32(buffer.subarray(flags + 1, end - CHECKSUM), cleared);
}
