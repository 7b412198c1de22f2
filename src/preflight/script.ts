import type { ConnectionDescription } from '../config/connection.ts';
import { readCatalogue } from '../target/catalogue.ts';
import { describeServer } from '../target/dialect.ts';
import { targetSchemaName } from '../target/identifiers.ts';
import { describeScript, type ScriptDescription, scriptEffects } from '../userscript/describe-script.ts';
import { failedBy, type Outcome, passed } from './look.ts';
import { QuestionLine } from './question-line.ts';
import { blocking, type TargetLook } from './target-look.ts';

/**
 * What a userscript does to the tables of a target, and what is wrong with it.
 * @throws OperatorError when the target cannot be reached, or has no such schema.
 */
export async function checkScript(
  path: string,
  target: ConnectionDescription,
  targetSchema: string,
): Promise<ScriptDescription> {
  const line = new QuestionLine(target, 'target');
  try {
    const place = await line.ask(async (client) => {
      const server = await describeServer(client);
      const schema = targetSchemaName(targetSchema, server);
      const { dialect } = server;
      return { schema, dialect, catalogue: await readCatalogue(client, dialect, schema) };
    });
    return await describeScript(path, place);
  } finally {
    line.close();
  }
}

/** The same among the checks of a target. */
export const SCRIPT_LOOK: TargetLook = {
  check: blocking(
    'userscript',
    'userscript',
    'Rows go through its handlers on their way; one that cannot be used stops the replication.',
  ),
  needs: ['target.schema'],
  async look(facts): Promise<Outcome> {
    const { dialect } = await facts.server();
    const place = { schema: await facts.schema(), dialect, catalogue: await facts.catalogue() };
    const description = await describeScript(facts.wishes.userscript ?? '', place);
    const [error] = description.errors;
    if (error !== undefined) return failedBy(error, error.message, 'target', { expected: 'a script that can be used' });
    return passed(scriptEffects(description).join('; '));
  },
};
