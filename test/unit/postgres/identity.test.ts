import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../../src/errors.ts';
import {
  checkResumable,
  identityOf,
  parseTimelineHistory,
  type SystemFacts,
  type TimelineSwitch,
} from '../../../src/sources/postgres/identity.ts';
import { Lsn } from '../../../src/sources/postgres/lsn.ts';
import type { SlotFacts } from '../../../src/sources/postgres/slot.ts';

const SYSTEM: SystemFacts = { systemId: '7000', timeline: 1, flushed: Lsn.parse('0/9000'), database: 'shop' };

function slot(confirmed: string): SlotFacts {
  return {
    name: 's',
    type: 'logical',
    plugin: 'pgoutput',
    database: 'shop',
    temporary: false,
    activePid: undefined,
    activeClient: undefined,
    restart: Lsn.parse('0/100'),
    confirmed: Lsn.parse(confirmed),
    walStatus: 'reserved',
    invalidation: undefined,
    current: Lsn.parse('0/9000'),
  };
}

interface Case {
  system?: Partial<SystemFacts>;
  confirmed?: string;
  checkpoint?: string;
  stored?: Partial<Record<string, string>> | null;
  history?: TimelineSwitch[];
}

function check({ system = {}, confirmed = '0/1000', checkpoint, stored = {}, history = [] }: Case): Promise<void> {
  const merged = stored === null ? undefined : { ...identityOf(SYSTEM, 's'), ...stored };
  return checkResumable(
    { ...SYSTEM, ...system },
    slot(confirmed),
    checkpoint === undefined ? undefined : Lsn.parse(checkpoint),
    merged as Record<string, string> | undefined,
    async () => history,
  );
}

function refusedWith(code: string, ...mentioned: string[]) {
  return (error: unknown) =>
    error instanceof OperatorError &&
    error.code === code &&
    !error.transient &&
    mentioned.every((each) => error.message.includes(each));
}

test('the same source at a checkpoint that it can go on from is accepted', async () => {
  await check({ checkpoint: '0/1000' });
  await check({ checkpoint: '0/9000' });
  await check({ checkpoint: '0/5000', stored: null });
  await check({ checkpoint: '0/5000', stored: { slot: 'another' } });
});

test('without a checkpoint the slot starts where it starts', async () => {
  await check({});
  await check({ stored: null, confirmed: '0/8000' });
});

test('another cluster or database is not the source of the checkpoint', async () => {
  await assert.rejects(
    check({ checkpoint: '0/5000', stored: { systemId: '1' } }),
    refusedWith('PG_SOURCE_CHANGED', '7000'),
  );
  await assert.rejects(
    check({ checkpoint: '0/5000', stored: { database: 'x' } }),
    refusedWith('PG_SOURCE_CHANGED', 'shop'),
  );
  await assert.rejects(check({ stored: { systemId: '1' } }), refusedWith('PG_SOURCE_CHANGED'));
});

test('a source whose log ends before the checkpoint has lost commits', async () => {
  await assert.rejects(check({ checkpoint: '0/9001' }), refusedWith('PG_SOURCE_BEHIND', '0/9000', '0/9001'));
});

test('a slot that starts after the checkpoint leaves a gap', async () => {
  await assert.rejects(
    check({ checkpoint: '0/1000', confirmed: '0/1001' }),
    refusedWith('PG_SLOT_AHEAD', '0/1000', '0/1001'),
  );
  await assert.rejects(
    check({ checkpoint: '0/1000', confirmed: '0/2000', stored: null }),
    refusedWith('PG_SLOT_AHEAD'),
  );
});

test('a failover is fine up to where the new timeline branched off', async () => {
  const history = [
    { timeline: 1, end: Lsn.parse('0/5000') },
    { timeline: 2, end: Lsn.parse('0/7000') },
  ];
  const system = { timeline: 3 };
  await check({ system, history, checkpoint: '0/5000' });
  await check({ system, history, checkpoint: '0/7000', stored: { timeline: '2' } });
  await assert.rejects(
    check({ system, history, checkpoint: '0/5001' }),
    refusedWith('PG_FAILOVER_LOST_COMMITS', '0/5000', '0/5001'),
  );
  await assert.rejects(
    check({ system, history, checkpoint: '0/4000', stored: { timeline: '9' } }),
    refusedWith('PG_FAILOVER_LOST_COMMITS', 'timeline 9'),
  );
});

test('timeline history files are read with their comments', () => {
  const text = '1\t0/3000148\tno recovery target specified\n\n# by hand\n2\tA/0\tbefore 2024-01-01 00:00:00+00\n';
  assert.deepEqual(
    parseTimelineHistory(text).map((each) => [each.timeline, each.end.toString()]),
    [
      [1, '0/3000148'],
      [2, 'A/0'],
    ],
  );
});
