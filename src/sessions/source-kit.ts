import type { FlagName } from '../config/flags.ts';
import type { SettingValue } from '../config/settings.ts';
import type { SourceConnection } from '../config/source-connection.ts';
import type { SourceWishes } from '../preflight/source-wishes.ts';
import type { Answers, Created, Sent, SourceKind } from './replication.ts';

/** A step of a launch, told when it begins and again when it ends. */
export interface LaunchStep {
  readonly id: string;
  readonly title: string;
  readonly state: 'running' | 'passed' | 'failed' | 'skipped';
  readonly found?: string;
}

/** Something that a launch makes, or uses as it is. */
export interface PlannedThing extends Pick<Created, 'what' | 'side' | 'name'> {
  readonly how: 'created' | 'created unless it is there' | 'used as it is';
  /** What to know of it: "for all tables". */
  readonly remark: string;
}

/** What a kind of source has at hand when it makes what a launch needs. */
export interface LaunchWork {
  readonly answers: Answers;
  readonly connection: SourceConnection;
  /** Tells that a step begins, does it, and tells what `work` says of it. */
  step(
    step: Pick<LaunchStep, 'id' | 'title'>,
    work: () => Promise<readonly ['passed' | 'skipped', string]>,
  ): Promise<void>;
  /** Writes down what has just been made, so that it can be removed again whatever happens. */
  made(thing: Pick<Created, 'what' | 'side' | 'name' | 'lsn'>): void;
  /** What was made under that name, by a former launch as well. */
  existing(what: Created['what'], name: string): readonly Created[];
  /** Removes things that this program has made, the newest first. */
  takeBack(things: readonly Created[]): Promise<void>;
  /** Keeps what is sent, to be compared with at a resume. */
  sends(sent: Sent): void;
}

/** Where things of a replication are kept on this machine. */
export interface ReplicationPlace {
  readonly name: string;
  readonly env: NodeJS.ProcessEnv;
}

export type FlagValues = readonly (readonly [FlagName, SettingValue])[];

/**
 * A kind of source, as a saved replication has to know it: how its connection is read, what a launch makes for it and a removal
 * takes away, and which flags its engine gets. A further kind is one of these, a `SourcePreflight` (what can be asked of it before
 * anything is started) and a `SourceSetup` (what the wizard asks of the operator), each in the list of its own; no screen and no
 * other part of this folder names a kind.
 */
export interface SourceKit {
  readonly kind: SourceKind;
  /** For people: "PostgreSQL". */
  readonly name: string;
  /** What a connection string looks like. */
  readonly example: string;
  /** @throws UsageError for what cannot be read; `label` is how it calls the string. */
  parse(text: string, label: string, env: NodeJS.ProcessEnv): SourceConnection;
  /**
   * The answers with what they leave to be found out: at the source, and on this machine. Changes nothing.
   * @throws OperatorError of the connection
   */
  complete(answers: Answers, connection: SourceConnection, place: ReplicationPlace): Promise<Answers>;
  /** What of the answers a launch needs and that is missing: "publication or slot"; undefined when all is there. */
  missing(answers: Answers): string | undefined;
  /** What the checks look at. `launched`: what was to be made has to be there by now. */
  wishes(answers: Answers, launched: boolean): SourceWishes;
  /** Flags of the engine that the answers give, besides options; shown in commands even where they are defaults. */
  flags(answers: Answers): FlagValues;
  /** Flags that only count while there is no checkpoint: no resume needs them. */
  firstFlags(answers: Answers): FlagValues;
  /** The engine refuses them beside a checkpoint, with this code: they are left out once there is one. */
  readonly firstFlagsRefusal?: string;
  /** What a launch makes or uses besides the staging schema, in the order in which it is made. */
  things(answers: Answers): readonly PlannedThing[];
  /** Makes it. @throws OperatorError of the part that failed; what was made before it is written down. */
  prepare(work: LaunchWork): Promise<void>;
  /** Removes something that `prepare` has made; what is gone already is as good. @throws OperatorError */
  drop(thing: Created, connection: SourceConnection): Promise<void>;
  /** What is sent now, for the next resume to be compared with; undefined where that tells nothing. */
  readSent(connection: SourceConnection, answers: Answers): Promise<Sent | undefined>;
}
