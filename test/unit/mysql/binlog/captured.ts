import { readFileSync } from 'node:fs';
import path from 'node:path';
import { eventsOf } from '../../../harness/binlog.ts';

/** The events of a capture of a real server's log. */
export function captured(name: string): Buffer[] {
  return eventsOf(readFileSync(path.join(import.meta.dirname, '..', 'captures', `${name}.binlog`)));
}

/** The number of the server is another one in each capture. */
export function withoutUuid(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^[0-9a-f]{8}-[0-9a-f-]{27}:/, ''));
}
