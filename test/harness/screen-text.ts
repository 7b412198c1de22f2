import type xterm from '@xterm/headless';

/** A text that is to be on the screen, or what is to hold for the whole of it. */
export type Wanted = string | RegExp | ((screen: string) => boolean);

/** What an emulator shows, a line each, without blanks at the ends. */
export function screenText(emulator: InstanceType<typeof xterm.Terminal>): string {
  const buffer = emulator.buffer.active;
  return Array.from(
    { length: emulator.rows },
    (_, row) => buffer.getLine(buffer.viewportY + row)?.translateToString(true) ?? '',
  )
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd();
}

/** Whether a screen is the one that is waited for. */
export function shows(screen: string, wanted: Wanted): boolean {
  if (typeof wanted === 'function') return wanted(screen);
  return typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen);
}
