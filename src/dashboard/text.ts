import { formatBytes, formatCount, formatRate, formatSeconds, padEnd } from '../terminal/format.ts';
import { transactionsText } from './position.ts';
import type { Reading } from './reading.ts';
import { retentionSentence } from './retention.ts';
import { miningText } from './mining.ts';
import { scriptText } from './script.ts';
import { ago, lagAmount, STATE_WORDS, staleness, troubleLine, trendText } from './words.ts';

/** Tables told of without a terminal: the busiest. */
const TABLES = 10;

/** How a replication is doing, in lines for a person; each ends with a line break. */
export function statusText(reading: Reading): string {
  const { lag, position } = reading;
  const passed = (time: number | undefined) => (time === undefined ? undefined : ago(reading.at - time));
  const rows: [label: string, text: string | undefined][] = [
    ['state', [STATE_WORDS[lag.state], lag.reason].filter((part) => part !== undefined).join(': ')],
    ['stale', staleness(reading)],
    ['from', reading.source],
    ['to', reading.target],
    ['lag', [lagAmount(reading), trendText(reading)].filter((part) => part !== '').join('; ')],
    ['last minute', lag.p50 === undefined ? undefined : `p50 ${formatSeconds(lag.p50)}, p99 ${formatSeconds(lag.p99)}`],
    ['throughput', throughput(reading)],
    ['last change', passed(lag.lastEvent)],
    ['source heard', passed(lag.lastHeartbeat)],
    ['applied', position.applied],
    ['source is at', position.source],
    ['waiting', lag.transactions === undefined ? undefined : transactionsText(lag.transactions)],
    ['log', retentionSentence(reading.retained)],
    ['LogMiner', reading.mining && miningText(reading.mining)],
    ['script', reading.script && scriptText(reading.script)],
    ['bottleneck', reading.stages.find(({ bottleneck }) => bottleneck)?.name],
    ['dead letters', deadLetters(reading)],
  ];
  const facts = rows.filter(([, text]) => text !== undefined).map(([label, text]) => `${padEnd(label, 13)} ${text}`);
  return `${[...facts, ...tables(reading), ...troubles(reading)].join('\n')}\n`;
}

/** One line, for those who read or log what comes line by line; without a line break. */
export function statusLine(reading: Reading): string {
  const { lag, silence } = reading;
  const time = new Date(reading.at + reading.staleFor).toISOString().replace(/\.\d+Z$/, 'Z');
  const parts = [
    `${time} ${STATE_WORDS[lag.state]}${lag.reason === undefined ? '' : `: ${lag.reason}`}`,
    ...(silence === undefined ? [] : [staleness(reading)]),
    `lag ${lagAmount(reading)}${trendText(reading) === '' ? '' : ` (${trendText(reading)})`}`,
    throughput(reading),
    ...(reading.position.applied === undefined ? [] : [`applied ${reading.position.applied}`]),
    retentionSentence(reading.retained),
    deadLetters(reading),
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** In a replay, the line for a time in which no snapshot was written. */
export function replayGap(from: number, to: number): string {
  const iso = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  return `${iso(from)} nothing was written for ${formatSeconds(Math.round((to - from) / 1000))}, until ${iso(to)}`;
}

/** The same for programs. Names carry their units; null is what is not known. Times are ISO 8601. */
export function statusJson(reading: Reading): object {
  const { lag, position, retained } = reading;
  const time = (milliseconds: number | undefined) =>
    milliseconds === undefined ? null : new Date(milliseconds).toISOString();
  return {
    at: time(reading.at),
    state: lag.state,
    reason: lag.reason ?? null,
    stale: reading.staleFor > 0,
    staleSeconds: reading.staleFor / 1000,
    kind: reading.kind ?? null,
    source: reading.source ?? null,
    target: reading.target ?? null,
    pid: reading.pid ?? null,
    startedAt: time(reading.startedAt),
    engineState: reading.engineState ?? null,
    paused: reading.paused,
    lag: {
      seconds: lag.seconds ?? null,
      bytes: lag.bytes ?? null,
      p50Seconds: lag.p50 ?? null,
      p99Seconds: lag.p99 ?? null,
      trend: lag.trend ?? null,
      caughtUpInSeconds: lag.caughtUpIn ?? null,
      lastEvent: time(lag.lastEvent),
      lastHeartbeat: time(lag.lastHeartbeat),
    },
    rowsPerSecond: reading.rowsPerSecond ?? null,
    bytesPerSecond: reading.bytesPerSecond ?? null,
    position: {
      source: position.source ?? null,
      applied: position.applied ?? null,
      distanceBytes: position.distance ?? null,
      waitingTransactions: lag.transactions ?? null,
    },
    retained: {
      bytes: retained.bytes ?? null,
      limitBytes: retained.limit ?? null,
      bytesPerHour: retained.bytesPerHour ?? null,
      secondsLeft: retained.secondsLeft ?? null,
      walStatus: retained.walStatus ?? null,
    },
    stages: reading.stages.map(({ name, text, load, bottleneck }) => ({ name, text, load: load ?? null, bottleneck })),
    tables: reading.tables.map(({ lagSeconds, ...table }) => ({ ...table, lagSeconds: lagSeconds ?? null })),
    script:
      reading.script === undefined
        ? null
        : {
            passedPerSecond: reading.script.passedPerSecond ?? null,
            droppedPerSecond: reading.script.droppedPerSecond ?? null,
            dropped: reading.script.dropped,
            busy: reading.script.busy ?? null,
            failures: reading.script.failures,
          },
    mining: reading.mining === undefined ? null : { ...reading.mining, window: reading.mining.window ?? null },
    troubles: reading.troubles.map(({ at, code, message, fix, table }) => ({
      at: time(at),
      code,
      message,
      fix: fix ?? null,
      table: table ?? null,
    })),
    deadLetters: reading.deadLetters ?? null,
    deadLetterTable: reading.deadLetterTable ?? null,
  };
}

function throughput({ rowsPerSecond, bytesPerSecond }: Reading): string | undefined {
  if (rowsPerSecond === undefined && bytesPerSecond === undefined) return undefined;
  const bytes = bytesPerSecond === undefined ? '' : `, ${formatBytes(bytesPerSecond)}/s`;
  return `${formatRate(rowsPerSecond)} rows${bytes}`.replace('/s rows', ' rows/s');
}

function deadLetters({ deadLetters, deadLetterTable }: Reading): string | undefined {
  if (!deadLetters) return undefined;
  const what = deadLetters === 1 ? '1 source transaction' : `${formatCount(deadLetters)} source transactions`;
  return `${what} in the dead-letter table${deadLetterTable === undefined ? '' : ` ${deadLetterTable}`}`;
}

function tables(reading: Reading): string[] {
  if (reading.tables.length === 0) return [];
  const rows = (table: Reading['tables'][number]) => table.upserts + table.deletes;
  const busiest = [...reading.tables]
    .sort((a, b) => b.errors - a.errors || b.rowsPerSecond - a.rowsPerSecond || rows(b) - rows(a))
    .slice(0, TABLES);
  const width = Math.max(...busiest.map(({ name }) => name.length), 20);
  const more = reading.tables.length - busiest.length;
  return [
    '',
    `${padEnd('table', width)}  ${'upserts'.padStart(11)}  ${'deletes'.padStart(11)}  ${'errors'.padStart(7)}  ${'rows'.padStart(9)}`,
    ...busiest.map(
      (table) =>
        `${padEnd(table.name, width)}  ${formatCount(table.upserts).padStart(11)}  ${formatCount(table.deletes).padStart(11)}  ${formatCount(table.errors).padStart(7)}  ${formatRate(table.rowsPerSecond).padStart(9)}`,
    ),
    ...(more > 0 ? [`and ${formatCount(more)} more`] : []),
  ];
}

function troubles(reading: Reading): string[] {
  return reading.troubles
    .slice(0, 5)
    .flatMap((trouble) => [
      '',
      `${new Date(trouble.at).toISOString()} ${troubleLine(trouble)}`,
      ...(trouble.fix === undefined ? [] : trouble.fix.split('\n').map((line) => `    ${line}`)),
    ]);
}
