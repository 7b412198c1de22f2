import type { SourceConnection } from '../config/source-connection.ts';

/** The parts of a connection that have a field of their own. */
export interface ConnectionFields {
  readonly host: string;
  readonly port: string;
  readonly database: string;
  /** Oracle: the service of the pluggable database. */
  readonly pdb: string;
  readonly user: string;
  readonly password: string;
  readonly sslmode: string;
  readonly sslrootcert: string;
}

export type FieldName = keyof ConnectionFields;

/** How the connection to a kind of server is entered, as one text or in fields. */
export interface ConnectionForm {
  /** URL schemes that it reads, in lower case; the first is the one that URLs are made with. */
  readonly schemes: readonly [string, ...string[]];
  /** Shown where nothing is entered yet. */
  readonly example: string;
  /** What each field is called among the parameters of a connection string. */
  readonly keywords: Readonly<Record<Exclude<FieldName, 'pdb'>, string>> & { readonly pdb?: string };
  /** What a field is called and what is said of it, where that is not as with PostgreSQL. */
  readonly words?: Readonly<Partial<Record<FieldName, { readonly label?: string; readonly hint?: string }>>>;
  /** Parameters without a field that hold secrets. */
  readonly secrets: readonly string[];
  /** TLS modes, and what each means for somebody who has to choose. */
  readonly modes: Readonly<Record<string, string>>;
  /** Those in which the certificate of the server is looked at. */
  readonly verifying: readonly string[];
  /** The mode when none is chosen. */
  mode(env: NodeJS.ProcessEnv): string;
  /** What counts, or is shown as an example, while a field is empty. */
  placeholders(env: NodeJS.ProcessEnv): Readonly<Partial<Record<FieldName, string>>>;
  readonly hostHint: string;
  /** The parameters of a connection string, by their keywords. @throws UsageError */
  parameters(text: string): ReadonlyMap<string, string>;
  /** @throws UsageError; `label` is how it calls the string. */
  parse(text: string, label: string, env: NodeJS.ProcessEnv): SourceConnection;
  /** The connection with a password that does not become a known secret by this. */
  withPassword(connection: SourceConnection, password: string): SourceConnection;
}
