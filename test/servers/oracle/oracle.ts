import { type Answer, OraError } from './answer.ts';
import { CATALOGUE_ANSWERS } from './answers/catalogue.ts';
import { LOGMINER_ANSWERS } from './answers/logminer.ts';
import { sentinelAnswers } from './answers/sentinel.ts';
import { SERVER_ANSWERS } from './answers/server.ts';
import { type DoubleOptions, OracleDouble } from './double.ts';
import type { ModelSession } from './model-session.ts';
import { RedoModel } from './redo-model.ts';

export interface OracleServerOptions {
  readonly profile?: DoubleOptions<RedoModel>['profile'];
  /** With containers, CDB$ROOT and one pluggable database; without them by default. */
  readonly multitenant?: boolean;
  readonly threads?: number;
  readonly owner?: string;
}

const ROOT = 'ORCLCDB';
const PDB = 'ORCLPDB1';
const MINER = 'C##REPLICATOR';
const PASSWORD = 'o@ra/cle"1';

/** An answer for those who may read every view that the question names. */
function withRights(known: Answer<RedoModel, ModelSession>): Answer<RedoModel, ModelSession> {
  return {
    sql: known.sql,
    answer(model, session, binds, sql) {
      const denied = sql.match(/\bG?V\$\w+/g)?.some((view) => model.denied.has(view)) === true;
      if (denied) throw new OraError(model.denial, 'table or view does not exist');
      return known.answer(model, session, binds, sql);
    },
  };
}

/** An Oracle server for a test: the double that drivers connect to, and the model of the database behind it. */
export class OracleServer {
  readonly model: RedoModel;
  readonly double: OracleDouble<RedoModel>;
  readonly owner: string;
  readonly multitenant: boolean;

  private constructor(model: RedoModel, double: OracleDouble<RedoModel>, owner: string, multitenant: boolean) {
    this.model = model;
    this.double = double;
    this.owner = owner;
    this.multitenant = multitenant;
  }

  static async start({
    profile = '19c',
    multitenant = false,
    threads = 1,
    owner = 'APP',
  }: OracleServerOptions = {}): Promise<OracleServer> {
    const model = new RedoModel({ container: multitenant ? PDB : null, threads });
    const number = (name: string, nullable: boolean) => ({ name, type: 'NUMBER', length: 22, nullable });
    model.createTable(owner, 'REPLICATOR_SENTINEL', [number('KEYCOL', false), number('LASTSCN', true)], ['KEYCOL']);
    const double = await OracleDouble.start<RedoModel>({
      profile,
      users: { [MINER]: PASSWORD },
      services: multitenant ? [ROOT, PDB] : [ROOT],
      answers: [...LOGMINER_ANSWERS, ...sentinelAnswers(owner), ...CATALOGUE_ANSWERS, ...SERVER_ANSWERS].map(
        withRights,
      ),
      server: model,
    });
    return new OracleServer(model, double, owner, multitenant);
  }

  /** Connection string of the root container, or of the only database. */
  get rootUrl(): string {
    return this.#url(ROOT);
  }

  /** Connection string of the pluggable database; undefined where there is none. */
  get pdbUrl(): string | undefined {
    return this.multitenant ? this.#url(PDB) : undefined;
  }

  #url(service: string): string {
    return `oracle://${encodeURIComponent(MINER)}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.double.port}/${service}`;
  }

  close(): Promise<void> {
    return this.double.close();
  }
}
