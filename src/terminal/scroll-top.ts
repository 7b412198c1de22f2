/**
 * The first of `count` lines to show in `rows`, so that the line `selected` is seen and the view moves no more than it must from
 * `top`, where it was.
 */
export function scrollTop(top: number, selected: number, rows: number, count: number): number {
  const last = Math.max(0, count - rows);
  const lowest = selected - rows + 1;
  return Math.min(last, Math.max(0, Math.min(selected, Math.max(lowest, top))));
}

/** The keys that move in a list, and where they lead from `at` among `count` lines of which `rows` are seen. */
export function movedIn(at: number, name: string, rows: number, count: number): number | undefined {
  const page = Math.max(1, rows - 1);
  const to = { up: at - 1, down: at + 1, pageup: at - page, pagedown: at + page, home: 0, end: count - 1 }[name];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}
