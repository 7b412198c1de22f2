import type { Step } from '../../src/explanations/explanation.ts';
import { AREAS } from '../../src/explanations/table.ts';

const HEADING = '\n## Troubleshooting\n';

const INTRODUCTION = `Every failure is logged with its code, what it means for the data, and the commands that mend it for the very slot or table. Nothing of a transaction that failed is on the target; after the fix, resume with the same command. What stands here is the beginning: \`instar explain\` has all of it, and [here](#start-over-or-give-up) is how to start over.

\`\`\`
instar explain PG_SLOT_LOST
instar explain PG_SLOT_LOST shop
instar explain ORA-01291
instar explain lag behind the current SCN
\`\`\`

The second has the slot and the schemas of a saved replication in its SQL. A number of MySQL or a SQLSTATE will do as well, and without anything it lists all codes.`;

/** The README with its section on trouble made anew from the table of codes. */
export function withTroubleshooting(readme: string): string {
  const start = readme.indexOf(HEADING) + HEADING.length;
  const end = readme.indexOf('\n## ', start);
  return `${readme.slice(0, start)}\n${troubleshooting()}${readme.slice(end)}`;
}

function troubleshooting(): string {
  const areas = AREAS.map(({ title, explanations }) => {
    const entries = Object.entries(explanations);
    const [passing, rest] = [true, false].map((wanted) =>
      entries.filter(([, { kind }]) => (kind === 'passes') === wanted),
    );
    const rows = Map.groupBy(rest, ([, { what, fix }]) => `${cell(what)} | ${cell(fix[0])}`);
    const lines = [...rows].map(([texts, same]) => `| ${codesText(same)} | ${texts} |`);
    const table = ['| code | what happened | what to do first |', '| --- | --- | --- |', ...lines].join('\n');
    const note = passing.length === 0 ? '' : `\n\nPassing by themselves once replication runs: ${codesText(passing)}.`;
    return `### ${title}\n\n${table}${note}\n`;
  });
  return `${INTRODUCTION}\n\n${areas.join('\n')}`;
}

function codesText(entries: readonly (readonly [string, unknown])[]): string {
  return entries.map(([code]) => `\`${code}\``).join(', ');
}

function cell(step: Step): string {
  const text = typeof step === 'string' ? step : step.map((line) => `\`${line}\``).join(' ');
  return text.replaceAll('|', '\\|');
}
