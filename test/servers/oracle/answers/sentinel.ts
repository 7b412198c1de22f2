import { COMMIT_TO_DISK, insertSentinel, SENTINEL, updateSentinel } from '../../../../src/sources/oracle/sentinel.ts';
import { type Answer, OraError } from '../answer.ts';
import type { ModelTable, ModelTransaction, RedoModel } from '../redo-model.ts';
import type { ModelSession } from '../model-session.ts';

const STATE = 'transaction';

function transactionOf(model: RedoModel, session: ModelSession): ModelTransaction {
  const open = session.state.get(STATE) as ModelTransaction | undefined;
  if (open !== undefined) return open;
  const begun = model.begin();
  session.state.set(STATE, begun);
  return begun;
}

function sentinelOf(model: RedoModel, owner: string): ModelTable {
  const table = model.tables.get(`${owner}.${SENTINEL}`);
  if (table === undefined) throw new OraError(942, 'table or view does not exist');
  return table;
}

/** Statements on the sentinel of one owner: they write redo as every other change does, and a commit to disk brings all of it there. */
export function sentinelAnswers(owner: string): readonly Answer<RedoModel, ModelSession>[] {
  return [
    {
      sql: updateSentinel(owner),
      answer(model, session, [scn, key]) {
        const table = sentinelOf(model, owner);
        const row = [...table.rows].find(([, values]) => values[0] === String(key))?.[0];
        if (row === undefined) return { affected: 0 };
        transactionOf(model, session).update(table, row, new Map([[1, String(scn)]]));
        return { affected: 1 };
      },
    },
    {
      sql: insertSentinel(owner),
      answer(model, session, [key, scn]) {
        transactionOf(model, session).insert(sentinelOf(model, owner), [String(key), String(scn)]);
        return { affected: 1 };
      },
    },
    {
      sql: COMMIT_TO_DISK,
      answer(model, session) {
        (session.state.get(STATE) as ModelTransaction | undefined)?.commit();
        session.state.delete(STATE);
        model.flush();
        return {};
      },
    },
  ];
}
