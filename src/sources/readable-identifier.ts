import { escapeIdentifier } from 'pg';

/** An identifier as a person would write it in SQL: quoted only when it must be. For messages; what is sent is always quoted. */
export function readableIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : escapeIdentifier(name);
}
