import { Box, type Instance } from 'ink';
import type { ReactNode } from 'react';

/** A window that is being dragged changes its size many times; it is drawn anew when it has rested this long, in milliseconds. */
const REST = 40;
const HOME_AND_ERASE = '\x1b[H\x1b[J';
/** Terminals that know these show what lies between them at once: the empty screen is never seen. */
const BEGIN_UPDATE = '\x1b[?2026h';
const END_UPDATE = '\x1b[?2026l';

export interface Redrawing {
  /** Draws the whole screen anew, whatever is on it; resolves when it has been written. */
  redraw(): Promise<void>;
  stop(): void;
}

/** What has to be rendered for `redrawOnResize` to be able to draw it anew. */
export function redrawable(root: ReactNode, time = 0): ReactNode {
  // Ink draws when something in the tree has changed: this box takes no room, and is another one each time.
  return (
    <>
      {root}
      <Box key={time} position="absolute" />
    </>
  );
}

/**
 * Draws `app`, which shows `redrawable(root)`, anew after the window has changed its size: Ink's own attempt reckons with where
 * the terminal has moved the lines of the old frame, and terminals differ in that.
 */
export function redrawOnResize(app: Instance, root: ReactNode, stdout: NodeJS.WriteStream): Redrawing {
  let timer: NodeJS.Timeout | undefined;
  let times = 0;
  const redraw = async () => {
    clearTimeout(timer);
    stdout.write(BEGIN_UPDATE);
    app.clear();
    stdout.write(HOME_AND_ERASE);
    app.rerender(redrawable(root, ++times));
    await app.waitUntilRenderFlush();
    stdout.write(END_UPDATE);
  };
  const resized = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void redraw(), REST);
  };
  stdout.on('resize', resized);
  return {
    redraw,
    stop: () => {
      clearTimeout(timer);
      stdout.off('resize', resized);
    },
  };
}
