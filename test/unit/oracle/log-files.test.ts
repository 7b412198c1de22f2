import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ARCHIVED_LOGS,
  collectLogFiles,
  ONLINE_LOGS,
  type RedoThread,
  readThreads,
  THREADS,
} from '../../../src/sources/oracle/log-files.ts';
import { answering } from '../../harness/oracle-answers.ts';

type Row = readonly (string | null)[];

/** Log `sequence` of a thread holds the hundred SCNs from a hundred times that on. */
const bounds = (sequence: number) => [String(sequence * 100), String(sequence * 100 + 100)];
const archived = (thread: number, sequence: number, status = 'A'): Row => [
  status === 'A' ? `/arch/${thread}_${sequence}` : null,
  ...[String(thread), String(sequence), ...bounds(sequence), status],
];
const online = (thread: number, sequence: number): Row => [
  `/redo/${thread}_${sequence}`,
  ...[String(thread), String(sequence), ...bounds(sequence)],
];
const current = (thread: number, sequence: number): Row => [
  ...online(thread, sequence).slice(0, 4),
  '9295429630892703743',
];
const thread = (number: number, more: Partial<RedoThread> = {}): RedoThread => ({
  ...{ number: String(number), open: true, enabled: 1n, checkpoint: 0n, lastRedo: 10_000n, disabled: false },
  ...more,
});

/** Names of the files for a range, of a server that has these. */
async function files(
  logs: { readonly archived?: readonly Row[]; readonly online?: readonly Row[] },
  [from, to]: readonly [number, number],
  threads = [thread(1)],
  patience: 'wait' | 'over' = 'wait',
): Promise<string[]> {
  const server = new Map([
    [ARCHIVED_LOGS, logs.archived ?? []],
    [ONLINE_LOGS, logs.online ?? []],
  ]);
  const found = await collectLogFiles(answering(server), BigInt(from), BigInt(to), threads, patience);
  return found.map(({ name }) => name);
}

test('the archived copy of a log is read rather than the online one, which may be written over', async () => {
  const logs = { archived: [archived(1, 4), archived(1, 5)], online: [online(1, 5), current(1, 6)] };
  assert.deepEqual(await files(logs, [450, 650]), ['/arch/1_4', '/arch/1_5', '/redo/1_6']);
  assert.deepEqual(await files(logs, [450, 499]), ['/arch/1_4']);
  assert.deepEqual(await files({ ...logs, archived: [archived(1, 4)] }, [500, 599]), ['/redo/1_5']);
});

test('a hole is waited for while it may be on its way to the archive, and is never mined across', async () => {
  const hole = { archived: [archived(1, 4), archived(1, 6)], online: [current(1, 7)] };
  await assert.rejects(files(hole, [450, 750]), { code: 'ORACLE_LOG_NOT_YET', transient: true });
  await assert.rejects(files(hole, [450, 750], [thread(1)], 'over'), { code: 'ORACLE_LOG_MISSING' });
  assert.deepEqual(await files(hole, [450, 499]), ['/arch/1_4'], 'behind what is asked for it does not matter');
  const deleted = { archived: [archived(1, 4), archived(1, 5, 'D'), archived(1, 6)], online: [current(1, 7)] };
  await assert.rejects(files(deleted, [450, 750]), { code: 'ORACLE_LOG_MISSING', transient: false });
});

test('every thread has to have its redo: from where it was enabled, to where it was closed', async () => {
  const logs = { archived: [archived(1, 4), archived(2, 5)], online: [current(1, 5)] };
  await assert.rejects(files(logs, [450, 550], [thread(1), thread(2)]), { code: 'ORACLE_LOG_NOT_YET' });
  const all = ['/arch/1_4', '/redo/1_5', '/arch/2_5'];
  assert.deepEqual(await files(logs, [450, 550], [thread(1), thread(2, { enabled: 500n })]), all);
  const closed = { open: false, checkpoint: 550n };
  assert.deepEqual(await files(logs, [510, 900], [thread(1), thread(2, closed)]), ['/redo/1_5', '/arch/2_5']);
  assert.deepEqual(await files(logs, [560, 900], [thread(1), thread(2, closed)]), ['/redo/1_5']);
  const early = { open: false, checkpoint: 300n };
  assert.deepEqual(await files(logs, [450, 550], [thread(1), thread(2, early)]), ['/arch/1_4', '/redo/1_5']);
});

test('what a thread wrote before it was disabled is read, up to where its logs end', async () => {
  const removed = thread(2, { open: false, checkpoint: 650n, disabled: true });
  const logs = { archived: [archived(1, 4), archived(2, 4), archived(2, 5)], online: [current(1, 5)] };
  const all = ['/arch/1_4', '/redo/1_5', '/arch/2_4', '/arch/2_5'];
  assert.deepEqual(await files(logs, [450, 900], [thread(1), removed]), all);
  const purged = { ...logs, archived: [archived(1, 4), archived(2, 4), archived(2, 5, 'D')] };
  await assert.rejects(files(purged, [450, 900], [thread(1), removed]), { code: 'ORACLE_LOG_MISSING' });
  assert.deepEqual(await files(logs, [651, 900], [thread(1), removed]), ['/redo/1_5']);
  const row = ['2', 'CLOSED', '1', '650', '640', 'DISABLED'];
  assert.deepEqual(await readThreads(answering(new Map([[THREADS, [row]]]))), [{ ...removed, lastRedo: 640n }]);
  assert.match(THREADS, /'DISABLED'/, 'the server is asked for such threads');
});
