import { UsageError } from '../errors.ts';

/** Where to listen. Without a host: on every address of the machine. */
export interface ListenAddress {
  readonly host: string | undefined;
  /** 0 asks the system for a free port. */
  readonly port: number;
}

/**
 * Reads `:30005`, `host:30005`, `127.0.0.1:0` or `[::1]:30005`.
 *
 * @throws UsageError that names `flag`
 */
export function parseListenAddress(text: string, flag = 'metricsAddr'): ListenAddress {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || bracketed === '' || /\s/.test(text)) {
    throw new UsageError(`--${flag} must be an address to listen on such as :30005 or 127.0.0.1:30005, not "${text}"`, {
      fix: `--${flag} 127.0.0.1:30005\n--${flag} [::1]:30005`,
    });
  }
  if (Number(port) > 65535) {
    throw new UsageError(`--${flag}: ports go from 0 to 65535, "${text}" is beyond`);
  }
  return { host: bracketed ?? (plain || undefined), port: Number(port) };
}

/** The form that `parseListenAddress` reads, for messages. */
export function formatListenAddress(host: string | undefined, port: number): string {
  return host?.includes(':') ? `[${host}]:${port}` : `${host ?? ''}:${port}`;
}

/** Whether only this machine reaches an address that is listened on. */
export function isLoopback(address: string): boolean {
  return /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address) || address === '::1';
}
