/** `npm run readme`: makes the part of the README anew that comes from the table of codes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withTroubleshooting } from './troubleshooting.ts';

const path = fileURLToPath(new URL('../../README.md', import.meta.url));
writeFileSync(path, withTroubleshooting(readFileSync(path, 'utf8')));
