import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { OperatorError } from '../errors.ts';

/** What a replication may be called: its name is part of file names. */
export const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;

/**
 * The folder that everything saved is in: `INSTAR_HOME`, else the place for settings of the user's system
 * (XDG Base Directory Specification; `~/Library/Preferences` on macOS). It is made when missing, closed to others (0700).
 * @throws OperatorError SESSION_FOLDER when it is not a directory of this user's own, or cannot be written.
 */
export function stateFolder(env: NodeJS.ProcessEnv): string {
  const home = env.HOME ?? homedir();
  const settings = env.XDG_CONFIG_HOME || join(home, process.platform === 'darwin' ? 'Library/Preferences' : '.config');
  return closedFolder(env.INSTAR_HOME || join(settings, 'instar'));
}

/** Makes a directory that only this user can enter, or closes it when it is open to others. */
export function closedFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    if (!found.isDirectory()) throw new Error('it is not a directory');
    if (process.getuid !== undefined && found.uid !== process.getuid()) throw new Error('it belongs to another user');
    if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700);
    return path;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OperatorError('SESSION_FOLDER', `replications cannot be saved in ${path}: ${reason}`, {
      fix: 'INSTAR_HOME=/a/folder/of/your/own instar',
      cause,
    });
  }
}
