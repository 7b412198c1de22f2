import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/config/build.ts';
import type { Replica } from './replica.ts';
import { scriptFiles } from './userscript-rig.ts';

export const EXAMPLES = join(PACKAGE_ROOT, 'assets', 'userscript', 'examples');

interface TestScope {
  after(done: () => Promise<void> | void): void;
}

/** A script of the examples, made for a replica's target schema as an operator would; returns its path. */
export function exampleFor(test: TestScope, name: string, replica: Replica): string {
  const text = readFileSync(join(EXAMPLES, name), 'utf8');
  return scriptFiles(test, { [name]: text.replace('"defaultdb.public"', JSON.stringify(replica.targetSchema)) });
}

/** A script for a replica, the API imported; `SCHEMA` is its target schema. */
export function scriptFor(test: TestScope, replica: Replica, text: string): string {
  const schema = JSON.stringify(replica.targetSchema);
  return scriptFiles(test, {
    'script.ts': `import * as api from "replicator@v2";\nconst SCHEMA = ${schema};\n${text}`,
  });
}
