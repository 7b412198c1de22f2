import type { Look } from './look.ts';
import type { MysqlSourceFacts } from './mysql-source-facts.ts';

/** A look at a MySQL or MariaDB source. */
export type MysqlLook = Look<MysqlSourceFacts>;
