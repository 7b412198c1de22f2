import type { Logger } from './logger.ts';

/** A log that nobody reads: for an engine's own checks when they are made without an engine. */
export const SILENT: Logger = {
  enabled: () => false,
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  trace: () => {},
};
