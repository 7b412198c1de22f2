import { createContext, useContext } from 'react';

/** Columns and rows that are free for the body of a screen or dialog. */
export interface BodySize {
  readonly columns: number;
  readonly rows: number;
}

export const BodySizeContext = createContext<BodySize>({ columns: 78, rows: 20 });

/** The room inside of the surrounding screen or dialog. */
export function useBodySize(): BodySize {
  return useContext(BodySizeContext);
}
