/** What must only ever rise, of one process: its counters, and the counts and buckets of its histograms. */
export class Counters {
  /** Each fall and each disappearance, in words. */
  readonly falls: string[] = [];
  #last = new Map<string, number>();

  /** Takes in an exposition in the text format of Prometheus. */
  see(exposition: string): void {
    const rising = new Set<string>();
    const now = new Map<string, number>();
    for (const line of exposition.split('\n')) {
      const type = /^# TYPE (\S+) (\S+)$/.exec(line);
      if (type?.[2] === 'counter') rising.add(type[1]);
      if (type?.[2] === 'histogram') for (const part of ['bucket', 'count', 'sum']) rising.add(`${type[1]}_${part}`);
      const sample = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)/.exec(line);
      if (sample !== null && rising.has(sample[1])) now.set(`${sample[1]}${sample[2] ?? ''}`, Number(sample[3]));
    }
    for (const [name, before] of this.#last) {
      const value = now.get(name);
      if (value === undefined) this.falls.push(`${name} was ${before} and is gone`);
      else if (value < before) this.falls.push(`${name} fell from ${before} to ${value}`);
    }
    this.#last = now;
  }

  /** The sum of a counter over all labels. */
  total(counter: string): number {
    let sum = 0;
    for (const [name, value] of this.#last) if (name === counter || name.startsWith(`${counter}{`)) sum += value;
    return sum;
  }
}
