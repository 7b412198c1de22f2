import { beside } from '../config/help.ts';
import type { Explanation, Step } from '../explanations/explanation.ts';
import { plain } from '../explanations/table.ts';

/** What stands in the place of `<slot>` and the like, by what is between the brackets. */
export type Places = Readonly<Partial<Record<string, string>>>;

/** Column at which texts begin. */
const INDENT = 15;

const KINDS = {
  passes: 'passes by itself once replication runs',
  warns: 'a warning: replication goes on',
  symptom: 'a symptom, and no error',
} as const;

/** A code whole, for a terminal of 80 columns. Lines of SQL and commands are not folded, so that they can be copied. */
export function explanationText(code: string, explanation: Explanation, places: Places = {}): string {
  const { kind, what, data, fix, look = [], related = [] } = explanation;
  const lines = [
    kind === undefined ? code : `${code} (${KINDS[kind]})`,
    '',
    beside('What happened', plain(what), INDENT),
    beside('For the data', plain(data), INDENT),
    ...fix.map((step, index) => stepText(index === 0 ? 'What to do' : '', filledStep(step, places))),
    ...(look.length > 0 ? [beside('Look at', look.join(', '), INDENT)] : []),
    ...(related.length > 0 ? [beside('See also', related.join(', '), INDENT)] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** The explanation with what is known in the place of `<slot>` and the like; what is not known stays as it is. */
export function filled(explanation: Explanation, places: Places): Explanation {
  const [first, ...more] = explanation.fix.map((step) => filledStep(step, places));
  return { ...explanation, fix: [first, ...more] };
}

function filledStep(step: Step, places: Places): Step {
  const fill = (text: string) => text.replaceAll(/<([a-z][a-z. ]*)>/g, (whole, name: string) => places[name] ?? whole);
  return typeof step === 'string' ? fill(step) : step.map(fill);
}

function stepText(label: string, step: Step): string {
  if (typeof step === 'string') return beside(label, plain(step), INDENT);
  const code = step.map((line) => ' '.repeat(INDENT + 2) + line);
  return label === '' ? code.join('\n') : [label, ...code].join('\n');
}
