import { Text } from 'ink';
import { Line } from './line.tsx';
import { useTheme } from './theme.ts';
import { textWidth } from './width.ts';

const GAP = 2;

/** The steps of a longer way in one line: those done, the present one, those to come. Where they do not fit, the present one alone. */
export function Trail({ steps, current, columns }: { steps: readonly string[]; current: number; columns: number }) {
  const { color, symbol } = useTheme();
  const signs = steps.map((_, index) => {
    if (index === current) return symbol.running;
    return index < current ? symbol.passed : symbol.waiting;
  });
  const colors = steps.map((_, index) => {
    if (index === current) return color.accent;
    return index < current ? color.success : color.muted;
  });
  const width = steps.reduce((sum, step) => sum + 2 + textWidth(step) + GAP, -GAP);
  const named = width <= columns;
  return (
    <Line>
      {steps.map((step, index) => (
        <Text key={step}>
          <Text color={colors[index]} bold={index === current}>
            {signs[index]}
          </Text>
          {named && (
            <Text color={index === current ? color.accent : color.muted} bold={index === current}>
              {` ${step}`}
            </Text>
          )}
          {' '.repeat(named && index < steps.length - 1 ? GAP : 0)}
        </Text>
      ))}
      {!named && (
        <Text>
          {`  step ${current + 1} of ${steps.length}: `}
          <Text color={color.accent} bold>
            {steps[current]}
          </Text>
        </Text>
      )}
    </Line>
  );
}
