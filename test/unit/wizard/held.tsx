import { type ReactNode, useState } from 'react';

/** Keeps a value for what it shows, as a screen does. */
export function Held<T>({ initial, children }: { initial: T; children(value: T, set: (value: T) => void): ReactNode }) {
  const [value, setValue] = useState(initial);
  return children(value, setValue);
}
