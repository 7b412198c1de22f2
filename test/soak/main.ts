import { parseArgs } from 'node:util';
import { chooseSeed, type Pace } from '../faults/workload.ts';
import { soak } from './soak.ts';
import { SOURCES, type SourceName } from './streams.ts';

const PACE: Pace = { sessions: 3, pause: 120, look: 250, schemaChanges: false, large: 16_000 };

const USAGE = 'npm run soak -- [--minutes 30] [--source postgres,mysql] [--restartEvery SECONDS]\n';

/** Two minutes, or what leaves room for some rounds of both kinds in a short run. */
function restartInterval(minutes: number): number {
  return Math.min(120, (minutes * 60) / 6);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      source: { type: 'string', default: SOURCES.join() },
      restartEvery: { type: 'string' },
    },
  });
  const minutes = Number(values.minutes);
  const restartEvery = Number(values.restartEvery ?? restartInterval(minutes));
  const sources = values.source.split(',');
  if (!(minutes >= 1) || !(restartEvery > 0) || !sources.every(isSource)) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  const seed = chooseSeed();
  const started = Date.now();
  const report = (line: string) => {
    const at = Math.round((Date.now() - started) / 1000);
    process.stdout.write(`${Math.floor(at / 60)}:${String(at % 60).padStart(2, '0')} ${line}\n`);
  };
  report(
    `${minutes} minutes from ${sources.join(' and ')}, each server restarted every ${restartEvery} s, INSTAR_SEED=${seed}`,
  );
  const cleanups: (() => void | Promise<void>)[] = [];
  try {
    await soak(
      { after: (action) => void cleanups.push(action) },
      {
        ...{ sources, seed, report, pace: PACE },
        ...{ duration: minutes * 60_000, restartEvery: restartEvery * 1000, reportEvery: 60_000 },
      },
    );
    report('kept: equal at the end, memory flat, nothing piled up');
  } catch (error) {
    report(`NOT kept: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  } finally {
    // The last that was made goes first.
    for (const action of cleanups.reverse()) await action();
  }
}

function isSource(name: string): name is SourceName {
  return (SOURCES as readonly string[]).includes(name);
}

await main();
