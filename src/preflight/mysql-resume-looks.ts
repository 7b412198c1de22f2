import { retentionSeconds } from '../sources/mysql/server-advice.ts';
import { formatSeconds } from '../terminal/format.ts';
import { counted, failed, type Look, type Outcome, passed } from './look.ts';
import type { MysqlResume } from './mysql-resume.ts';
import { resumeCheck as check } from './resume-check.ts';
import { orRefused } from './target-look.ts';

/** What is looked at at a MySQL or MariaDB source before a resume. */
export const MYSQL_RESUME_LOOKS: readonly Look<MysqlResume>[] = [
  {
    check: check('source', 'blocking', 'source', 'source database', 'The changes since the stop are read from it.'),
    needs: [],
    look: ({ source }) =>
      orRefused('source', async () => {
        const { product, version } = await source.connection();
        return passed(`answers: ${product} ${version}`);
      }),
  },
  {
    check: check(
      'source',
      'blocking',
      'stream',
      'what the engine asks of a source',
      'It is what the start would refuse.',
    ),
    needs: ['resume.source'],
    look: ({ tables }) =>
      orRefused('source', async () => passed(`${counted((await tables()).length, 'table')} to replicate`)),
  },
  {
    check: check(
      'source',
      'advisory',
      'log',
      'retention of binary logs',
      'Once what comes after the checkpoint is removed, nothing can be resumed.',
    ),
    needs: ['resume.stream'],
    look: lookAtRetention,
  },
];

async function lookAtRetention({ source, facts }: MysqlResume): Promise<Outcome> {
  const kept = retentionSeconds(await source.server());
  if (kept === undefined) return passed('the source sets no limit');
  const found = `kept for ${formatSeconds(kept)}`;
  if (facts.lastEnd === undefined) return passed(found);
  const stopped = Math.max(0, (Date.now() - Date.parse(facts.lastEnd.at)) / 1000);
  if (stopped < kept / 2) return passed(found);
  return failed(`${found}, and it has stood still for ${formatSeconds(stopped)}: resume now`, {
    expected: 'logs that are kept for at least twice as long',
    fix: {
      side: 'source',
      text: `SET GLOBAL binlog_expire_logs_seconds = ${Math.ceil((2 * stopped) / 86_400) * 86_400};`,
    },
  });
}
