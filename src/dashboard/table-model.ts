import type { TableFacts } from './facts.ts';
import type { TableReading } from './reading.ts';
import { CounterSeries } from './series.ts';

/** What rates are taken over, milliseconds. */
const RATE_WINDOW = 5000;
/** The age of changes is told for this long after the last of them: later it would be that of the past. */
const CURRENT = 60_000;

interface Remembered {
  readonly rows: CounterSeries;
  ageSum: number;
  ageCount: number;
  lag: number | undefined;
  changedAt: number;
}

/** Makes the readings of tables out of their counters. */
export class TableModel {
  readonly #tables = new Map<string, Remembered>();

  /** Tables by name, each with its rates. Tables that are told of no more are forgotten. */
  look(at: number, tables: ReadonlyMap<string, TableFacts>): TableReading[] {
    for (const name of this.#tables.keys()) if (!tables.has(name)) this.#tables.delete(name);
    const readings: TableReading[] = [];
    for (const [name, facts] of tables) {
      let known = this.#tables.get(name);
      if (known === undefined) {
        // What a table has when it is first seen says nothing of now.
        const { ageSum, ageCount } = facts;
        known = { rows: new CounterSeries(2 * RATE_WINDOW), ageSum, ageCount, lag: undefined, changedAt: at };
        this.#tables.set(name, known);
      }
      this.#age(known, facts, at);
      known.rows.add(at, facts.upserts + facts.deletes);
      readings.push({
        name,
        upserts: facts.upserts,
        deletes: facts.deletes,
        errors: facts.errors,
        rowsPerSecond: known.rows.perSecond(RATE_WINDOW) ?? 0,
        lagSeconds: at - known.changedAt <= CURRENT ? known.lag : undefined,
      });
    }
    return readings.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The process started anew: its counters begin at zero. */
  restart(): void {
    for (const known of this.#tables.values()) {
      known.rows.restart();
      known.ageSum = 0;
      known.ageCount = 0;
    }
  }

  #age(known: Remembered, { ageSum, ageCount }: TableFacts, at: number): void {
    if (ageCount === known.ageCount) return;
    const anew = ageCount < known.ageCount;
    const count = anew ? ageCount : ageCount - known.ageCount;
    const sum = anew ? ageSum : ageSum - known.ageSum;
    if (count > 0) {
      known.lag = sum / count;
      known.changedAt = at;
    }
    known.ageSum = ageSum;
    known.ageCount = ageCount;
  }
}
