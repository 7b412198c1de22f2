import { Box, Text } from 'ink';
import { errorText } from '../log/log-error.ts';
import { OperatorError } from '../errors.ts';
import type { ConnectionFacts } from '../preflight/connection-test.ts';
import { clean, formatSeconds } from '../terminal/format.ts';
import { Line } from '../terminal/line.tsx';
import { Prose } from '../terminal/prose.tsx';
import { Busy } from '../terminal/spinner.tsx';
import { useTheme } from '../terminal/theme.ts';
import type { ConnectionTest } from './use-connection-test.ts';

const PRODUCTS = {
  postgresql: 'PostgreSQL',
  cockroachdb: 'CockroachDB',
  mysql: 'MySQL',
  mariadb: 'MariaDB',
  oracle: 'Oracle',
} as const;

/** What kind of failure it is, in a few words, before all that is known of it. */
const REASONS: Readonly<Record<string, string>> = {
  PG_CONNECTION_REFUSED: 'Nothing listens there',
  PG_HOST_NOT_FOUND: 'There is no such host',
  PG_UNREACHABLE: 'The host cannot be reached',
  PG_TIMEOUT: 'No answer',
  PG_TLS: 'TLS does not work out',
  PG_PASSWORD: 'The password is not accepted',
  PG_NO_DATABASE: 'There is no such database',
  PG_HBA: 'The server does not let you in from here (pg_hba.conf)',
  PG_PERMISSION: 'The user may not connect',
  PG_TOO_MANY_CONNECTIONS: 'The server has no connection left',
  PG_STARTING: 'The server is starting or stopping',
  MYSQL_CONNECTION_REFUSED: 'Nothing listens there',
  MYSQL_HOST_NOT_FOUND: 'There is no such host',
  MYSQL_UNREACHABLE: 'The host cannot be reached',
  MYSQL_TIMEOUT: 'No answer',
  MYSQL_SILENT: 'No answer',
  MYSQL_NOT_MYSQL: 'What answers there is no MySQL or MariaDB server',
  MYSQL_TLS: 'TLS does not work out',
  MYSQL_CERTIFICATE: 'TLS does not work out',
  MYSQL_TLS_REQUIRED: 'The server insists on TLS',
  MYSQL_PASSWORD: 'The password is not accepted',
  MYSQL_PASSWORD_EXPIRED: 'The password has expired',
  MYSQL_ACCOUNT_LOCKED: 'The account is locked',
  MYSQL_AUTH_PLUGIN: 'The server asks for a way to log in that is not known here',
  MYSQL_NO_DATABASE: 'There is no such database',
  MYSQL_DATABASE_DENIED: 'The user may not use this database',
  MYSQL_HOST_DENIED: 'The server does not let you in from here',
  MYSQL_HOST_BLOCKED: 'The server does not let you in from here',
  MYSQL_TOO_MANY_CONNECTIONS: 'The server has no connection left',
  MYSQL_STARTING: 'The server is starting or stopping',
  CONNECTION_REFERENCE_UNSET: 'The variable is not set',
};

interface ConnectionStatusProps {
  readonly test: ConnectionTest;
  /** Why what answers cannot be used. */
  readonly problem: string | undefined;
  /** What else is to be known. */
  readonly note: string | undefined;
  readonly warning: string | undefined;
}

/** How the test of a connection went. */
export function ConnectionStatus({ test, problem, note, warning }: ConnectionStatusProps) {
  const { color, symbol } = useTheme();
  return (
    <Box flexDirection="column" flexShrink={0}>
      {note !== undefined && <Line color={color.muted}>{note}</Line>}
      <Outcome test={test} problem={problem} />
      {warning !== undefined && <Line color={color.warning}>{`${symbol.advisory} ${warning}`}</Line>}
    </Box>
  );
}

function Outcome({ test, problem }: Pick<ConnectionStatusProps, 'test' | 'problem'>) {
  const { color, symbol } = useTheme();
  switch (test.at) {
    case 'idle':
      return <Line color={color.muted}>It is tested as soon as there is enough to connect with.</Line>;
    case 'testing':
      return <Busy label="connecting" />;
    case 'passed':
      if (problem !== undefined) return <Failure title={`Connected to ${productText(test.facts)}`} text={problem} />;
      return (
        <Box flexDirection="column" flexShrink={0}>
          <Line>
            <Text color={color.success} bold>{`${symbol.passed} Connected`}</Text>
            <Text>{` to ${productText(test.facts)}`}</Text>
          </Line>
          <Line color={color.muted}>{`  ${factsText(test.facts)}`}</Line>
        </Box>
      );
    case 'failed': {
      const { error } = test;
      if (!(error instanceof OperatorError)) return <Failure title="It cannot be tested" text={errorText(error)} />;
      return <Failure title={REASONS[error.code] ?? 'Not connected'} text={error.message} fix={error.fix} />;
    }
  }
}

/** "CockroachDB 26.2.1". */
export function productText({ product, version }: ConnectionFacts): string {
  return `${PRODUCTS[product]} ${version}`;
}

function factsText({ database, user, encrypted, latency }: ConnectionFacts): string {
  const privacy = encrypted ? 'encrypted' : 'not encrypted';
  return `database ${database}, user ${user}, ${privacy}, answers within ${formatSeconds(latency / 1000)}`;
}

function Failure({ title, text, fix }: { title: string; text: string; fix?: string }) {
  const { color, symbol } = useTheme();
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Line color={color.danger} bold>{`${symbol.failed} ${title}`}</Line>
      <Box flexDirection="column" flexShrink={0} paddingLeft={2}>
        <Prose text={clean(text)} indent={2} />
        {fix?.split('\n').map((line) => (
          <Prose key={line} text={`${symbol.arrow} ${clean(line)}`} indent={2} color={color.accent} />
        ))}
      </Box>
    </Box>
  );
}
