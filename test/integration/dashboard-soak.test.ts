import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOAK = fileURLToPath(new URL('../harness/dashboard-soak.ts', import.meta.url));
const JSX = new URL('../harness/jsx.ts', import.meta.url).href;

interface Result {
  readonly cpuPerUpdate: number;
  readonly bytesPerUpdate: number;
  readonly heapGrown: number;
  readonly measures: number;
}

test('10,000 updates of the dashboard: flat memory, under 3% of a core at one a second, few bytes', {
  timeout: 300_000,
}, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', JSX, SOAK, '10000'], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const result: Result = JSON.parse(stdout.slice(stdout.indexOf('{'), stdout.lastIndexOf('}') + 1));
  assert(result.heapGrown < 4e6, `${(result.heapGrown / 1e6).toFixed(1)} MB more after 9,000 updates`);
  assert(result.cpuPerUpdate < 30, `${result.cpuPerUpdate.toFixed(1)} ms of a core for an update`);
  assert(result.bytesPerUpdate < 5000, `${result.bytesPerUpdate.toFixed(0)} bytes for an update`);
  // React and Ink keep no record of each update.
  assert.equal(result.measures, 0);
});
