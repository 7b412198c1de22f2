import { Box, Text, type TextProps } from 'ink';
import type { ReactNode } from 'react';
import {
  clean,
  cut,
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  padEnd,
  padStart,
} from '../terminal/format.ts';
import { Line } from '../terminal/line.tsx';
import { foldWords } from '../terminal/prose.tsx';
import { useBodySize } from '../terminal/screen.tsx';
import { sparkline } from '../terminal/sparkline.ts';
import { type Theme, useTheme } from '../terminal/theme.ts';
import { lagSign } from './lag-sign.ts';
import { shortPosition } from './position.ts';
import type { Reading, StageReading } from './reading.ts';
import { retentionSentence } from './retention.ts';
import { miningText } from './mining.ts';
import { scriptText } from './script.ts';
import { ago, lagAmount, staleness, trendText } from './words.ts';

const LABEL = 10;
/** "59 min 59 s" is the longest. */
const VALUE = 12;
/** Columns of p50 and p99, and the room that they need at least. */
const QUANTILES = 36;
const WITH_QUANTILES = 70;
const QUANTILE = 11;
/** A limit that will be reached within this time is told in the colour of danger, seconds. */
const URGENT = 24 * 3600;
const STAGES = 4;
/** Columns that a stage needs. */
const STAGE = 17;

interface Part {
  /** Parts with the greatest number are left out first where there is no room. */
  readonly priority: number;
  readonly height: number;
  readonly node: ReactNode;
}

interface OverviewProps {
  readonly reading: Reading;
  /** Lines that it may take; where there are fewer than it would like, the less important parts are left out. */
  readonly rows: number;
  /** There is room for what is worth knowing, but not worth a line of the tables. */
  readonly roomy: boolean;
}

/** The numbers of a replication, each at a fixed place. */
export function Overview({ reading, rows, roomy }: OverviewProps) {
  const theme = useTheme();
  const { columns } = useBodySize();
  const shown = overviewParts(reading, columns, theme, roomy);
  while (heightOf(shown) > rows) {
    const worst = Math.max(...shown.map(({ priority }) => priority));
    if (worst === 0) break;
    shown.splice(
      shown.findLastIndex(({ priority }) => priority === worst),
      1,
    );
  }
  return (
    <Box flexDirection="column" flexShrink={0}>
      {shown.map(({ node }) => node)}
    </Box>
  );
}

/** The lines that `Overview` would like to have in `columns`. */
export function overviewHeight(reading: Reading, columns: number, theme: Theme, roomy: boolean): number {
  return heightOf(overviewParts(reading, columns, theme, roomy));
}

function heightOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { height }) => sum + height, 0);
}

function overviewParts(reading: Reading, columns: number, theme: Theme, roomy: boolean): Part[] {
  const { lag, position, history } = reading;
  const stale = reading.staleFor > 0;
  const since = (time: number | undefined) => (time === undefined ? undefined : reading.at + reading.staleFor - time);
  const part = (priority: number, node: ReactNode, height = 1): Part => ({ priority, node, height });
  const urgent =
    (reading.retained.secondsLeft ?? Number.POSITIVE_INFINITY) < URGENT || reading.retained.walStatus === 'lost';
  const retention = folded(retentionSentence(reading.retained), columns - LABEL);
  const reason = folded(lag.reason, columns - 2);
  const beside = columns >= WITH_QUANTILES;
  const quantiles = `p50 ${padStart(formatSeconds(lag.p50), QUANTILE)}   p99 ${padStart(formatSeconds(lag.p99), QUANTILE)}`;
  const bytes = reading.bytesPerSecond === undefined ? '-' : `${formatBytes(reading.bytesPerSecond)}/s`;
  return [
    part(0, <StateLine key="state" reading={reading} />),
    ...reason.map((line, index) => part(index === 0 ? 1 : 5, <Line key={`reason ${index}`}>{`  ${line}`}</Line>)),
    ...(roomy && reading.source !== undefined
      ? [
          part(
            5,
            <Fact key="from" label="from">
              {clean(reading.source)}
            </Fact>,
          ),
          part(
            5,
            <Fact key="to" label="to">
              {clean(reading.target ?? '-')}
            </Fact>,
          ),
        ]
      : []),
    part(
      0,
      <Series key="lag" label="lag" stale={stale} value={formatSeconds(lag.seconds)} values={history.lagSeconds}>
        {beside ? quantiles : undefined}
      </Series>,
    ),
    ...(beside
      ? []
      : [
          part(
            3,
            <Fact key="quantiles" label="">
              {quantiles}
            </Fact>,
          ),
        ]),
    part(
      1,
      <Series
        key="rows"
        label="rows"
        stale={stale}
        value={formatRate(reading.rowsPerSecond)}
        values={history.rowsPerSecond}
      />,
    ),
    part(3, <Series key="bytes" label="bytes" stale={stale} value={bytes} values={history.bytesPerSecond} />),
    part(
      3,
      <Fact key="heard" label="last">
        {`change ${ago(since(lag.lastEvent))}, word from the source ${ago(since(lag.lastHeartbeat))}`}
      </Fact>,
    ),
    part(
      2,
      lag.transactions === undefined ? (
        <Fact key="position" label="position">
          {`applied ${position.applied ?? '-'}   source ${position.source ?? '-'}${position.distance === undefined ? '' : `   ${formatBytes(position.distance)} apart`}`}
        </Fact>
      ) : (
        <Fact key="position" label="applied">
          {`${gtids(position.applied, columns - LABEL - WAITING)}   ${formatCount(lag.transactions)} waiting`}
        </Fact>
      ),
    ),
    ...(retention.length === 0
      ? []
      : [
          part(
            urgent ? 1 : 2,
            <Box key="log" flexDirection="column" flexShrink={0}>
              {retention.map((line, index) => (
                <Fact key={line} label={index === 0 ? 'log' : ''} color={urgent ? theme.color.danger : undefined}>
                  {line}
                </Fact>
              ))}
            </Box>,
            retention.length,
          ),
        ]),
    ...(reading.mining === undefined
      ? []
      : [
          part(
            2,
            <Fact key="mining" label="LogMiner">
              {miningText(reading.mining)}
            </Fact>,
          ),
        ]),
    ...(reading.script === undefined
      ? []
      : [
          part(
            reading.script.failures > 0 ? 2 : 4,
            <Fact key="script" label="script" color={reading.script.failures > 0 ? theme.color.warning : undefined}>
              {scriptText(reading.script)}
            </Fact>,
          ),
        ]),
    part(4, <Stages key="stages" stages={reading.stages} />, Math.floor(columns / STAGES) < STAGE ? 1 : 2),
  ];
}

/** Columns of what stands behind a GTID set. */
const WAITING = '   12,345 waiting'.length;

function gtids(set: string | undefined, columns: number): string {
  return set === undefined || set === '' ? '-' : shortPosition(set, columns);
}

/** At most two lines of a sentence. */
function folded(text: string | undefined, columns: number): string[] {
  return text === undefined ? [] : foldWords(clean(text), Math.max(10, columns)).slice(0, 2);
}

function StateLine({ reading }: { reading: Reading }) {
  const theme = useTheme();
  const { color } = theme;
  const state = lagSign(reading, theme);
  const stale = staleness(reading);
  const trend = trendText(reading);
  return (
    <Line>
      <Text color={state.color} bold>{`${state.sign} ${state.word}`}</Text>
      {reading.lag.state !== 'caught up' && <Text>{`   ${lagAmount(reading)} behind`}</Text>}
      {trend !== '' && <Text color={color.muted}>{`   ${trend}`}</Text>}
      {stale !== undefined && <Text color={color.danger} bold>{`   ${stale}`}</Text>}
    </Line>
  );
}

interface FactProps {
  readonly label: string;
  readonly color?: TextProps['color'];
  readonly children: ReactNode;
}

function Fact({ label, color, children }: FactProps) {
  const theme = useTheme();
  return (
    <Line>
      <Text color={theme.color.muted}>{padEnd(label, LABEL)}</Text>
      <Text color={color}>{children}</Text>
    </Line>
  );
}

interface SeriesProps {
  readonly label: string;
  readonly stale: boolean;
  readonly value: string;
  readonly values: readonly number[];
  /** At the right, where there is room. */
  readonly children?: string;
}

/** A number at a fixed place, with how it has been. */
function Series({ label, stale, value, values, children }: SeriesProps) {
  const { ascii, color } = useTheme();
  const { columns } = useBodySize();
  const quantiles = columns >= WITH_QUANTILES;
  const width = columns - LABEL - VALUE - 2 - (quantiles ? QUANTILES : 0);
  return (
    <Line>
      <Text color={color.muted}>{padEnd(stale ? `${label}, old` : label, LABEL)}</Text>
      <Text bold={!stale} color={stale ? color.muted : undefined}>
        {padStart(value, VALUE)}
      </Text>
      {width >= 5 && (
        <Text color={stale ? color.muted : color.accent}>{`  ${sparkline(values, width, { ascii })}`}</Text>
      )}
      {quantiles && children !== undefined && <Text>{`   ${children}`}</Text>}
    </Line>
  );
}

/** The stages beside each other, each with what it does; the one that holds up the others is told by sign, word and colour. */
function Stages({ stages }: { stages: readonly StageReading[] }) {
  const { color, symbol } = useTheme();
  const { columns } = useBodySize();
  const width = Math.floor(columns / STAGES);
  if (width < STAGE) {
    const slowest = stages.find(({ bottleneck }) => bottleneck);
    return (
      <Fact label="slowest">{slowest === undefined ? 'nothing holds it up' : `${slowest.name}: ${slowest.text}`}</Fact>
    );
  }
  const title = ({ name, bottleneck }: StageReading, index: number) =>
    `${bottleneck ? `${symbol.advisory} ` : index > 0 ? `${symbol.arrow} ` : ''}${name}${bottleneck ? ' slowest' : ''}`;
  const line = (text: (stage: StageReading, index: number) => string, muted: boolean) => (
    <Line>
      {stages.map((stage, index) => (
        <Text
          key={stage.name}
          color={stage.bottleneck ? color.warning : muted ? color.muted : undefined}
          bold={stage.bottleneck}
        >
          {padEnd(cut(text(stage, index), width - 1, symbol.ellipsis), width)}
        </Text>
      ))}
    </Line>
  );
  return (
    <Box flexDirection="column" flexShrink={0}>
      {line(title, true)}
      {line(({ text }) => text, false)}
    </Box>
  );
}
