import { floatText } from './double-text.ts';
import { writeBytea } from './hex.ts';
import type { ValueContext, ValueWriter } from './value-context.ts';
import { malformedValue } from './value-errors.ts';

/** VECTOR: `[1,-2.5]`, or `{1,-2.5}` for an array of the target. */
export function vectorWriter({ kind, target, where }: ValueContext): ValueWriter {
  if (kind === 'bytes') return writeBytea;
  const array = target?.array === true;
  return (input, start, end, out) => {
    if ((end - start) % 4 !== 0) throw malformedValue(where, `a VECTOR of ${end - start} bytes`);
    const at = out.open();
    out.writeByte(array ? 0x7b : 0x5b);
    for (let i = start; i < end; i += 4) {
      if (i > start) out.writeByte(0x2c);
      out.writeAscii(floatText(input.readFloatLE(i)));
    }
    out.writeByte(array ? 0x7d : 0x5d);
    out.close(at);
  };
}
