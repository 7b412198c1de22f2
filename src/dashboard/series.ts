interface Point {
  readonly at: number;
  readonly value: number;
}

/** Values over time. Those older than `span` milliseconds are forgotten, so that hours of watching take no more memory. */
export class Series {
  readonly #span: number;
  readonly #spacing: number;
  #points: Point[] = [];

  /** @param spacing milliseconds that two kept points are apart at least; the newest is always kept */
  constructor(span: number, spacing = 0) {
    this.#span = span;
    this.#spacing = spacing;
  }

  add(at: number, value: number): void {
    const points = this.#points;
    // The newest point is let go when it stands too near to the one before it to be worth keeping.
    if (points.length > 1 && points[points.length - 1].at - points[points.length - 2].at < this.#spacing) points.pop();
    points.push({ at, value });
    while (points.length > 2 && points[1].at <= at - this.#span) points.shift();
  }

  clear(): void {
    this.#points = [];
  }

  get newest(): number | undefined {
    return this.#points.at(-1)?.value;
  }

  /** Milliseconds between the oldest and the newest value of the last `window` milliseconds. */
  covered(window = this.#span): number {
    const points = this.#within(window);
    return points.length < 2 ? 0 : points[points.length - 1].at - points[0].at;
  }

  /** Change per second from the first to the last value of the last `window` milliseconds; undefined with fewer than two. */
  perSecond(window = this.#span): number | undefined {
    const points = this.#within(window);
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) return undefined;
    return (1000 * (last.value - first.value)) / (last.at - first.at);
  }

  /** Change per second of the straight line that fits the values of the last `window` milliseconds best. */
  slope(window = this.#span): number | undefined {
    const points = this.#within(window);
    if (points.length < 2) return undefined;
    const start = points[0].at;
    const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
    const time = mean((point) => point.at - start);
    const value = mean((point) => point.value);
    let above = 0;
    let below = 0;
    for (const point of points) {
      const away = point.at - start - time;
      above += away * (point.value - value);
      below += away * away;
    }
    return below === 0 ? undefined : (1000 * above) / below;
  }

  #within(window: number): readonly Point[] {
    const { length } = this.#points;
    if (length === 0 || window >= this.#span) return this.#points;
    const from = this.#points[length - 1].at - window;
    let first = length - 1;
    while (first > 0 && this.#points[first - 1].at >= from) first--;
    // With scrapes farther apart than the window, the last two have to do.
    return this.#points.slice(Math.min(first, Math.max(0, length - 2)));
  }
}

/** A number that only grows, but for the process that counts it starting anew. */
export class CounterSeries {
  readonly #series: Series;
  #raw: number | undefined;
  #base = 0;
  #movedAt: number | undefined;

  constructor(span: number) {
    this.#series = new Series(span);
  }

  /** Takes what was scraped. A smaller value than before is one of a process that began again at zero. */
  add(at: number, value: number | undefined): void {
    if (value === undefined || !Number.isFinite(value)) return;
    if (this.#raw !== undefined) {
      if (value < this.#raw) this.restart();
      if (value > (this.#raw ?? 0)) this.#movedAt = at;
    }
    this.#raw = value;
    this.#series.add(at, this.#base + value);
  }

  /** The process started anew: the next value counts from zero, however great it is. */
  restart(): void {
    if (this.#raw === undefined) return;
    this.#base += this.#raw;
    this.#raw = 0;
  }

  /** When it was first seen to be greater than before, as given to `add`; undefined while it was not. */
  get movedAt(): number | undefined {
    return this.#movedAt;
  }

  /** Growth per second over the last `window` milliseconds; undefined until there are two values. */
  perSecond(window: number): number | undefined {
    return this.#series.perSecond(window);
  }
}
