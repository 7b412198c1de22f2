import { open, type FileHandle } from 'node:fs/promises';

/**
 * The last `most` bytes of a log, of whole lines; undefined when it is not there.
 * @returns whether more was in front of that
 */
export async function logTail(path: string, most: number): Promise<{ text: string; cut: boolean } | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - most);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
    const text = buffer.toString('utf8', 0, bytesRead);
    return start === 0 ? { text, cut: false } : { text: text.slice(text.indexOf('\n') + 1), cut: true };
  } finally {
    await file.close();
  }
}
