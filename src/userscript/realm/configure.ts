import type { Failures } from './failures.ts';
import type { Intrinsics } from './intrinsics.ts';
import type { Handler, Handlers } from './rows.ts';

export interface Configure {
  readonly configureTargetSchema: (name: unknown, handlers: unknown) => void;
  readonly configureTargetTables: (names: unknown, handlers: unknown) => void;
  schemaHandlers(index: number): Handlers;
  tableHandlers(index: number): Handlers;
  /** From here on nothing can be configured. */
  close(): void;
  /** JSON of a Configuration. */
  text(): string;
}

/** The part of the API that registers handlers. */
export function createConfigure(intrinsics: Intrinsics, failures: Failures): Configure {
  const { ownKeys, isArray, stringify, put, record } = intrinsics;
  const fail: Failures['fail'] = failures.fail;
  const schemas: { name: string; handlers: Handlers }[] = [];
  const tables: { names: string[]; handlers: Handlers }[] = [];
  const seen = record<boolean>();
  const counted = { schemas: 0, tables: 0 };
  let open = true;

  function requireOpen(name: string): void {
    if (!open) fail('SCRIPT_CONFIG', `${name} can only be called while the script is loaded, not by a handler`);
  }

  /** Counters of a handler: calls, rows left out, rows passed on, microseconds; three handlers to an entry. */
  const countersAt = (index: number) => index * 12;

  function handlersOf(given: unknown, where: string, write: boolean, index: number): Handlers {
    if (typeof given !== 'object' || given === null) fail('SCRIPT_CONFIG', `${where} was given no handlers`);
    const names = ownKeys(given);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      const known = name === 'onRowUpsert' || name === 'onRowDelete' || (write && name === 'onWrite');
      if (!known) fail('SCRIPT_CONFIG', `${where} knows no ${typeof name === 'string' ? name : 'symbols'}`);
    }
    const handler = (name: string): Handler | undefined => {
      const found = (given as Record<string, unknown>)[name];
      if (found === undefined || typeof found === 'function') return found as Handler | undefined;
      fail('SCRIPT_CONFIG', `${where}: ${name} is not a function`);
    };
    const upsert = handler('onRowUpsert');
    const remove = handler('onRowDelete');
    const onWrite = write ? handler('onWrite') : undefined;
    if ((upsert === undefined) !== (remove === undefined) || (!write && upsert === undefined)) {
      fail('SCRIPT_CONFIG', `${where}: onRowUpsert and onRowDelete must both be given`);
    }
    if (upsert === undefined && onWrite === undefined) fail('SCRIPT_CONFIG', `${where} was given no handlers`);
    return { upsert, remove, write: onWrite, counters: countersAt(index) };
  }

  function configureTargetSchema(name: unknown, given: unknown): void {
    requireOpen('configureTargetSchema');
    if (typeof name !== 'string' || name === '') {
      fail('SCRIPT_CONFIG', 'configureTargetSchema was given no schema name');
    }
    const where = `configureTargetSchema(${stringify(name)})`;
    if (seen[`schema ${name}`]) fail('SCRIPT_CONFIG', `${where} was called twice`);
    seen[`schema ${name}`] = true;
    const index = counted.schemas + counted.tables;
    put(schemas, counted.schemas++, { name, handlers: handlersOf(given, where, false, index) });
  }

  function configureTargetTables(names: unknown, given: unknown): void {
    requireOpen('configureTargetTables');
    if (!isArray(names) || names.length === 0) {
      fail('SCRIPT_CONFIG', 'configureTargetTables was given no list of table names');
    }
    const list: string[] = [];
    for (let i = 0; i < names.length; i++) {
      const name: unknown = names[i];
      if (typeof name !== 'string' || name === '') {
        fail('SCRIPT_CONFIG', 'configureTargetTables was given a table name that is no text');
      }
      if (seen[`table ${name}`]) fail('SCRIPT_CONFIG', `configureTargetTables was given the table ${name} twice`);
      seen[`table ${name}`] = true;
      put(list, i, name);
    }
    const index = counted.schemas + counted.tables;
    const handlers = handlersOf(given, `configureTargetTables for ${list[0]}`, true, index);
    put(tables, counted.tables++, { names: list, handlers });
  }

  return {
    configureTargetSchema,
    configureTargetTables,
    schemaHandlers: (index) => schemas[index].handlers,
    tableHandlers: (index) => tables[index].handlers,
    close() {
      open = false;
    },
    text() {
      let text = '{"schemas":[';
      for (let i = 0; i < counted.schemas; i++) {
        const { name, handlers } = schemas[i];
        text += `${i > 0 ? ',' : ''}{"name":${stringify(name)},"counters":${handlers.counters}}`;
      }
      text += '],"tables":[';
      for (let i = 0; i < counted.tables; i++) {
        const { names, handlers } = tables[i];
        text += `${i > 0 ? ',' : ''}{"names":[`;
        for (let j = 0; j < names.length; j++) text += `${j > 0 ? ',' : ''}${stringify(names[j])}`;
        text += `],"rows":${handlers.upsert !== undefined},"write":${handlers.write !== undefined}`;
        text += `,"counters":${handlers.counters}}`;
      }
      return `${text}]}`;
    },
  };
}
