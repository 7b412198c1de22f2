import { ALERTS } from './alerts.ts';
import { BOARDS } from './boards.ts';

export interface PlacedQuery {
  readonly query: string;
  /** The board and panel, or the alert, that asks it. */
  readonly where: string;
}

/** Every query of every board, with a number in the place of what Grafana fills in for the interval. */
export function boardQueries(name?: string): PlacedQuery[] {
  return BOARDS.filter((board) => name === undefined || board.name === name).flatMap(({ name, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(([query]) => ({
          query: query.replaceAll('$__rate_interval', '1m'),
          where: `${name}, ${title}`,
        })),
      ),
    ),
  );
}

export function alertQueries(): PlacedQuery[] {
  return ALERTS.map(({ alert, expr }) => ({ query: expr, where: alert }));
}
