import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Replication } from '../../src/sessions/replication.ts';
import { stateOf } from '../../src/sessions/state.ts';
import { ReplicationStore } from '../../src/sessions/store.ts';
import { eventually } from '../harness/engine.ts';
import { type PseudoTerminal, type PseudoTerminalOptions, startTerminal } from '../harness/pseudo-terminal.ts';
import { scratchDirectory } from '../servers/scratch.ts';

/** Milliseconds that servers and the engine get on a busy machine. */
const PATIENCE = 30_000;

/**
 * Somebody at a terminal who knows only what the screen says: verbs of the setup, each waiting for the screen that it works on.
 */
export class Operator {
  readonly store: ReplicationStore;
  readonly #t: TestContext;
  readonly #env: NodeJS.ProcessEnv;
  terminal!: PseudoTerminal;

  /** Register before databases are made: the engine must end before they are dropped. */
  constructor(t: TestContext) {
    this.#t = t;
    this.#env = { INSTAR_HOME: join(scratchDirectory('operator'), 'state') };
    this.store = ReplicationStore.open(this.#env);
    t.after(() => this.#endEngines());
  }

  /** Opens `instar` with `args` in a new terminal. */
  open(args: readonly string[] = [], options: PseudoTerminalOptions = {}): PseudoTerminal {
    this.terminal = startTerminal(this.#t, args, { ...options, env: { ...this.#env, ...options.env } });
    return this.terminal;
  }

  sees(wanted: string | RegExp): Promise<string> {
    return this.terminal.waitFor(wanted, PATIENCE);
  }

  press(...keys: string[]): Promise<void> {
    return this.terminal.press(...keys);
  }

  /** The replication that is saved, when there is one. */
  get replication(): Replication {
    return this.store.list()[0];
  }

  async choosesPostgres(): Promise<void> {
    await this.sees('What do you replicate from');
    await this.press('return', 'return');
  }

  async choosesMysql(): Promise<void> {
    await this.sees('What do you replicate from');
    await this.press('return', 'down', 'return');
  }

  async choosesOracle(): Promise<void> {
    await this.sees('What do you replicate from');
    await this.press('return', 'down', 'down', 'return');
  }

  /** Pastes a connection string, waits for the connection, and goes on with it kept in the secrets file. */
  async connects(side: 'source' | 'target', url: string): Promise<void> {
    await this.sees(side === 'source' ? 'Where are the changes read from' : 'Where are the changes written to');
    this.terminal.paste(url);
    await this.sees(/Connected to (PostgreSQL|MySQL|MariaDB|Oracle)/);
    await this.press('return');
    await this.sees(/❯ Keep it/);
    await this.press('return');
  }

  /** Waits until all checks are done and goes on. */
  async passesChecks(): Promise<void> {
    await this.sees(/(Ready|All \d+ passed|Ready, with advice)[\s\S]*passed/);
    await this.goesOn(/passed/);
  }

  async choosesAllTables(): Promise<void> {
    await this.sees('Which tables?');
    await this.sees(/\d+ of \d+ chosen/);
    await this.press('return');
  }

  /** Takes the names that are proposed for publication and slot. */
  async namesThings(): Promise<void> {
    await this.sees('What shall they be called at the source');
    await this.press('return');
  }

  /** Takes the first schema that the target has, and the staging schema that is proposed. */
  async choosesSchema(): Promise<void> {
    await this.sees('Which schema of the target');
    await this.press('return');
    await this.sees(/❯ Staging schema/);
    await this.press('return');
  }

  async acceptsOptions(): Promise<void> {
    await this.sees(/● options/);
    await this.goesOn(/● options/);
  }

  /** Names a userscript among the options; nothing else is changed. */
  async namesScript(path: string): Promise<void> {
    await this.sees('Everything has a default');
    await this.press('down');
    await this.sees(/❯ userscript/);
    await this.terminal.paste(path);
  }

  /** From the review to the dashboard. */
  async launches(): Promise<void> {
    await this.sees('WHAT WILL BE CREATED');
    await this.goesOn(/● review/);
    await this.sees(/● (following|caught up)/);
  }

  /** Presses Enter until the screen is another one: some say for a moment that they are not done yet. */
  async goesOn(current: RegExp): Promise<void> {
    const trail = () => /^ .*●.*$/m.exec(this.terminal.screen())?.[0];
    const before = trail();
    await eventually(
      async () => {
        if (trail() !== before || !current.test(this.terminal.screen())) return true;
        await this.press('return');
        return false;
      },
      () => `it does not go on:\n${this.terminal.screen()}`,
    );
  }

  async #endEngines(): Promise<void> {
    for (const each of this.store.list()) {
      if (each.run === undefined || stateOf(each) !== 'running') continue;
      process.kill(each.run.pid, 'SIGKILL');
      await eventually(
        async () => stateOf(each) !== 'running',
        () => 'the engine still runs',
      );
    }
  }
}
