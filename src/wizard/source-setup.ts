import type { FlagName } from '../config/flags.ts';
import type { YamlEntry } from '../config/yaml-file.ts';
import type { ConnectionFacts } from '../preflight/connection-test.ts';
import type { ListedTable } from '../preflight/source-choices.ts';
import type { Answers, Created, SourceKind } from '../sessions/replication.ts';
import type { ReplicationPlace } from '../sessions/source-kit.ts';
import type { ConnectionForm } from './connection-form.ts';
import type { Page } from './pages.ts';
import type { TableChoice } from './table-choice.ts';

/** Tables that are asked about before they are chosen as they are. */
export interface UnfitWords {
  is(table: ListedTable): boolean;
  /** Behind their number: "2 tables without a usable key". */
  readonly how: string;
  /** What becomes of them. */
  readonly cost: string;
}

/** What the page on which tables are chosen has to know of a kind of source. */
export interface TablesWords {
  /** What choosing everything means, and what ticking single tables does. */
  readonly all: string;
  readonly choice: string;
  /** Tables that had better not be chosen as they are; undefined where all can be. */
  readonly unfit: UnfitWords | undefined;
  /** What running such fixes costs. */
  readonly fixing: string;
  /** A fix changes more than what is replicated: it is asked about before it runs. */
  readonly asksToFix: boolean;
  /** What a choice answers. `answers` are those given before. */
  answers(choice: TableChoice, answers: Answers, place: ReplicationPlace): Partial<Answers>;
}

/** Answers that a file gives for a kind of source, besides those that every kind has. */
export interface FileWords {
  readonly keys: readonly string[];
  /** Tables by their names, as somebody would choose them. */
  readonly tables: string;
  /** Lines for somebody whose file lacks something. */
  readonly example: string;
  /** @throws UsageError that names file and line */
  read(entries: ReadonlyMap<string, YamlEntry>): Partial<Answers>;
}

/**
 * What the setup asks of the operator for a kind of source, and in which words. The screens are the same for all kinds; a page
 * that only one kind has is drawn by a step of its own, registered in `setup.tsx`.
 */
export interface SourceSetup {
  readonly kind: SourceKind;
  /** Beside its name in the list of kinds. */
  readonly hint: string;
  readonly form: ConnectionForm;
  /** What may answer at the source, and what is said when something else does. */
  readonly products: readonly ConnectionFacts['product'][];
  readonly otherProduct: string;
  /** Pages between the connection to the source and its checks. */
  readonly before?: readonly Page[];
  /** Pages between the checks of the source and the connection to the target. */
  readonly pages: readonly Page[];
  /** Whether such a page has its answer. */
  isAnswered(page: Page, answers: Answers): boolean;
  readonly tables: TablesWords;
  /** Said above the checks of the target: what becomes of rows that are there already. */
  existingRows(answers: Answers): string;
  /** Flags of the engine that those pages ask for. */
  readonly asked: readonly FlagName[];
  /** Options that cannot be changed beside these answers, with the reason. */
  locked(answers: Answers): Readonly<Partial<Record<FlagName, string>>>;
  readonly file: FileWords;
  /** Parts of the review that only this kind has: what the operator should know before the launch, by line. */
  review(answers: Answers): readonly string[];
  /** Where a launched replication has begun, in a few words. */
  launched(made: readonly Created[], answers: Answers): string | undefined;
}
