import { escapeLiteral } from 'pg';
import { formatSize } from '../config/size.ts';
import {
  describeTransaction,
  readOpenTransactions,
  readPreparedTransactions,
} from '../sources/postgres/open-transactions.ts';
import type { ServerSettings } from '../sources/postgres/server-settings.ts';
import { type SlotFacts, slotMissing, slotProblem, slotStatement } from '../sources/postgres/slot.ts';
import { formatBytes, formatSeconds } from '../terminal/format.ts';
import { failed, failedBy, listed, type Outcome, passed } from './look.ts';
import type { PostgresSourceFacts } from './postgres-source-facts.ts';
import type { SourceLook } from './postgres-source-look.ts';
import { advisory, blocking } from './source-look.ts';

/** Seconds after which an open transaction is worth a word: the slot waits for it. */
const LONG = 10;

/** Bytes of log; a slot that may hold back less is lost in a short interruption. */
const LITTLE_LOG = 2 ** 30;

/** Milliseconds: the engine reports its progress more often than that in any case. */
const SHORT_TIMEOUT = 5000;

/** Bytes: the default of every version. */
const USUAL_MEMORY = 64 * 2 ** 20;

/** The slot, what its creation waits for, and the settings by which it may be lost. */
export const SLOT_LOOKS: readonly SourceLook[] = [
  {
    check: blocking(
      'slot',
      'replication slot',
      'In it the source remembers what has been read, and keeps the log that has not.',
    ),
    needs: ['source.version', 'source.primary'],
    look: lookAtSlot,
  },
  {
    check: advisory(
      'long_transactions',
      'long-running transactions',
      'A new slot is ready only when every transaction that is open now, and has changed something, has ended.',
    ),
    needs: ['source.version', 'source.primary'],
    async look(facts) {
      if (!(await isSlotToBeCreated(facts))) return passed('no slot has to be created');
      const open = await facts.line.ask(readOpenTransactions);
      const long = open.filter(({ seconds }) => seconds !== null && seconds >= LONG);
      if (long.length === 0) return passed('none that this user can see');
      return failed(listed(long.map(describeTransaction)), {
        expected: `none older than ${LONG} s`,
        fix: {
          side: 'source',
          text: [
            'Let them end, or end them (what they did is undone):',
            ...long.map(({ pid }) => `SELECT pg_terminate_backend(${pid});`),
          ].join('\n'),
        },
      });
    },
  },
  {
    check: advisory(
      'prepared_transactions',
      'prepared transactions',
      'A new slot waits for these too, and nobody may ever come back to end them.',
    ),
    needs: ['source.version', 'source.primary'],
    async look(facts) {
      if (!(await isSlotToBeCreated(facts))) return passed('no slot has to be created');
      const prepared = await facts.line.ask(readPreparedTransactions);
      if (prepared.length === 0) return passed('none');
      const found = prepared.map(
        ({ name, seconds, user, database }) => `${name}, ${formatSeconds(seconds)}, ${user} in ${database}`,
      );
      return failed(listed(found), {
        expected: 'none',
        fix: {
          side: 'source',
          text: prepared
            .map(
              ({ name, database }) => `ROLLBACK PREPARED ${escapeLiteral(name)}; -- or COMMIT PREPARED; in ${database}`,
            )
            .join('\n'),
        },
      });
    },
  },
  setting(
    'slot_keep_size',
    'max_slot_wal_keep_size',
    'While nobody reads, the source keeps its log for the slot: without a limit until its disk is full, with one until the slot is lost.',
    ({ maxSlotWalKeepSize: size }) => {
      if (size === undefined || size < 0) {
        return failed('no limit', {
          expected: 'a limit that the disk can spare',
          fix: settingFix('max_slot_wal_keep_size', "'64GB'", ' -- as much as its disk can spare'),
        });
      }
      if (size >= LITTLE_LOG) return passed(formatSize(size));
      return failed(formatSize(size), {
        expected: `at least ${formatSize(LITTLE_LOG)}`,
        fix: settingFix('max_slot_wal_keep_size', "'64GB'", ' -- as much as its disk can spare'),
      });
    },
  ),
  setting(
    'idle_slot_timeout',
    'idle_replication_slot_timeout',
    'A slot that nobody reads for that long is given up by the source, and the replication cannot go on.',
    ({ idleReplicationSlotTimeout: timeout }) => {
      if (timeout === undefined || timeout === 0) return passed('never given up');
      return failed(formatSeconds(timeout / 1000), {
        expected: 'longer than any interruption, or 0',
        fix: settingFix('idle_replication_slot_timeout', '0'),
      });
    },
  ),
  setting(
    'wal_sender_timeout',
    'wal_sender_timeout',
    'When it is short, a moment of silence makes the source close the connection.',
    ({ walSenderTimeout: timeout }) => {
      if (timeout === undefined || timeout === 0) return passed('never');
      if (timeout >= SHORT_TIMEOUT) return passed(formatSeconds(timeout / 1000));
      return failed(formatSeconds(timeout / 1000), {
        expected: `${formatSeconds(SHORT_TIMEOUT / 1000)} or more`,
        fix: settingFix('wal_sender_timeout', "'60s'"),
      });
    },
  ),
  setting(
    'decoding_memory',
    'logical_decoding_work_mem',
    "Transactions with more changes than fit are written to the source's disk before they are sent.",
    ({ logicalDecodingWorkMem: memory }) => {
      if (memory === undefined) return passed('not a setting of this version');
      if (memory >= USUAL_MEMORY) return passed(formatSize(memory));
      return failed(formatSize(memory), {
        expected: `${formatSize(USUAL_MEMORY)} or more`,
        fix: settingFix('logical_decoding_work_mem', "'64MB'"),
      });
    },
  ),
];

/** Names that the server takes for a slot. */
const SLOT_NAME = /^[a-z0-9_]{1,63}$/;

async function lookAtSlot(facts: PostgresSourceFacts): Promise<Outcome> {
  const wish = facts.wishes.slot;
  if (wish === undefined) return passed('not chosen yet');
  const { name, create } = wish;
  const slot = await facts.slot();
  const server = await facts.server();
  if (slot === undefined) {
    if (!create) {
      const statements = server.mayReplicate && server.slots < server.maxSlots ? [slotStatement(name)] : undefined;
      return failedBy(slotMissing(name), `${name} is not there`, 'source', { expected: 'a slot', statements });
    }
    if (SLOT_NAME.test(name)) return passed(`${name} will be created`);
    return failed(name, {
      expected: 'up to 63 lower-case letters, digits and underscores',
      fix: { side: 'source', text: 'Choose another name.' },
    });
  }
  const problem = slotProblem(slot, server.database);
  if (problem === undefined) {
    return create
      ? passed(`${name} is there already and can be used: ${describeSlot(slot)}`, { what: 'slot', name })
      : passed(`${name}, ${describeSlot(slot)}`);
  }
  const outcome = failedBy(problem, problem.message, 'source', { expected: create ? 'a free name' : undefined });
  if (!create || outcome.fix === undefined) return outcome;
  return { ...outcome, fix: { ...outcome.fix, text: `Choose another name. Or:\n${outcome.fix.text}` } };
}

/** Where it stands, and how much is to be read. */
function describeSlot({ confirmed, current, walStatus }: SlotFacts): string {
  if (confirmed === undefined) return 'not ready yet';
  const behind = `at ${confirmed}, ${formatBytes(Number(current.value - confirmed.value))} of log to be read`;
  return walStatus === 'unreserved' ? `${behind}, and the source is about to give it up` : behind;
}

async function isSlotToBeCreated(facts: PostgresSourceFacts): Promise<boolean> {
  return (await facts.slot()) === undefined;
}

function setting(id: string, title: string, why: string, judge: (settings: ServerSettings) => Outcome): SourceLook {
  return {
    check: advisory(id, title, why),
    needs: ['source.version'],
    async look(facts) {
      const outcome = judge(await facts.settings());
      if (outcome.fix === undefined) return outcome;
      const { provider } = await facts.server();
      if (provider === null) return outcome;
      return {
        ...outcome,
        fix: { side: 'source', text: `Change ${title} in the service's parameters of this server.` },
      };
    },
  };
}

/** A setting that takes no restart. How large it should be is for people to say. */
function settingFix(name: string, value: string, remark = ''): Outcome['fix'] {
  return { side: 'source', text: `ALTER SYSTEM SET ${name} = ${value};${remark}\nSELECT pg_reload_conf();` };
}
