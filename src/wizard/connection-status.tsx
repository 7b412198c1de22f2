import { Box, Text } from 'ink';
import { errorText } from '../log/log-error.ts';
import { OperatorError } from '../errors.ts';
import { type ErrorCode, explanationOf, plain } from '../explanations/table.ts';
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
      return <Failure title={titleOf(error.code)} text={error.message} fix={error.fix} />;
    }
  }
}

/** What kind of failure it is, before all that is known of it. */
function titleOf(code: ErrorCode): string {
  return plain(explanationOf(code)?.what ?? 'Not connected').split(/[:;.]/, 1)[0];
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
