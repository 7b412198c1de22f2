import type { Check, CheckResult, Fix } from './check.ts';
import type { ConnectionFacts } from './connection-test.ts';
import type { ResumeFacts } from './resume-facts.ts';
import type { ResumeSource } from './resume-source.ts';
import type { SourceChoices } from './source-choices.ts';
import type { SourceInquiry } from './source-inquiry.ts';
import type { SourceWishes } from './source-wishes.ts';

/**
 * What can be asked of a source before anything is started, one implementation for each kind. It is bound to a connection,
 * which says what kind that is.
 */
export interface SourcePreflight {
  /** What is looked at, in the order of the results. */
  readonly planned: readonly Check[];
  /** Connects, asks who is there, and closes the connection again. @throws OperatorError of the connection */
  test(): Promise<ConnectionFacts>;
  /**
   * Looks at everything and not only up to the first failure. Only reads. Results are reported as they come.
   * @throws the reason of `signal` when it aborts; nothing else, as what fails is a result.
   */
  check(wishes: SourceWishes, report?: (result: CheckResult) => void, signal?: AbortSignal): Promise<CheckResult[]>;
  /** What there is to choose from. @throws OperatorError when the source cannot be reached */
  choices(wishes: SourceWishes): Promise<SourceChoices>;
  /** Runs the statements of a fix at the source, up to the first that fails. @throws OperatorError FIX_… */
  fix(fix: Fix): Promise<void>;
  /** What the checks of a target need to know. */
  inquire(wishes: SourceWishes): SourceInquiry;
  /** What a resume needs to know. Changes nothing. */
  resume(facts: ResumeFacts): ResumeSource;
}
