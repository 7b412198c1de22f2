import { test } from 'node:test';
import { soak } from '../soak/soak.ts';
import { chooseSeed } from './workload.ts';

test('under load, with every server restarted and crashed in turn: equal at the end, memory flat, nothing piles up', {
  skip: process.platform !== 'linux' && 'processes are looked at through /proc',
  timeout: 420_000,
}, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`seed ${seed}`);
  // As `npm run soak`, but short, and with so little to do that the tests beside it do not notice.
  await soak(t, {
    seed,
    sources: ['postgres', 'mysql'],
    duration: 150_000,
    restartEvery: 25_000,
    pace: { sessions: 2, pause: 400, look: 500, schemaChanges: false, large: 40_000 },
    report: (line) => t.diagnostic(line),
    reportEvery: 60_000,
  });
});
