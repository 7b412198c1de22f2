import process from 'node:process';
import { isInteractive } from '../terminal/interactive.ts';
import type { CommandContext } from './command.ts';

/**
 * `instar` alone: the saved replications, or the first setup. Where nobody sits at a terminal it prints `overview`, how else
 * to use the program, and resolves to 2.
 */
export async function run({ env, stderr, program }: CommandContext, overview: string): Promise<number> {
  const { stdin, stdout } = process;
  if (!isInteractive({ stdin, stdout, env })) {
    stderr.write(`${program}: the wizard needs a terminal; without one, name a command\n\n${overview}`);
    return 2;
  }
  // What draws takes a moment to load, which no other command should wait for.
  const { openApp } = await import('../wizard/open-app.tsx');
  return await openApp({ env }, 'home');
}
