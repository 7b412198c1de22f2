import { AREAS } from './table.ts';

/** Words that say nothing about what is looked for. */
const COMMON = new Set(
  'a an and are by cannot do does for how i in is it my no not of on or over the to what why with'.split(' '),
);

/**
 * The codes and symptoms that words most likely mean, the best first. A word counts where one begins with it; more in the
 * name and in what happened than in the rest.
 */
export function searchCodes(query: string): readonly string[] {
  const wanted = wordsOf(query).filter((word) => !COMMON.has(word));
  if (wanted.length === 0) return [];
  const found = AREAS.flatMap(({ explanations }) =>
    Object.entries(explanations).map(([code, { kind, what, data, fix, related = [] }]) => {
      const near = wordsOf(`${code} ${what}`);
      const far = wordsOf([data, ...fix.flat(), ...related].join(' '));
      const scores = wanted.map((word) => (begins(near, word) ? 3 : begins(far, word) ? 1 : 0));
      const met = scores.filter((score) => score > 0).length / wanted.length;
      // Who searches by words sees something, and does not know its code.
      const score = scores.reduce<number>((sum, each) => sum + each, 0) + (kind === 'symptom' ? 1 : 0);
      return { code, met, score };
    }),
  );
  return found
    .filter(({ met }) => met >= 0.6)
    .sort((a, b) => b.met - a.met || b.score - a.score)
    .map(({ code }) => code);
}

function begins(words: readonly string[], wanted: string): boolean {
  const stem = wanted.length > 4 ? wanted.replace(/(ures?|ies|es|s|ed|ing)$/, '') : wanted;
  return words.some((word) => word.startsWith(stem));
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
