/**
 * What an operator has to know about a code. Texts are sentences; flags, settings and SQL in them stand in `backticks`, and
 * `<slot>`, `<schema.table>` and the like are to be filled in.
 */
export interface Explanation {
  /**
   * How it shows itself. Without it: an error, with which a command or a replication ends, or a check fails. `passes`: an error
   * that is tried again by itself once replication runs. `warns`: a warning that asks for something. `symptom`: what is seen
   * while there is no error; nothing throws it.
   */
  readonly kind?: 'passes' | 'warns' | 'symptom';
  /** What happened, one sentence. Codes with the same one share a row of the README. */
  readonly what: string;
  /** What it means for the data, one line. */
  readonly data: string;
  /**
   * What to do. A text is a sentence; a list holds commands or SQL, a line each. The first stands by itself: it is all that the
   * README tells.
   */
  readonly fix: readonly [Step, ...Step[]];
  /** Flags and metrics that tell more, or change it. */
  readonly look?: readonly string[];
  /** Other codes that come with it, or are taken for it. */
  readonly related?: readonly string[];
}

export type Step = string | readonly string[];

/** The codes of one area. A further one is one entry here. */
export type Explanations = Readonly<Record<string, Explanation>>;
