/** One step of a path: a member of an object or a cell of an array. */
export type PathLeg = string | number;

const LEG = /\.(?:"((?:[^"\\]|\\.)*)"|([^.["]+))|\[(\d+)\]/gy;

/** Reads a path as the server logs it (`$.a."b c"[3]`); undefined when it is none. */
export function parseJsonPath(text: string): readonly PathLeg[] | undefined {
  if (!text.startsWith('$')) return undefined;
  const legs: PathLeg[] = [];
  LEG.lastIndex = 1;
  let at = 1;
  for (let match = LEG.exec(text); match !== null; match = LEG.exec(text)) {
    const [, quoted, plain, cell] = match;
    if (cell !== undefined) legs.push(Number(cell));
    else if (plain !== undefined) legs.push(plain);
    else {
      const key = unquote(quoted ?? '');
      if (key === undefined) return undefined;
      legs.push(key);
    }
    at = LEG.lastIndex;
  }
  return at === text.length ? legs : undefined;
}

function unquote(inner: string): string | undefined {
  try {
    return JSON.parse(`"${inner}"`) as string;
  } catch {
    return undefined;
  }
}
