import { preflightOf } from './preflights.ts';
import type { ResumeConnections, ResumeFacts } from './resume-facts.ts';
import type { ResumeSource } from './resume-source.ts';
import { TargetFacts } from './target-facts.ts';

/** What is asked before a resume, each fact once, as the engine would at its start; nothing is changed. */
export class ResumeInquiry {
  readonly facts: ResumeFacts;
  readonly source: ResumeSource;
  readonly target: TargetFacts;

  constructor(facts: ResumeFacts, connections: ResumeConnections) {
    const { targetSchema, stagingSchema, wishes } = facts;
    this.facts = facts;
    this.source = preflightOf(connections.source).resume(facts);
    this.target = new TargetFacts(
      connections.target,
      { ...wishes, staging: connections.staging, targetSchema, stagingSchema, tables: 'all' },
      this.source.inquiry,
    );
  }

  async close(): Promise<void> {
    this.target.close();
    await this.source.close();
  }
}
