/** The kinds of sources, by the names of the commands that run them: in flags, metrics, leases and memo keys. */
export type SourceKind = 'pglogical' | 'mylogical' | 'oraclelogminer';
