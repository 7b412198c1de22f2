/** `npm run boards`: makes the boards of assets/grafana anew from the tables beside this file. */
import { writeFileSync } from 'node:fs';
import { BOARDS, boardFile, boardText } from './boards.ts';

for (const board of BOARDS) writeFileSync(boardFile(board), boardText(board));
