import { Text } from 'ink';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

/** The steps of a longer way in one line: those done, the present one, those to come. Where they do not fit, the present one alone. */
export function Trail({ steps, current, columns }: { steps: readonly string[]; current: number; columns: number }) {
  const { color, symbol } = useTheme();
  const width = steps.reduce((sum, step) => sum + textWidth(step) + 2, 0) + (steps.length - 1) * 3;
  if (width > columns) {
    return (
      <Line color={color.muted}>
        {`step ${current + 1} of ${steps.length} `}
        <Text color={color.accent} bold>
          {steps[current]}
        </Text>
      </Line>
    );
  }
  return (
    <Line>
      {steps.map((step, index) => (
        <Text key={step}>
          {index > 0 && <Text color={color.muted}>{` ${symbol.separator} `}</Text>}
          {index < current && (
            <Text color={color.muted}>
              <Text color={color.success}>{symbol.passed}</Text> {step}
            </Text>
          )}
          {index === current && (
            <Text bold color={color.accent}>
              {symbol.running} {step}
            </Text>
          )}
          {index > current && <Text color={color.muted}>{`${symbol.waiting} ${step}`}</Text>}
        </Text>
      ))}
    </Line>
  );
}
