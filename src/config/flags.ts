/** Commands that take flags. */
export type CommandName =
  | 'pglogical'
  | 'mylogical'
  | 'oraclelogminer'
  | 'demo'
  | 'setup'
  | 'edit'
  | 'preflight'
  | 'list'
  | 'resume'
  | 'status'
  | 'stop'
  | 'watch'
  | 'bundle'
  | 'userscript'
  | 'explain'
  | 'completion'
  | 'version';

/** What a command may be told without a flag in front, where it may. */
export const ARGUMENTS: Readonly<Partial<Record<CommandName, { readonly name: string; readonly required: boolean }>>> =
  {
    edit: { name: 'NAME', required: true },
    preflight: { name: 'NAME', required: false },
    resume: { name: 'NAME', required: false },
    status: { name: 'NAME|URL', required: false },
    stop: { name: 'NAME', required: true },
    watch: { name: 'URL|DIR|BUNDLE', required: true },
    bundle: { name: 'NAME', required: false },
    userscript: { name: 'check FILE', required: true },
    explain: { name: 'CODE [NAME] | WORDS', required: false },
    completion: { name: 'bash|zsh|fish', required: true },
  };

/** What the flags of one section have in common. */
interface Section {
  readonly commands: readonly CommandName[];
  /** Heading in the help text. */
  readonly group: string;
  /** `none`: accepted, changes nothing. `unavailable`: refused when set, because leaving it out would change the data. */
  readonly effect?: 'none' | 'unavailable';
  /** Why the flags have no effect or are not available. */
  readonly reason?: string;
}

interface Row {
  /** One line for the help text. */
  readonly help: string;
  readonly short?: string;
  /** Another spelling on the command line. */
  readonly alias?: string;
  /** The complaint when no value is configured anywhere. */
  readonly required?: string;
  readonly deprecatedBy?: string;
  /** Neither the environment nor a configuration file may set it. */
  readonly commandLineOnly?: true;
}

/**
 * A flag's type, default and rule. Defaults stand as an operator would type them; null means that none is set. `min` and
 * `max` are counts, milliseconds or bytes. Connection strings are secret: `placeholder` is shown in their stead.
 */
type Value =
  | { readonly type: 'bool'; readonly default: 'true' | 'false' }
  | { readonly type: 'int'; readonly default: string | null; readonly min: number; readonly max?: number }
  | {
      readonly type: 'duration' | 'size';
      readonly default: string;
      readonly min: number;
      readonly max?: number;
      /** Zero is allowed below `min`: it turns the thing off. */
      readonly orZero?: true;
    }
  | { readonly type: 'count'; readonly default: '0' }
  | { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[] }
  | { readonly type: 'string'; readonly default: string | null; readonly pattern?: RegExp; readonly form?: string }
  | { readonly type: 'connection'; readonly default: null; readonly placeholder: `$${string}` };

export type Flag = Section & Row & Value;

/** The engine, by the kind of its source. */
const ENGINE = ['pglogical', 'mylogical', 'oraclelogminer'] as const;

/** For durations where a negative value means "off". */
const ANY = Number.NEGATIVE_INFINITY;

/** The engine, and the checks before it. */
const CHECKED = [...ENGINE, 'preflight'] as const;

const CONNECTIONS = { commands: CHECKED, group: 'Connections' } as const;
const SLOT = { commands: ['pglogical', 'preflight'], group: 'Source' } as const;
const BINLOG = { commands: ['mylogical', 'preflight'], group: 'Source' } as const;
const BINLOG_READER = { commands: ['mylogical'], group: 'Source' } as const;
const LOGMINER = { commands: ['oraclelogminer', 'preflight'], group: 'Source' } as const;
const LOGMINER_READER = { commands: ['oraclelogminer'], group: 'Source' } as const;
const WALSENDER = { commands: ['pglogical'], group: 'Source' } as const;
const SOURCE = { commands: ENGINE, group: 'Source' } as const;
const SCHEMA = { commands: CHECKED, group: 'Target' } as const;
const TARGET = { commands: ENGINE, group: 'Target' } as const;
const SCRIPTS = { commands: [...ENGINE, 'preflight'], group: 'Userscript' } as const;
const SCRIPT_RUNS = { commands: [...ENGINE, 'userscript'], group: 'Userscript' } as const;
const SAMPLES = { commands: ['userscript'], group: 'Userscript' } as const;
const PROGRESS = { commands: CHECKED, group: 'Staging' } as const;
const STAGING = { commands: ENGINE, group: 'Staging' } as const;
const CHECKS = { commands: ['preflight'], group: 'Checks' } as const;
const ANSWERS = { commands: ['setup', 'edit'], group: 'Setup' } as const;
const SETUP = { commands: ['setup'], group: 'Setup' } as const;
const RESUME = { commands: ['resume'], group: 'Resume' } as const;
const STOP = { commands: ['stop'], group: 'Stop' } as const;
const WATCH = { commands: ['watch', 'status'], group: 'Watching' } as const;
const BUNDLE = { commands: ['bundle'], group: 'Bundle' } as const;
const OUTPUT = {
  commands: [
    'preflight',
    'list',
    'resume',
    'status',
    'setup',
    'edit',
    'stop',
    'bundle',
    'userscript',
    'explain',
    'version',
  ],
  group: 'Output',
} as const;
const WORKLOAD = { commands: ['demo'], group: 'Workload' } as const;
const RUNNING = { commands: ENGINE, group: 'Running' } as const;
const DEBUGGING = { commands: ENGINE, group: 'General' } as const;
const SNAPSHOTS = { commands: ENGINE, group: 'Metrics snapshots' } as const;
const ENDPOINTS = { commands: [...ENGINE, 'demo'], group: 'General' } as const;
const GENERAL = {
  commands: [
    ...[
      ...ENGINE,
      'demo',
      'setup',
      'edit',
      'preflight',
      'list',
      'resume',
      'status',
      'stop',
      'watch',
      'bundle',
      'userscript',
    ],
    ...['completion', 'version'],
  ],
  group: 'General',
} as const;

const WITHOUT_EFFECT = { commands: ENGINE, group: 'Accepted, without effect', effect: 'none' } as const;
const STAGED_ROWS = { ...WITHOUT_EFFECT, reason: 'changes are never staged in tables on their way' } as const;
const POOLS = {
  ...WITHOUT_EFFECT,
  reason: 'a few connections are kept for as long as the program runs; what fails starts again at the checkpoint',
} as const;
const OUTDATED = { ...WITHOUT_EFFECT, commands: ['pglogical'], reason: 'they are deprecated' } as const;
const QUEUES = { ...OUTDATED, commands: ['pglogical', 'oraclelogminer'] } as const;
const CHECKPOINTS = {
  ...WITHOUT_EFFECT,
  commands: ['oraclelogminer'],
  reason: 'checkpoints are committed with the rows and never wait',
} as const;

const SLOT_NAME = { pattern: /^[a-z0-9_]{1,63}$/, form: 'up to 63 lower-case letters, digits and underscores' };
const ADDRESS = { pattern: /^(\[[0-9a-f:.]+(%[^\]]+)?\]|[^:\s]*):\d{1,5}$/i, form: 'host:port or :port' };

/**
 * Every flag of every command: the one place from which parsing, validation, help, the environment, configuration files
 * and generated command lines are made. A further command is a name in CommandName and in the sections (or in sections
 * of its own).
 */
export const FLAGS = {
  ...section(CONNECTIONS, {
    sourceConn: {
      type: 'connection',
      default: null,
      placeholder: '$SOURCE',
      required: 'no source connection was configured',
      help: 'Source connection string',
    },
    targetConn: {
      type: 'connection',
      default: null,
      placeholder: '$TARGET',
      required: 'targetConn must be set',
      help: 'Target connection string',
    },
    stagingConn: {
      type: 'connection',
      default: null,
      placeholder: '$STAGING',
      help: 'Staging connection string; the target when not set',
    },
  }),
  ...section(SLOT, {
    slotName: { type: 'string', default: 'replicator', ...SLOT_NAME, help: 'Replication slot to read from' },
    publicationName: { type: 'string', default: null, help: 'Publication to stream; found when there is only one' },
  }),
  ...section(BINLOG, {
    defaultGTIDSet: { type: 'string', default: null, help: 'GTID set to start from while no checkpoint is stored' },
    allDatabases: {
      type: 'bool',
      default: 'false',
      help: 'Replicate every database, not only the one of --sourceConn',
    },
    fetchMetadata: {
      type: 'bool',
      default: 'false',
      help: 'Ask the source for names and keys of columns that its binlog leaves out',
    },
  }),
  ...section(BINLOG_READER, {
    replicationProcessID: {
      type: 'int',
      default: '10',
      min: 1,
      max: 2 ** 32 - 1,
      help: 'Server id of this reader: unlike that of any replica',
    },
    zeroDates: {
      type: 'choice',
      default: 'null',
      choices: ['null', 'error', 'keep'],
      help: 'What becomes of dates such as 0000-00-00',
    },
  }),
  ...section(LOGMINER, {
    sourcePDBConn: {
      type: 'connection',
      default: null,
      placeholder: '$SOURCE_PDB',
      help: 'Connection string of the pluggable database; or ?pdb=SERVICE in --sourceConn, which is that of the root',
    },
    sourceSchema: { type: 'string', default: null, help: 'Owner of the tables, as Oracle spells it: MIGRATION_SCHEMA' },
    scn: { type: 'string', default: null, help: 'SCN as of which the data was copied; while no checkpoint is stored' },
    backfillFromSCN: {
      type: 'string',
      default: null,
      help: 'SCN at which the oldest transaction began that was open at --scn',
    },
    'oracle-application-users': {
      type: 'string',
      default: null,
      help: 'Users whose transactions count for --backfillFromSCN, as in APP,BATCH; else all',
    },
    oracleClientLib: {
      type: 'string',
      default: null,
      help: 'Directory of Oracle Instant Client, for sites with native network encryption',
    },
  }),
  ...section(LOGMINER_READER, {
    scnWindowSize: {
      type: 'int',
      default: null,
      min: Number.NEGATIVE_INFINITY,
      help: 'SCNs that LogMiner reads at a time at most; as many as are right without it',
    },
  }),
  ...section(WALSENDER, {
    standbyTimeout: { type: 'duration', default: '5s', min: 1, help: 'Interval of progress reports to the source' },
  }),
  ...section(SOURCE, {
    truncate: {
      type: 'choice',
      default: 'apply',
      choices: ['apply', 'ignore', 'error'],
      help: 'What to do with a TRUNCATE',
    },
  }),
  ...section(SCHEMA, {
    targetSchema: { type: 'string', default: null, help: 'Schema to write to; on resume found in the staging schema' },
  }),
  ...section(TARGET, {
    applyTimeout: {
      type: 'duration',
      default: '30s',
      min: 1,
      help: 'Longest time that one update of the target may take',
    },
    collapseMutations: { type: 'bool', default: 'true', help: 'Write only the last state of a row within a batch' },
    flushPeriod: { type: 'duration', default: '1s', min: 0, help: 'Longest wait for a batch to fill' },
    flushSize: { type: 'int', default: '1000', min: 1, help: 'Preferred number of changes in a batch' },
    timestampLimit: {
      type: 'int',
      default: '1000',
      min: 1,
      help: 'Most source transactions in one target transaction',
    },
    memoryLimit: { type: 'size', default: '64MiB', min: 4 * 2 ** 20, help: 'Bytes of changes held in memory' },
    targetApplyQueueSize: { type: 'int', default: null, min: 1, help: 'Batches that may wait to be applied' },
    parallelism: { type: 'int', default: '16', min: 1, help: 'Most target transactions at a time' },
    enableParallelApplies: { type: 'bool', default: 'false', help: 'Apply unrelated transactions at the same time' },
    maxRetries: { type: 'int', default: '10', min: 0, help: 'Retries before a failed apply counts as permanent' },
    retryInitialBackoff: { type: 'duration', default: '25ms', min: 0, help: 'Pause before the first retry' },
    retryMaxBackoff: { type: 'duration', default: '2s', min: 0, help: 'Longest pause between retries' },
    retryMultiplier: { type: 'int', default: '2', min: 1, help: 'Growth of the pause between retries' },
    onApplyError: {
      type: 'choice',
      default: 'stop',
      choices: ['stop', 'dlq'],
      help: 'After a permanent failure: stop, or put the transaction into the dead-letter table',
    },
    dlqTableName: { type: 'string', default: 'replicator_dlq', help: 'Dead-letter table in the target schema' },
    schemaRefresh: {
      type: 'duration',
      default: '1m0s',
      min: ANY,
      help: 'Interval of re-reading the target schema; 0 or less: never',
    },
    targetMaxPoolSize: { type: 'int', default: '128', min: 1, help: 'Most connections to the target' },
    targetStatementCacheSize: {
      type: 'int',
      default: '128',
      min: 0,
      help: 'Prepared statements kept on a target connection',
    },
  }),
  ...section(SCRIPTS, {
    userscript: { type: 'string', default: null, help: 'TypeScript file with handlers that rows go through' },
  }),
  ...section(SCRIPT_RUNS, {
    userscriptTimeout: {
      type: 'duration',
      default: '5s',
      min: 100,
      help: 'Longest time that one call of a handler may take',
    },
  }),
  ...section(SAMPLES, {
    rows: { type: 'string', default: null, help: 'JSON file with changes to try the script on' },
  }),
  ...section(PROGRESS, {
    stagingSchema: {
      type: 'string',
      default: '_replicator.public',
      help: 'Schema that keeps the progress: the same on every resume',
    },
  }),
  ...section(STAGING, {
    stagingCreateSchema: { type: 'bool', default: 'false', help: 'Create the staging schema when it is missing' },
    standby: { type: 'bool', default: 'false', help: 'While another process replicates: wait, then take over' },
  }),
  ...section(WORKLOAD, {
    seconds: { type: 'int', default: null, min: 1, help: 'End after this many seconds; without it on Ctrl-C' },
    rate: { type: 'int', default: '300', min: 1, help: 'Source transactions per second' },
  }),
  ...section(RUNNING, {
    config: { type: 'string', default: null, help: 'YAML file of flags; the command line and the environment win' },
    dataDir: { type: 'string', default: 'replicator-data', help: 'Directory for files that the process writes' },
    gracePeriod: {
      type: 'duration',
      default: '30s',
      min: 0,
      help: 'Time to finish what is in hand when asked to stop',
    },
    logFormat: {
      type: 'choice',
      default: 'text',
      choices: ['text', 'fluent'],
      help: 'Form of the log; fluent is JSON',
    },
    logDestination: { type: 'string', default: null, help: 'File to append the log to; standard output without it' },
    logMaxSize: {
      type: 'size',
      default: '0',
      min: 0,
      help: 'Bytes of the log file after which a fresh one is begun; 0: never. SIGHUP opens it anew',
    },
    logMaxFiles: { type: 'int', default: '4', min: 1, help: 'Older ones kept, as FILE.1 and so on' },
    verbose: { type: 'count', default: '0', short: 'v', help: '-v logs debug lines too, -vv also traces' },
  }),
  ...section(ANSWERS, {
    file: { type: 'string', default: null, required: 'no answers were given', help: 'YAML file with the answers' },
  }),
  ...section(SETUP, {
    yes: {
      type: 'bool',
      default: 'false',
      commandLineOnly: true,
      help: 'Create what is needed and start; without it only the plan is shown',
    },
  }),
  ...section(CHECKS, {
    tables: {
      type: 'string',
      default: null,
      help: 'Tables to replicate, as in shop.orders,shop.lines; all without it',
    },
  }),
  ...section(RESUME, {
    dryRun: {
      type: 'bool',
      default: 'false',
      alias: 'dry-run',
      help: 'Only tell whether it is safe, and how far behind it is (also --dry-run)',
    },
    headless: { type: 'bool', default: 'false', help: 'Start the engine and return, without the dashboard' },
    acceptTables: {
      type: 'bool',
      default: 'false',
      commandLineOnly: true,
      help: 'Go on without tables that are published no more',
    },
  }),
  ...section(STOP, {
    force: {
      type: 'bool',
      default: 'false',
      commandLineOnly: true,
      help: 'Do not wait for what is in hand; nothing is lost by it',
    },
  }),
  ...section(WATCH, {
    interval: { type: 'duration', default: '1s', min: 100, help: 'Time between two looks at the endpoints' },
  }),
  ...section(BUNDLE, {
    output: { type: 'string', default: null, help: 'File to write; NAME-bundle-TIME.tar.gz without it' },
  }),
  ...section(OUTPUT, {
    json: { type: 'bool', default: 'false', help: 'Print JSON for programs' },
  }),
  ...section(SNAPSHOTS, {
    metricsSnapshotPeriod: {
      type: 'duration',
      default: '0',
      min: 15_000,
      orZero: true,
      help: 'Interval of files with the metrics, for "instar watch DIR"; 0: none, else at least 15s',
    },
    metricsSnapshotCompression: {
      type: 'choice',
      default: 'gzip',
      choices: ['gzip', 'none'],
      help: 'Form of these files, in metrics-snapshots of --dataDir',
    },
    metricsSnapshotRetentionTime: {
      type: 'duration',
      default: '168h',
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      help: 'Age at which they are removed; 0: at any age kept',
    },
    metricsSnapshotRetentionSize: {
      type: 'string',
      default: '',
      pattern: /^(\d+(\.\d+)? ?([kmgt]?i?b)?)?$/i,
      form: 'a size such as 100MiB or 1000000',
      help: 'Size of all of them, beyond which the oldest are removed: 100MiB',
    },
  }),
  ...section(ENDPOINTS, {
    metricsAddr: {
      type: 'string',
      default: null,
      ...ADDRESS,
      help: 'Address of /_/varz, /_/diag and /_/healthz; off without it',
    },
  }),
  ...section(DEBUGGING, {
    enableDebugEndpoints: {
      type: 'bool',
      default: 'false',
      help: 'Serve profiles under /debug/ to other machines, too; to this one they always are',
    },
  }),
  ...section(GENERAL, {
    help: { type: 'bool', default: 'false', short: 'h', commandLineOnly: true, help: 'Show this text' },
  }),
  ...section(STAGED_ROWS, {
    quiescentPeriod: {
      type: 'duration',
      default: '10s',
      min: 0,
      help: 'Pause before deferred changes are tried again',
    },
    retireOffset: { type: 'duration', default: '24h0m0s', min: ANY, help: 'How long applied rows stay staged' },
    scanSize: { type: 'int', default: '10000', min: 1, help: 'Rows in a read of the staging tables' },
    stageDisableCreateTableReaderIndex: {
      type: 'bool',
      default: 'false',
      help: 'Leave out an index of the staging tables',
    },
    stageMarkAppliedLimit: {
      type: 'int',
      default: '100000',
      min: 1,
      help: 'Staged rows marked applied in a statement',
    },
    stageMode: { type: 'string', default: null, help: 'Kind of staging store' },
    stageSanityCheckPeriod: {
      type: 'duration',
      default: '10m0s',
      min: ANY,
      help: 'Interval of checks of staged rows; -1: off',
    },
    stageSanityCheckWindow: { type: 'duration', default: '1h0m0s', min: 0, help: 'How far back those checks look' },
    stageUnappliedPeriod: {
      type: 'duration',
      default: '1m0s',
      min: ANY,
      help: 'Interval of counting unapplied rows; -1: off',
    },
  }),
  ...section(POOLS, {
    targetIdleTime: { type: 'duration', default: '1m0s', min: 1, help: 'Close target connections idle for this long' },
    targetMaxLifetime: { type: 'duration', default: '5m0s', min: 1, help: 'Longest life of a target connection' },
    targetJitterTime: { type: 'duration', default: '15s', min: 0, help: 'Random spread of that life' },
    stagingMaxPoolSize: { type: 'int', default: '128', min: 1, help: 'Most connections to the staging database' },
    stagingIdleTime: {
      type: 'duration',
      default: '1m0s',
      min: 1,
      help: 'Close staging connections idle for this long',
    },
    stagingMaxLifetime: { type: 'duration', default: '5m0s', min: 1, help: 'Longest life of a staging connection' },
    stagingJitterTime: { type: 'duration', default: '15s', min: 0, help: 'Random spread of that life' },
    taskGracePeriod: { type: 'duration', default: '1m0s', min: 0, help: 'Time to clean up after an error' },
  }),
  ...section(CHECKPOINTS, {
    checkpointQueueBufferSize: { type: 'int', default: null, min: 0, help: 'Checkpoints that may wait to be written' },
  }),
  ...section(QUEUES, {
    copierChannel: { type: 'int', default: null, min: 0, deprecatedBy: 'targetApplyQueueSize', help: 'Deprecated' },
    stageCopierChannelSize: {
      type: 'int',
      default: null,
      min: 0,
      deprecatedBy: 'targetApplyQueueSize',
      help: 'Deprecated',
    },
  }),
  ...section(OUTDATED, {
    enableToastedColumns: { type: 'bool', default: 'false', help: 'Deprecated: always on' },
  }),
} satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof FLAGS;

function section<const S extends Section, const R extends Readonly<Record<string, Row & Value>>>(common: S, rows: R) {
  const entries = Object.entries(rows).map(([name, row]) => [name, { ...common, ...row }]);
  return Object.fromEntries(entries) as { readonly [N in keyof R]: S & R[N] };
}

/** The flag called `name`, seen as any row of the table. */
export function flagNamed(name: FlagName): Flag {
  return FLAGS[name];
}

/** The flags of a command, in the table's order. */
export function flagsOf(command: CommandName): FlagName[] {
  return (Object.keys(FLAGS) as FlagName[]).filter((name) => flagNamed(name).commands.includes(command));
}
