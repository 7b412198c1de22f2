/** What the answers need of a session of the double. */
export interface ModelSession {
  readonly user: string;
  readonly service: string;
  /** Values of ALTER SESSION, by the names of the parameters. */
  readonly settings: ReadonlyMap<string, string>;
  /** Kept until the session ends. */
  readonly state: Map<string, unknown>;
}
