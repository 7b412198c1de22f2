/**
 * Reads the value of `--oracle-application-users`: names with commas between them, as the server spells them. Plain names are folded
 * to capitals, as SQL does it; a name in double quotes keeps its letters. Nothing of it is none.
 */
export function parseApplicationUsers(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '')
    .map((name) => (/^".+"$/.test(name) ? name.slice(1, -1) : name.toUpperCase()));
}
