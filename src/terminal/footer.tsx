import { Text } from 'ink';
import { fitHints, footerHints, HINT_GAP } from './hints.ts';
import { useReachableKeys } from './key-bindings.tsx';
import { Line } from './line.tsx';
import { noticeStyle } from './notice.tsx';
import { useTheme } from './theme.ts';
import { type ToastMessage, useToastMessage } from './toast.tsx';

interface FooterProps {
  readonly columns: number;
  /** Lines for the keys. */
  readonly rows: number;
  /** Whether a line parts it from the body; messages appear there, else in place of the keys. */
  readonly rule: boolean;
}

/** What can be pressed now, and for a few seconds what has just happened. */
export function Footer({ columns, rows, rule }: FooterProps) {
  const { color, symbol, ascii } = useTheme();
  const layers = useReachableKeys();
  const message = useToastMessage();
  const lines = fitHints(footerHints(layers, ascii), columns, rows);
  if (!rule && message !== undefined) return <Toast message={message} />;
  return (
    <>
      {rule &&
        (message === undefined ? (
          <Line color={color.muted}>{symbol.rule.repeat(columns)}</Line>
        ) : (
          <Toast message={message} />
        ))}
      {Array.from({ length: rows }, (_, row) => (
        <Line key={row}>
          {(lines[row] ?? []).map(({ key, label }, index) => (
            <Text key={key + label}>
              {index > 0 && ' '.repeat(HINT_GAP)}
              <Text bold>{key}</Text>
              <Text color={color.muted}> {label}</Text>
            </Text>
          ))}
        </Line>
      ))}
    </>
  );
}

function Toast({ message }: { message: ToastMessage }) {
  const theme = useTheme();
  const style = noticeStyle(message.kind, theme);
  return (
    <Line>
      <Text color={style.color} bold>
        {style.sign}
      </Text>
      <Text> {message.text}</Text>
    </Line>
  );
}
