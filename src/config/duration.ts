/** Nanoseconds in each unit of Go's duration syntax. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const PART = /(\d+)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)|\.(\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** The longest duration that Go knows: 2^63 - 1 nanoseconds. */
const LONGEST = 2n ** 63n - 1n;

/**
 * Reads a duration as Go writes it (`1h2m3.5s`, `100ms`, `-1s`, plain `0`) and, because flags document it as "off", `-1`.
 * Returns milliseconds, fractions included; undefined when the text is no duration.
 * @see https://pkg.go.dev/time#ParseDuration
 */
export function parseDuration(text: string): number | undefined {
  if (text === '-1') return -1;
  const sign = /^[-+]/.test(text) ? text[0] : '';
  const body = text.slice(sign.length);
  if (body === '0') return 0;
  let total = 0n;
  PART.lastIndex = 0;
  while (PART.lastIndex < body.length) {
    const part = PART.exec(body);
    if (part === null) return undefined;
    const unit = UNITS[part[3] ?? part[5]];
    const fraction = part[2] ?? part[4] ?? '';
    total += BigInt(part[1] ?? 0) * unit + (BigInt(fraction || 0) * unit) / 10n ** BigInt(fraction.length);
  }
  if (body === '' || total > LONGEST) return undefined;
  const milliseconds = Number(total) / 1e6;
  return sign === '-' && total > 0n ? -milliseconds : milliseconds;
}

/** Writes milliseconds as Go does: `1m0s`, `2.5s`, `25ms`, `1µs`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const sign = milliseconds < 0 ? '-' : '';
  const nanoseconds = BigInt(Math.round(Math.abs(milliseconds) * 1e6));
  if (nanoseconds === 0n) return '0s';
  if (nanoseconds < UNITS.s) {
    const unit = nanoseconds < UNITS.us ? 'ns' : nanoseconds < UNITS.ms ? 'µs' : 'ms';
    return sign + decimal(nanoseconds, UNITS[unit]) + unit;
  }
  const hours = nanoseconds / UNITS.h;
  const minutes = (nanoseconds % UNITS.h) / UNITS.m;
  const seconds = `${decimal(nanoseconds % UNITS.m, UNITS.s)}s`;
  return sign + (hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : '') + seconds;
}

/** `amount / unit` in decimal notation, exact; `unit` is a power of ten. */
function decimal(amount: bigint, unit: bigint): string {
  const digits = String(unit).length - 1;
  const fraction = String(amount % unit)
    .padStart(digits, '0')
    .slice(0, digits)
    .replace(/0+$/, '');
  return fraction === '' ? String(amount / unit) : `${amount / unit}.${fraction}`;
}
