import type { ScriptDescription } from '../userscript/describe-script.ts';
import type { SetupSession } from './setup-machine.ts';

/** A userscript, compared with the tables of the target that was chosen. @throws OperatorError when that cannot be asked */
export async function checkedScript(session: SetupSession, path: string): Promise<ScriptDescription> {
  const { targetSchema = '' } = session.replication.answers;
  return await session.servers.checkScript(path, session.connection('target'), targetSchema);
}
