import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { MysqlServer } from '../servers/mysql.ts';

/** An event as it stands in a file of the binary log. */
export interface LoggedEvent {
  readonly type: number;
  /** What follows the header, without the checksum. */
  readonly body: Buffer;
}

const MAGIC = 4;
const HEADER = 19;
const CHECKSUM = 4;

/** The events of all files of a server's binary log. */
export async function loggedEvents(server: MysqlServer): Promise<LoggedEvent[]> {
  const files = await server.query<{ Log_name: string }>('SHOW BINARY LOGS');
  return files.flatMap(({ Log_name }) => eventsOf(readFileSync(path.join(server.dataDir, Log_name))));
}

function eventsOf(file: Buffer): LoggedEvent[] {
  const events: LoggedEvent[] = [];
  for (let at = MAGIC; at < file.length; ) {
    const end = at + file.readUInt32LE(at + 9);
    events.push({ type: file[at + 4], body: file.subarray(at + HEADER, end - CHECKSUM) });
    at = end;
  }
  return events;
}
