import { fileURLToPath } from 'node:url';
import { type Board, compactJson, grafanaModel } from './board.ts';
import { general } from './general-board.ts';
import { mysql } from './mysql-board.ts';
import { oracle } from './oracle-board.ts';
import { postgresql } from './postgresql-board.ts';

export const BOARDS: readonly Board[] = [general, postgresql, mysql, oracle];

export function boardFile({ name }: Board): string {
  return fileURLToPath(new URL(`../../assets/grafana/${name}.json`, import.meta.url));
}

export function boardText(board: Board): string {
  return `${compactJson(grafanaModel(board))}\n`;
}
