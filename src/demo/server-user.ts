import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { OperatorError } from '../errors.ts';

/** The account that a PostgreSQL server runs under, when it is not the account of this process. */
export interface ServerUser {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Chooses the account for a PostgreSQL server: undefined means "the one of this process". Root is refused by PostgreSQL, so
 * root gets `postgres`, else `nobody`, else any other account. It must be one that the system can name, because
 * initdb looks its user up and gives up on a bare number.
 *
 * @param uid the effective user of this process; undefined where the system has no such thing
 * @param passwd the text of the account file
 * @throws OperatorError DEMO_NO_USER
 */
export function chooseServerUser(uid: number | undefined, passwd: string): ServerUser | undefined {
  const users = parsePasswd(passwd);
  if (uid !== 0) return undefined;
  const candidates = users.filter((user) => user.uid > 0);
  const chosen =
    candidates.find((user) => user.name === 'postgres') ??
    candidates.find((user) => user.name === 'nobody') ??
    candidates[0];
  if (chosen !== undefined) return chosen;
  throw new OperatorError(
    'DEMO_NO_USER',
    'PostgreSQL refuses to run as root, and this system has no other user that it could run as; nothing was started',
    { fix: "echo 'postgres:x:65534:65534::/tmp:/bin/sh' >> /etc/passwd" },
  );
}

/** The account for servers started by this process; see `chooseServerUser`. */
export function serverUser(): ServerUser | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  return chooseServerUser(0, readFileSync('/etc/passwd', 'utf8'));
}

/**
 * A directory for temporary files that the server's user can reach: the system's own, unless it lies under a directory
 * that is closed to that user (root's TMPDIR often does).
 */
export function reachableTemporaryDirectory(user: ServerUser | undefined): string {
  const system = tmpdir();
  if (user === undefined) return system;
  const reachable = [system, '/tmp', '/var/tmp'].find((directory) => canUse(directory, user));
  return reachable ?? system;
}

function parsePasswd(text: string): ServerUser[] {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4 && /^\d+$/.test(fields[2]) && /^\d+$/.test(fields[3]))
    .map((fields) => ({ name: fields[0], uid: Number(fields[2]), gid: Number(fields[3]) }));
}

function canUse(directory: string, user: ServerUser): boolean {
  try {
    accessSync(directory, constants.W_OK);
    for (let current = directory; ; current = path.dirname(current)) {
      const { mode, uid, gid } = statSync(current);
      const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
      // To enter every directory on the way, and to make and remove files in the last.
      const needed = (current === directory ? 0o3 : 0o1) << shift;
      if ((mode & needed) !== needed) return false;
      if (current === path.dirname(current)) return true;
    }
  } catch {
    return false;
  }
}
