import { writeBytea, writeHex } from './hex.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

/** SRID, byte order and type code. */
const HEAD = 9;

/** EWKB's mark for "an SRID follows the type code". */
const HAS_SRID = 0x20000000;

/**
 * GEOMETRY, which is kept as an SRID and WKB: EWKB in hex, as PostGIS and CockroachDB read it. A bytes target gets what the source's SELECT
 * shows, SRID first.
 */
export function geometryWriter({ kind, target, where }: ValueContext): ValueWriter {
  if (kind === 'bytes') return writeBytea;
  const head = Buffer.alloc(HEAD);
  return (input, start, end, out) => {
    // A NOT NULL column that was added to rows that were there already is empty in them.
    if (start === end && target?.nullable !== false) return out.null();
    if (end - start < HEAD || input[start + 4] > 1) throw malformedValue(where, 'a GEOMETRY without a head');
    const at = out.open();
    const srid = input.readUInt32LE(start);
    if (srid === 0) {
      writeHex(out, input, start + 4, end);
    } else {
      head[0] = input[start + 4];
      if (head[0] === 1) {
        head.writeUInt32LE((input.readUInt32LE(start + 5) | HAS_SRID) >>> 0, 1);
        head.writeUInt32LE(srid, 5);
      } else {
        head.writeUInt32BE((input.readUInt32BE(start + 5) | HAS_SRID) >>> 0, 1);
        head.writeUInt32BE(srid, 5);
      }
      writeHex(out, head, 0, HEAD);
      writeHex(out, input, start + HEAD, end);
    }
    out.close(at);
  };
}
