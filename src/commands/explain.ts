import { parseCommandLine } from '../config/command-line.ts';
import { flagNamed } from '../config/flags.ts';
import { beside } from '../config/help.ts';
import { didYouMean } from '../config/nearest.ts';
import { mask } from '../config/secrets.ts';
import { UsageError } from '../errors.ts';
import { searchCodes } from '../explanations/search.ts';
import { AREAS, allCodes, explanationOf, plain } from '../explanations/table.ts';
import { ReplicationStore } from '../sessions/store.ts';
import type { CommandContext } from './command.ts';
import { chosen } from './chosen.ts';
import { explanationText, filled, type Places } from './explanation-text.ts';
import { codesOfServerError } from './server-codes.ts';

/** Codes that words find, and that are listed below the best. */
const MORE = 6;

/**
 * `instar explain [CODE [NAME] | WORDS]`: what an error or a warning means, and what to do; of a server's own error by its
 * number; by words what they most likely mean; without any all codes. With the name of a saved replication the SQL has its
 * slot, schema and the like.
 */
export async function run({ args, env, stdout }: CommandContext): Promise<number> {
  const words = args.filter((word) => !word.startsWith('-'));
  const flags = args.filter((word) => word.startsWith('-'));
  const { settings } = parseCommandLine('explain', flags, env);
  if (words.length === 0) {
    stdout.write(settings.json ? json(allCodes(), {}) : listText());
    return 0;
  }
  const [asked, ...rest] = words;
  const exact = codesNamed(asked);
  if (exact !== undefined && rest.length <= 1) {
    const places = rest.length === 0 ? {} : placesOf(rest[0], env);
    stdout.write(settings.json ? json(exact, places) : exactText(asked, exact, places));
    return 0;
  }
  const found = searchCodes(words.join(' '));
  // What looks like a code and is nearly one was mistyped, whatever its parts would find.
  const meant = words.length === 1 && asked.includes('_') ? didYouMean(asked, allCodes()) : '';
  if (found.length === 0 || meant !== '') {
    const near = meant || didYouMean(asked, allCodes());
    throw new UsageError(`nothing is known of ${JSON.stringify(mask(words.join(' ')))}${near}`, {
      fix: 'instar explain',
    });
  }
  stdout.write(settings.json ? json(found, {}) : foundText(found));
  return 0;
}

/** The codes that somebody has written as one: in any case, or as a server's own error. */
function codesNamed(word: string): readonly string[] | undefined {
  const code = word.trim().toUpperCase().replaceAll(/[- ]/g, '_');
  return explanationOf(code) === undefined ? codesOfServerError(word.trim()) : [code];
}

function exactText(asked: string, codes: readonly string[], places: Places): string {
  const own = explanationOf(codes[0]) !== undefined && asked.toUpperCase().replaceAll(/[- ]/g, '_') === codes[0];
  const head = own ? '' : `${asked.toUpperCase()} is told here as ${codes.join(', ')}\n\n`;
  if (codes.length > 2) return `${head}${codes.map(line).join('\n')}\n`;
  return head + codes.map((code) => explanationText(code, explanationOf(code)!, places)).join('\n');
}

function foundText([best, ...others]: readonly string[]): string {
  const more = others.slice(0, MORE).map(line);
  const below = more.length === 0 ? '' : `\nOr:\n${more.join('\n')}\n`;
  return explanationText(best, explanationOf(best)!) + below;
}

function listText(): string {
  const areas = AREAS.map(
    ({ title, explanations }) => `${title}:\n${Object.keys(explanations).map(line).join('\n')}\n`,
  );
  return `${areas.join('\n')}\n"instar explain CODE" tells what it means for the data, and what to do.\n`;
}

function line(code: string): string {
  return beside(`  ${code}`, plain(explanationOf(code)!.what), 34);
}

function json(codes: readonly string[], places: Places): string {
  const list = codes.map((code) => {
    const explanation = filled(explanationOf(code)!, places);
    const { kind = 'error', what, data, fix, look = [], related = [] } = explanation;
    const area = AREAS.find(({ explanations }) => Object.hasOwn(explanations, code))!.title;
    return {
      code,
      area,
      kind,
      what: plain(what),
      data: plain(data),
      fix: fix.flatMap((step) => (typeof step === 'string' ? plain(step) : step)),
      look,
      related,
    };
  });
  return `${JSON.stringify(list, undefined, 2)}\n`;
}

/** The names of a saved replication. @throws OperatorError SESSION_MISSING */
function placesOf(name: string, env: NodeJS.ProcessEnv): Places {
  const { answers } = chosen(ReplicationStore.open(env), name);
  const { slot, publication, targetSchema, sourceSchema, options } = answers;
  return {
    name,
    staging: options?.stagingSchema ?? String(flagNamed('stagingSchema').default),
    ...(slot && { slot: slot.name }),
    ...(publication && { publication: publication.name }),
    ...(targetSchema !== undefined && { 'target schema': targetSchema }),
    ...(sourceSchema !== undefined && { owner: sourceSchema }),
  };
}
