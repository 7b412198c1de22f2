import { type CommandName, type Flag, type FlagName, flagNamed, flagsOf } from './flags.ts';

/** Terminals have at least this many columns. */
const WIDTH = 80;
/** Column at which explanations begin. */
const INDENT = 30;

/** The flags of a command under their headings, with types and defaults, within 80 columns. */
export function flagHelp(command: CommandName): string {
  const groups = Map.groupBy(flagsOf(command), (name) => flagNamed(name).group);
  return [...groups].map(([group, names]) => `${group}:\n${names.map(entry).join('\n')}`).join('\n\n');
}

/** `left` with an explanation beside it, or below it when it is too long, wrapped to 80 columns. */
export function beside(left: string, text: string, indent = INDENT): string {
  const lines = wrap(text, WIDTH - indent).map((line) => ' '.repeat(indent) + line);
  if (left.length + 2 > indent) return [left, ...lines].join('\n');
  return [left + lines[0].slice(left.length), ...lines.slice(1)].join('\n');
}

function entry(name: FlagName): string {
  const flag = flagNamed(name);
  const short = flag.short === undefined ? '' : `-${flag.short}, `;
  return beside(`  ${short}--${name}${placeholder(flag)}`, flag.help + remarks(flag));
}

function placeholder(flag: Flag): string {
  switch (flag.type) {
    case 'bool':
    case 'count':
      return '';
    case 'choice':
      return ` ${flag.choices.join('|')}`;
    case 'connection':
      return ' URL';
    default:
      return { int: ' N', duration: ' TIME', size: ' SIZE', string: ' TEXT' }[flag.type];
  }
}

function remarks(flag: Flag): string {
  if (flag.required !== undefined) return ' (required)';
  if (flag.default === null || flag.default === '' || flag.default === 'false' || flag.type === 'count') return '';
  return ` (default ${flag.default})`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
