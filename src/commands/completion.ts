import { parseCommandLine } from '../config/command-line.ts';
import { didYouMean } from '../config/nearest.ts';
import { UsageError } from '../errors.ts';
import type { Command } from './command.ts';
import { bashCompletion } from './completion-bash.ts';
import { fishCompletion } from './completion-fish.ts';
import { completedCommands } from './completion-model.ts';
import { zshCompletion } from './completion-zsh.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** `instar completion SHELL`: prints the shell's completions, for both names of the program. `summaries`: of every command. */
export function completionCommand(summaries: ReadonlyMap<string, string>): Command {
  return {
    async run({ args, env, stdout }) {
      const { argument = '' } = parseCommandLine('completion', args, env);
      const shells = Object.keys(SHELLS);
      if (!Object.hasOwn(SHELLS, argument)) {
        throw new UsageError(
          `there are completions for ${shells.join(', ')}, not for ${JSON.stringify(argument)}${didYouMean(argument, shells)}`,
        );
      }
      stdout.write(SHELLS[argument as keyof typeof SHELLS](completedCommands(summaries)));
      return 0;
    },
  };
}
