import { spawn } from 'node:child_process';
import type { ServerUser } from './server-user.ts';

/**
 * Every guard is a shell that waits for the pipe from its parent to close, which happens however the parent dies. A parent
 * that has cleaned up itself says so first.
 */
const WAIT = `
read -r word
[ "$word" = dismissed ] && exit 0
end() {
  kill -"$2" "$1"
  tries=0
  while kill -0 "$1" && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$1"
}
`;

/** Stops the server whose data lies in `$1/data`, and removes `$1`. */
const SERVER_SCRIPT = `${WAIT}
[ -f "$1/data/postmaster.pid" ] || sleep 1
if [ -f "$1/data/postmaster.pid" ]; then
  read -r pid < "$1/data/postmaster.pid"
  end "$pid" QUIT
fi
rm -rf "$1"
`;

/** Stops the process `$1` and removes the directory `$2`. */
const PROCESS_SCRIPT = `${WAIT}
end "$1" TERM
rm -rf "$2"
`;

/** Sees to it that something started by this process does not outlive it, even when this process is killed outright. */
export interface Guard {
  /** What was guarded is gone. */
  dismiss(): void;
}

/** Guards a server that has its data in the directory `data` of `base`, and the files in `base`. */
export function guardServer(base: string, user: ServerUser | undefined): Guard {
  return startGuard(SERVER_SCRIPT, [base], user);
}

/** Guards one process and the directory that it writes to. */
export function guardProcess(pid: number, directory: string): Guard {
  return startGuard(PROCESS_SCRIPT, [String(pid), directory], undefined);
}

function startGuard(script: string, args: string[], user: ServerUser | undefined): Guard {
  const guard = spawn('/bin/sh', ['-c', script, 'instar-guard', ...args], {
    cwd: '/',
    detached: true, // out of reach of the terminal's Ctrl-C
    stdio: ['pipe', 'ignore', 'ignore'],
    uid: user?.uid,
    gid: user?.gid,
  });
  guard.unref();
  const pipe = guard.stdin;
  pipe.on('error', () => {});
  // The pipe of a child is a socket, which unlike other streams can be told not to keep this process alive.
  (pipe as typeof pipe & { unref(): void }).unref();
  return { dismiss: () => void pipe.end('dismissed\n') };
}
