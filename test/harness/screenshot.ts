import type xterm from '@xterm/headless';

type Emulator = InstanceType<typeof xterm.Terminal>;
type Cell = NonNullable<ReturnType<NonNullable<ReturnType<Emulator['buffer']['active']['getLine']>>['getCell']>>;

const CELL = { width: 8.4, height: 17 };
const PADDING = 14;
const BACKGROUND = '#16181d';
const FOREGROUND = '#d7dae0';
/** The sixteen colours as a dark terminal of today has them. */
const PALETTE = [
  '#16181d',
  '#e06c75',
  '#98c379',
  '#e5c07b',
  '#61afef',
  '#c678dd',
  '#56b6c2',
  '#c8ccd4',
  '#7f8694',
  '#ef7b84',
  '#a8d389',
  '#f0cf8d',
  '#74bdf7',
  '#d38ae8',
  '#66c6d2',
  '#ffffff',
];

interface Style {
  readonly foreground: string;
  readonly background: string;
  readonly bold: boolean;
}

/** A picture (SVG) of what the emulator shows, with its colours. The same screen gives the same picture. */
export function svgOf({ emulator }: { readonly emulator: Emulator }): string {
  const width = Math.ceil(emulator.cols * CELL.width + 2 * PADDING);
  const height = emulator.rows * CELL.height + 2 * PADDING;
  const lines = Array.from({ length: emulator.rows }, (_, row) => lineOf(emulator, row)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, 'JetBrains Mono', Menlo, 'DejaVu Sans Mono', Consolas, monospace" font-size="14" xml:space="preserve">
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
${lines}</svg>
`;
}

function lineOf(emulator: Emulator, row: number): string {
  const buffer = emulator.buffer.active;
  const line = buffer.getLine(buffer.viewportY + row);
  if (line === undefined) return '';
  const runs: { from: number; cells: number; text: string; style: Style }[] = [];
  for (let column = 0; column < emulator.cols; column++) {
    const cell = line.getCell(column);
    if (cell === undefined || cell.getWidth() === 0) continue;
    const style = styleOf(cell);
    const last = runs.at(-1);
    const text = cell.getChars() || ' ';
    if (last !== undefined && same(last.style, style)) {
      last.text += text;
      last.cells += cell.getWidth();
    } else {
      runs.push({ from: column, cells: cell.getWidth(), text, style });
    }
  }
  return runs.map((run) => runOf(run, row)).join('');
}

function runOf(
  { from, cells, text, style }: { from: number; cells: number; text: string; style: Style },
  row: number,
): string {
  const x = (PADDING + from * CELL.width).toFixed(1);
  const y = PADDING + row * CELL.height;
  const width = (cells * CELL.width).toFixed(1);
  const box =
    style.background === BACKGROUND
      ? ''
      : `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${style.background}"/>\n`;
  if (text.trim() === '') return box;
  const weight = style.bold ? ' font-weight="bold"' : '';
  return `${box}<text x="${x}" y="${y + 13}" textLength="${width}" lengthAdjust="spacingAndGlyphs" fill="${style.foreground}"${weight}>${escaped(text)}</text>\n`;
}

function styleOf(cell: Cell): Style {
  const foreground = cell.isFgDefault() ? FOREGROUND : colorOf(cell.getFgColor(), cell.isFgRGB());
  const background = cell.isBgDefault() ? BACKGROUND : colorOf(cell.getBgColor(), cell.isBgRGB());
  const bold = cell.isBold() !== 0;
  return cell.isInverse() ? { foreground: background, background: foreground, bold } : { foreground, background, bold };
}

function colorOf(color: number, rgb: boolean): string {
  return rgb ? `#${color.toString(16).padStart(6, '0')}` : (PALETTE[color] ?? FOREGROUND);
}

function same(one: Style, other: Style): boolean {
  return one.foreground === other.foreground && one.background === other.background && one.bold === other.bold;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
