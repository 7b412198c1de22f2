import type { Writable } from 'node:stream';

/** What a command runs in. Commands read their flags with `parseCommandLine(name, context.args, context.env)`. */
export interface CommandContext {
  /** The name that the program was called by: `instar` or `replicator`. */
  readonly program: string;
  /** The arguments after the command's name. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** A module in this directory. */
export interface Command {
  /**
   * Runs the command to its end and resolves to the exit status: 0 stopped as asked, 1 failed. Errors that it throws are
   * told on stderr by the caller: status 2 for a UsageError, else 1.
   */
  run(context: CommandContext): Promise<number>;
}
