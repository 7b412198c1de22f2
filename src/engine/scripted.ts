import type { ScriptStage } from './script-stage.ts';
import type { ScriptedWrites } from './scripted-writes.ts';

/** The two places of a userscript in the engine: in front of the applier, and inside of target transactions. */
export interface Scripted {
  readonly stage: ScriptStage;
  readonly writes: ScriptedWrites;
}
