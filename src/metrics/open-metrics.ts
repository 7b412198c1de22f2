export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** True when the Accept header of a scrape puts OpenMetrics before plain text, as Prometheus does. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  return qualityOf(accept, 'application/openmetrics-text') > qualityOf(accept, 'text/plain');
}

/**
 * Rewrites metrics from the text format of Prometheus into OpenMetrics 1.0. A counter's family loses the suffix `_total`,
 * its samples keep it; a counter that never had it is of unknown type, so that it keeps the name that boards ask for (the
 * Go client does the same). The library's own OpenMetrics output renames such counters, in the plain text too.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function toOpenMetrics(text: string): string {
  const lines: string[] = [];
  let help: { name: string; text: string } | undefined;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, keyword, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      help = { name, text: rest };
    } else if (keyword === 'TYPE') {
      const total = rest === 'counter' && name.endsWith('_total');
      const family = total ? name.slice(0, -'_total'.length) : name;
      lines.push(`# TYPE ${family} ${rest === 'counter' && !total ? 'unknown' : rest}`);
      if (help?.name === name) lines.push(`# HELP ${family} ${help.text.replaceAll('"', '\\"')}`);
    } else {
      lines.push(line);
    }
  }
  return `${lines.join('\n')}\n# EOF\n`;
}

/** The q value that an Accept header gives a media type; 0 when it does not name it. */
function qualityOf(accept: string | undefined, type: string): number {
  let best = 0;
  for (const part of (accept ?? '').split(',')) {
    const [name, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    if (name !== type) continue;
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    best = Math.max(best, quality === undefined ? 1 : Number(quality.slice(2)) || 0);
  }
  return best;
}
